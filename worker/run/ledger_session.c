#include "run/ledger_session.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum { NUMBER_BYTES = 64 };

void ledger_session_close_at(PGconn **session)
{
    PQfinish(*session);
}

void ledger_session_clear_at(PGresult **result)
{
    PQclear(*result);
}

// An error's DETAIL may repeat a row; its message doesn't.
static void fail(const PGresult *result, Error *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    bool is_denied = state != NULL && strcmp(state, "42501") == 0;
    error_set(err, is_denied ? ERROR_DENIED : ERROR_UNAVAILABLE,
              is_denied ? "LEDGER_REFUSED" : "LEDGER_UNAVAILABLE", "%s",
              message != NULL ? message : "the ledger does not answer");
}

PGresult *ledger_session_ask(PGconn *session, const char *sql, int parameter_count,
                             const char *const *parameters, Error *err)
{
    PGresult *result = PQexecParams(session, sql, parameter_count, NULL, parameters, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return result;
    }
    fail(result, err);
    PQclear(result);
    return NULL;
}

bool ledger_session_do(PGconn *session, const char *sql, int parameter_count,
                       const char *const *parameters, Error *err)
{
    PGresult *result = ledger_session_ask(session, sql, parameter_count, parameters, err);
    bool done = result != NULL;
    PQclear(result);
    return done;
}

static bool bound(PGconn *session, const Settings *settings, Error *err)
{
    char limit[NUMBER_BYTES];
    (void)snprintf(limit, sizeof limit, "%" PRId64,
                   settings_number(settings, SETTING_LEDGER_TIMEOUT));
    PGresult *result = ledger_session_ask(session,
                                          "SELECT set_config('statement_timeout', $1, false), "
                                          "set_config('lock_timeout', $1, false)",
                                          1, (const char *const[]){limit}, err);
    PQclear(result);
    return result != NULL;
}

PGconn *ledger_session_open(const Settings *settings, const char *name, Error *err)
{
    // what the URI says itself stands later and counts
    static const char *const KEYWORDS[] = {"connect_timeout", "client_encoding",
                                           "options",         "fallback_application_name",
                                           "dbname",          NULL};
    const char *const values[] = {"10",
                                  "UTF8",
                                  "-c search_path=pg_catalog",
                                  name,
                                  secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)),
                                  NULL};
    PGconn *session = PQconnectdbParams(KEYWORDS, values, 1);
    if (PQstatus(session) != CONNECTION_OK) {
        error_set(err, ERROR_UNAVAILABLE, "LEDGER_UNAVAILABLE", "%s", PQerrorMessage(session));
        err->text[strcspn(err->text, "\n")] = '\0';
    } else if (bound(session, settings, err)) {
        return session;
    }
    PQfinish(session);
    return NULL;
}
