#include "run/sweep_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

enum { NUMBER_TEXT_BYTES = 32 };

static void clear_at(PGresult **result)
{
    PQclear(*result);
}

void sweep_ledger_close_at(PGconn **ledger)
{
    PQfinish(*ledger);
    *ledger = NULL;
}

static bool fail(PGconn *ledger, Error *err)
{
    const char *reason = PQerrorMessage(ledger);
    return error_set(err, ERROR_UNAVAILABLE, "LEDGER_UNAVAILABLE", "%.*s",
                     (int)strcspn(reason, "\n"), reason);
}

// NULL: an error. The caller clears it.
static PGresult *ask(PGconn *ledger, const char *sql, int count, const char *const *params,
                     bool in_binary, Error *err)
{
    PGresult *result =
        PQexecParams(ledger, sql, count, NULL, params, NULL, NULL, in_binary ? 1 : 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        return result;
    }
    PQclear(result);
    (void)fail(ledger, err);
    return NULL;
}

PGconn *sweep_ledger_open(const Settings *settings, Error *err)
{
    // What the URI says itself comes later in the list and counts.
    static const char *const NAMES[] = {"connect_timeout", "fallback_application_name",
                                        "client_encoding", "options",
                                        "dbname",          NULL};
    const char *values[] = {"10",
                            "provision-worker sweep",
                            "UTF8",
                            "-c statement_timeout=10s -c search_path=pg_catalog",
                            secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)),
                            NULL};
    PGconn *ledger = PQconnectdbParams(NAMES, values, 1);
    if (PQstatus(ledger) == CONNECTION_OK) {
        return ledger;
    }
    (void)fail(ledger, err);
    PQfinish(ledger);
    return NULL;
}

bool sweep_ledger_accounts(PGconn *ledger, bool rested, SweepTargets *ret_targets, Error *err)
{
    static const char ACCOUNTS[] =
        "SELECT a.application_id, a.account FROM provision.account a "
        "WHERE a.sealed_key IS NOT NULL AND NOT ($1 AND EXISTS (SELECT FROM provision.command c "
        "WHERE c.application_id = a.application_id AND c.action = 'SweepAccount' "
        "AND c.status = 'running')) ORDER BY a.application_id, a.account";
    PGresult *rows CLEANUP(clear_at) =
        ask(ledger, ACCOUNTS, 1, (const char *const[]){rested ? "t" : "f"}, false, err);
    if (rows == NULL) {
        return false;
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        sweep_targets_add(ret_targets, PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1));
    }
    return true;
}

static bool execute(PGconn *ledger, const char *sql, Error *err)
{
    PGresult *result CLEANUP(clear_at) = PQexec(ledger, sql);
    return PQresultStatus(result) == PGRES_COMMAND_OK || fail(ledger, err);
}

bool sweep_ledger_take_turn(PGconn *ledger, int64_t interval_ms, bool *ret_is_mine, Error *err)
{
    static const char TURN[] =
        "UPDATE provision.installation SET swept_at = clock_timestamp() WHERE singleton IN "
        "(SELECT singleton FROM provision.installation WHERE swept_at IS NULL OR swept_at <= "
        "clock_timestamp() - $1::bigint * interval '1 millisecond' FOR UPDATE SKIP LOCKED) "
        "RETURNING 1";
    char interval[NUMBER_TEXT_BYTES];
    (void)snprintf(interval, sizeof interval, "%" PRId64, interval_ms);
    *ret_is_mine = false;
    if (!execute(ledger, "BEGIN", err)) {
        return false;
    }
    PGresult *rows CLEANUP(clear_at) =
        ask(ledger, TURN, 1, (const char *const[]){interval}, false, err);
    *ret_is_mine = rows != NULL && PQntuples(rows) == 1;
    return rows != NULL;
}

bool sweep_ledger_end_turn(PGconn *ledger, Error *err)
{
    return execute(ledger, "COMMIT", err);
}

bool sweep_ledger_outcome(PGconn *ledger, const char *application_id, const char *command_id,
                          bool *ret_is_begun, OutcomeMessage **ret_outcome, Error *err)
{
    static const char OUTCOME[] =
        "SELECT CASE WHEN status = 'finished' THEN outcome END, status = 'finished' "
        "FROM provision.command WHERE application_id = $1 AND command_id = $2";
    PGresult *rows CLEANUP(clear_at) =
        ask(ledger, OUTCOME, 2, (const char *const[]){application_id, command_id}, true, err);
    *ret_outcome = NULL;
    *ret_is_begun = rows != NULL && PQntuples(rows) > 0;
    if (!*ret_is_begun || PQgetvalue(rows, 0, 1)[0] == 0) { // a boolean is a byte
        return rows != NULL;
    }
    *ret_outcome = outcome_unpack(
        (Bytes){(const uint8_t *)PQgetvalue(rows, 0, 0), (size_t)PQgetlength(rows, 0, 0)});
    return *ret_outcome != NULL ||
           error_set(err, ERROR_INTERNAL, "LEDGER_ROW_INVALID",
                     "the outcome of command %s of %s can't be read", command_id, application_id);
}

bool sweep_ledger_confirm(PGconn *ledger, char ret_old[SWEEP_IDENTITY_BYTES],
                          char ret_new[SWEEP_IDENTITY_BYTES], Error *err)
{
    static const char CONFIRM[] =
        "WITH old AS (SELECT identity FROM provision.installation FOR UPDATE) "
        "UPDATE provision.installation SET identity = provision.identity(), "
        "confirmed_at = clock_timestamp() FROM old "
        "RETURNING coalesce(old.identity, ''), installation.identity";
    PGresult *rows CLEANUP(clear_at) = ask(ledger, CONFIRM, 0, NULL, false, err);
    return rows != NULL && ((PQntuples(rows) == 1 &&
                             text_copy(ret_old, SWEEP_IDENTITY_BYTES, PQgetvalue(rows, 0, 0)) &&
                             text_copy(ret_new, SWEEP_IDENTITY_BYTES, PQgetvalue(rows, 0, 1))) ||
                            error_set(err, ERROR_INTERNAL, "LEDGER_ROW_INVALID",
                                      "provision.installation must have exactly one row"));
}
