/*
 * A connection to the ledger for tasks beside the workers, or on a thread beside their loop.
 * Blocks; every statement is bounded by ledger.statement_timeout. No error text holds a password or
 * a value.
 */
#ifndef RUN_LEDGER_SESSION_H
#define RUN_LEDGER_SESSION_H

#include <libpq-fe.h>

#include "base/error.h"
#include "base/settings.h"

// NULL and LEDGER_UNAVAILABLE. `name`: the task, as pg_stat_activity shows it.
PGconn *ledger_session_open(const Settings *settings, const char *name, Error *err);
void ledger_session_close_at(PGconn **session); // for CLEANUP

// Runs a statement; text parameters, NULL for NULL. The result is the caller's; NULL and
// LEDGER_UNAVAILABLE, or LEDGER_REFUSED where a right is missing.
PGresult *ledger_session_ask(PGconn *session, const char *sql, int parameter_count,
                             const char *const *parameters, Error *err);
// The same for what returns nothing.
bool ledger_session_do(PGconn *session, const char *sql, int parameter_count,
                       const char *const *parameters, Error *err);
void ledger_session_clear_at(PGresult **result); // for CLEANUP

#endif
