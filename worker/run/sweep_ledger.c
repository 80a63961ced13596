#include "run/sweep_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "run/ledger_session.h"

enum { NUMBER_TEXT_BYTES = 32 };

bool sweep_ledger_accounts(PGconn *ledger, bool rested, SweepTargets *ret_targets, Error *err)
{
    static const char ACCOUNTS[] =
        "SELECT a.application_id, a.account FROM provision.account a "
        "WHERE a.sealed_key IS NOT NULL AND NOT ($1 AND EXISTS (SELECT FROM provision.command c "
        "WHERE c.application_id = a.application_id AND c.action = 'SweepAccount' "
        "AND c.status = 'running')) ORDER BY a.application_id, a.account";
    PGresult *rows CLEANUP(ledger_session_clear_at) =
        ledger_session_ask(ledger, ACCOUNTS, 1, (const char *const[]){rested ? "t" : "f"}, err);
    if (rows == NULL) {
        return false;
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        sweep_targets_add(ret_targets, PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1));
    }
    return true;
}

bool sweep_ledger_take_turn(PGconn *ledger, int64_t interval_ms, bool *ret_is_mine, Error *err)
{
    static const char TURN[] =
        "UPDATE provision.installation SET swept_at = clock_timestamp() WHERE singleton IN "
        "(SELECT singleton FROM provision.installation WHERE swept_at IS NULL OR swept_at <= "
        "clock_timestamp() - $1::bigint * interval '1 millisecond' FOR UPDATE SKIP LOCKED) "
        "RETURNING 1";
    // A worker that froze would hold it for ever. Sending takes less: it is bounded.
    static const char TURN_LIMIT[] = "SET LOCAL idle_in_transaction_session_timeout = '60s'";
    char interval[NUMBER_TEXT_BYTES];
    (void)snprintf(interval, sizeof interval, "%" PRId64, interval_ms);
    *ret_is_mine = false;
    if (!ledger_session_do(ledger, "BEGIN", 0, NULL, err) ||
        !ledger_session_do(ledger, TURN_LIMIT, 0, NULL, err)) {
        return false;
    }
    PGresult *rows CLEANUP(ledger_session_clear_at) =
        ledger_session_ask(ledger, TURN, 1, (const char *const[]){interval}, err);
    *ret_is_mine = rows != NULL && PQntuples(rows) == 1;
    return rows != NULL;
}

bool sweep_ledger_end_turn(PGconn *ledger, Error *err)
{
    return ledger_session_do(ledger, "COMMIT", 0, NULL, err);
}

// Of a bytea as text.
static OutcomeMessage *unpack(const char *text)
{
    size_t size = 0;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &size);
    OutcomeMessage *outcome = bytes != NULL ? outcome_unpack((Bytes){bytes, size}) : NULL;
    PQfreemem(bytes);
    return outcome;
}

bool sweep_ledger_outcome(PGconn *ledger, const char *application_id, const char *command_id,
                          bool *ret_is_begun, OutcomeMessage **ret_outcome, Error *err)
{
    static const char OUTCOME[] =
        "SELECT CASE WHEN status = 'finished' THEN outcome END, status = 'finished' "
        "FROM provision.command WHERE application_id = $1 AND command_id = $2";
    PGresult *rows CLEANUP(ledger_session_clear_at) = ledger_session_ask(
        ledger, OUTCOME, 2, (const char *const[]){application_id, command_id}, err);
    *ret_outcome = NULL;
    *ret_is_begun = rows != NULL && PQntuples(rows) > 0;
    if (!*ret_is_begun || PQgetvalue(rows, 0, 1)[0] != 't') {
        return rows != NULL;
    }
    *ret_outcome = unpack(PQgetvalue(rows, 0, 0));
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
    PGresult *rows CLEANUP(ledger_session_clear_at) =
        ledger_session_ask(ledger, CONFIRM, 0, NULL, err);
    return rows != NULL && ((PQntuples(rows) == 1 &&
                             text_copy(ret_old, SWEEP_IDENTITY_BYTES, PQgetvalue(rows, 0, 0)) &&
                             text_copy(ret_new, SWEEP_IDENTITY_BYTES, PQgetvalue(rows, 0, 1))) ||
                            error_set(err, ERROR_INTERNAL, "LEDGER_ROW_INVALID",
                                      "provision.installation must have exactly one row"));
}
