/*
 * Between the queue's rows and the ledger's statements: which builder and decoder belong to which
 * kind.
 */
#ifndef RUN_LEDGER_ROWS_H
#define RUN_LEDGER_ROWS_H

#include "run/ledger_queue.h"

enum {
    // of a statement: measured 8,900 command lives a second on one connection
    LEDGER_ROWS_MAX = 200,
    // each may be answered with a whole outcome
    LEDGER_STOPS_MAX = 4,
};

size_t ledger_rows_most(LedgerOpKind kind); // of a batch
// What a row adds to a statement, of the kinds whose rows may be large; 0: little.
size_t ledger_rows_bytes(const LedgerOp *op);
// By (application, command), the order in which rows are locked; 0: the same command, which a batch
// holds once at most.
int ledger_rows_compare(const LedgerOp *a, const LedgerOp *b);
// As metrics name it: "claim".
const char *ledger_rows_name(LedgerOpKind kind);
// Sorts the rows.
void ledger_rows_build(LedgerOpKind kind, LedgerOp **ops, size_t count, LedgerBatch *ret_batch);
// As pg_run_until; the batch is copied.
void ledger_rows_send(Pg *pg, const LedgerBatch *batch, int64_t send_limit_boot_ms,
                      PgCallback *callback, void *context);
bool ledger_rows_decode(LedgerOpKind kind, const PGresult *rows, LedgerOp **ops, size_t count,
                        Error *err);

#endif
