/*
 * A connection on a loop to the PostgreSQL server of PROVISION_TEST_LEDGER.
 */
#ifndef DRIVE_TEST_PG_FIXTURE_H
#define DRIVE_TEST_PG_FIXTURE_H

#include "base/secret.h"
#include "drive/pg.h"
#include "support.h"

typedef struct PgFixture {
    Loop *loop;
    Resolver *resolver;
    Secret uri;
    PgOptions options;
    Pg *pg;
    PgState state;
    int ready; // how often it became so
    Error failure;
    bool close_on_failure;
} PgFixture;

typedef struct PgAnswer {
    bool done;
    int count;
    Error err;
    char value[512]; // first column of the last result
    Pg *to_close;
} PgAnswer;

int pg_set_up(void **state);
int pg_set_up_alone(void **state); // without that server
// Fails when the loop was blocked.
int pg_tear_down(void **state);
void pg_fixture_open(PgFixture *f); // with the options that the test may have changed
void pg_on_state(void *context, PgState state, const Error *err); // the context is a PgFixture
void pg_on_answer(void *context, PGresult *const *results, int count,
                  const Error *err); // the context is an PgAnswer
bool pg_fixture_is_ready(void *context);
bool pg_fixture_has_failed(void *context);
void pg_fixture_run(PgFixture *f, const char *sql, PgAnswer *ret_answer);
const char *pg_fixture_value(PgFixture *f, const char *sql, PgAnswer *answer); // must succeed

#endif
