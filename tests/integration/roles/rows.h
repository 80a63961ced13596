/*
 * Statements of a test, sent with libpq: what must succeed, values, and what may be refused.
 */
#ifndef ROLES_TEST_ROWS_H
#define ROLES_TEST_ROWS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

// Printf-formatted statements; the test fails when the server refuses. More than one may be given,
// separated by semicolons.
void rows_run(PGconn *connection, const char *format, ...) PRINTF_LIKE(2, 3);
// First column of the first row: NULL for no row or NULL; to be freed.
char *rows_value(PGconn *connection, const char *format, ...) PRINTF_LIKE(2, 3);
int64_t rows_number(PGconn *connection, const char *format, ...) PRINTF_LIKE(2, 3);
bool rows_is(PGconn *connection, const char *format, ...) PRINTF_LIKE(2, 3); // a boolean

typedef struct RowsOutcome {
    char state[6]; // SQLSTATE of the error, else of a warning that nothing was granted or revoked
    char text[256];
} RowsOutcome;

// True when it succeeded and wasn't a GRANT or REVOKE that did nothing (01006, 01007: the server
// only warns of these).
bool rows_try(PGconn *connection, const char *sql, RowsOutcome *ret_outcome);

void rows_free(char **text); // for CLEANUP
// The name quoted as SQL; to be freed with free().
char *rows_identifier(PGconn *connection, const char *name);
char *rows_literal(PGconn *connection, const char *text);

#endif
