/*
 * A database of its own for a test program, in the cluster that PROVISION_TEST_LEDGER names (the
 * URI of a superuser), with two connections that stand for two workers.
 */
#ifndef LEDGER_SUPPORT_H
#define LEDGER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/ledger.h"

enum { SUPPORT_URI_BYTES = 512, SUPPORT_SKIP = 77, SUPPORT_BATCH = 200 };

typedef struct Support {
    char database[64];
    char uri[SUPPORT_URI_BYTES];
    PGconn *one;
    PGconn *two;
} Support;

// Texts that break what doesn't quote.
extern const char *const SUPPORT_HOSTILE[];
extern const size_t SUPPORT_HOSTILE_COUNT;

// Group fixtures: an empty database, and one with the schema. Their state is a Support *.
int support_begin_empty(void **state);
int support_begin(void **state);
int support_end(void **state);
// Test fixture: every table empty.
int support_empty_tables(void **state);
// Ends the program as skipped where there is no cluster (in CI: as failed).
void support_require(void);

// Sends a batch as the driver does: one pipeline, one Sync. Takes the batch.
void support_send(PGconn *connection, LedgerBatch *batch);
// The answer's rows, owned by the caller; NULL when the batch failed.
PGresult *support_receive(PGconn *connection, size_t statements, size_t answer);
// Both. Fails the test when the batch fails.
PGresult *support_run(PGconn *connection, LedgerBatch *batch);
// The SQLSTATE that a batch fails with; fails the test when it doesn't.
void support_run_failing(PGconn *connection, LedgerBatch *batch, const char *sqlstate);

// Waits until `waiter` waits for a lock that `holder` holds.
void support_await_blocked(PGconn *watcher, PGconn *waiter, PGconn *holder);

void support_execute(PGconn *connection, const char *sql);
void support_assert_value(PGconn *connection, const char *sql, const char *expected);

// Claim number `i`: "shop", command …i, reserving "env-i"; texts are static until the next call of
// the same number (below SUPPORT_BATCH).
LedgerClaim support_claim(size_t i);
LedgerKey support_key(size_t i, int64_t epoch);
// Claims on a connection and decodes; `ret_claimed` is cleared by the caller.
void support_take(PGconn *connection, const LedgerClaim *claims, size_t count,
                  LedgerClaimed *ret_claimed);
// Claims number `i` and returns its epoch.
int64_t support_take_one(PGconn *connection, size_t i);

// Sends a batch of one row and says whether it was written. Takes the batch.
bool support_written(PGconn *connection, LedgerBatch *batch);
bool support_conclude(PGconn *connection, const LedgerConclude *conclude);
// Of command number `i`: its environment becomes ready, or account `main` gets a key.
LedgerConclude support_conclude_environment(size_t i, int64_t epoch, int64_t sequence);
LedgerConclude support_conclude_account(size_t i, int64_t epoch, int64_t sequence);

#endif
