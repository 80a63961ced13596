#include "ctl/ledger_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conninfo.h"
#include "ctl/secret_file.h"
#include "lib/fault.h"

enum { OPTION_URI_FILE = 0x500, SCHEMA_READ = 2, SCHEMA_KNOWN = PROVISION_LEDGER_SCHEMA };

static const struct argp_option OPTIONS[] = {
    {NULL, 0, NULL, 0, "The ledger:", 60},
    {"ledger-uri-file", OPTION_URI_FILE, "FILE", 0,
     "File with its connection URI (default: PROVISION_LEDGER_URI_FILE, PROVISION_LEDGER_URI)", 60},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    if (key == OPTION_URI_FILE) {
        ((LedgerOptions *)state->input)->uri_file = text;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp LEDGER_ARGP = {.options = OPTIONS, .parser = parse};

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0';
}

bool ledger_reader_is_given(const LedgerOptions *options)
{
    return options->uri_file != NULL || is_set("PROVISION_LEDGER_URI_FILE") ||
           is_set("PROVISION_LEDGER_URI");
}

void ledger_reader_close_at(PGconn **connection)
{
    PQfinish(*connection);
}

void ledger_reader_clear_at(PGresult **rows)
{
    PQclear(*rows);
}

static void free_options_at(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

static void drop_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static bool check_uri(const char *uri, ProvisionError *err)
{
    char *message = NULL;
    PQconninfoOption *options CLEANUP(free_options_at) = PQconninfoParse(uri, &message);
    PQfreemem(message); // may repeat the URI
    bool valid = options != NULL;
    for (size_t i = 0; valid && options[i].keyword != NULL; i++) {
        valid = conninfo_is_safe_to_repeat(options[i].keyword, options[i].val);
    }
    return valid || fault_set(err, PROVISION_ERROR_INVALID, "LEDGER_URI_INVALID",
                              "ledger.uri is no connection URI that PostgreSQL understands: "
                              "special characters in its password must be percent-encoded");
}

static bool read_uri(const LedgerOptions *options, Secret *ret_uri, ProvisionError *err)
{
    bool read = options->uri_file != NULL ? secret_file_read(options->uri_file, ret_uri, err)
                                          : secret_file_of_setting("ledger.uri", ret_uri, err);
    if (read && secret_is_empty(ret_uri)) {
        return fault_set(err, PROVISION_ERROR_INVALID, "LEDGER_URI_MISSING",
                         "where is the ledger? Give --ledger-uri-file FILE or set "
                         "PROVISION_LEDGER_URI_FILE");
    }
    return read && check_uri(secret_reveal(ret_uri), err);
}

static bool fault_connection(PGconn *connection, ProvisionError *err)
{
    char text[sizeof(err->text)];
    (void)snprintf(text, sizeof(text), "%s", PQerrorMessage(connection));
    text[strcspn(text, "\n")] = '\0';
    return fault_set(err, PROVISION_ERROR_UNAVAILABLE, "LEDGER_UNAVAILABLE",
                     "the ledger doesn't answer: %s; check ledger.uri and that PostgreSQL runs",
                     text[0] == '\0' ? "no connection" : text);
}

PGconn *ledger_reader_connect(const LedgerOptions *options, ProvisionError *err)
{
    Secret uri CLEANUP(secret_clear) = SECRET_INIT;
    if (!read_uri(options, &uri, err)) {
        return NULL;
    }
    // What the URI says itself comes later in the list and counts.
    static const char *const NAMES[] = {"connect_timeout", "fallback_application_name",
                                        "client_encoding", "dbname", NULL};
    const char *values[] = {"10", "provisionctl", "UTF8", secret_reveal(&uri), NULL};
    PGconn *connection = PQconnectdbParams(NAMES, values, 1);
    if (PQstatus(connection) != CONNECTION_OK) {
        fault_connection(connection, err);
        PQfinish(connection);
        return NULL;
    }
    PQsetNoticeProcessor(connection, drop_notice, NULL);
    return connection;
}

PGresult *ledger_reader_ask(PGconn *connection, const char *sql, int count,
                            const char *const *values, ProvisionError *err)
{
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        PQexecParams(connection, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(rows);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        PGresult *found = rows;
        rows = NULL;
        return found;
    }
    if (PQstatus(connection) != CONNECTION_OK) {
        fault_connection(connection, err);
        return NULL;
    }
    const char *text = PQresultErrorField(rows, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(rows, PG_DIAG_SQLSTATE);
    fault_set(err, PROVISION_ERROR_INVALID, "LEDGER_REFUSED",
              "the ledger refuses: %s (SQLSTATE %s)", text == NULL ? "no reason given" : text,
              state == NULL ? "none" : state);
    return NULL;
}

static bool run(PGconn *connection, const char *sql, ProvisionError *err)
{
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ledger_reader_ask(connection, sql, 0, NULL, err);
    return rows != NULL;
}

bool ledger_reader_versions(PGconn *connection, int *ret_newest, int *ret_needed, int *ret_known,
                            ProvisionError *err)
{
    *ret_newest = 0;
    *ret_needed = 0;
    *ret_known = SCHEMA_KNOWN;
    PGresult *table CLEANUP(ledger_reader_clear_at) = ledger_reader_ask(
        connection, "SELECT to_regclass('provision.schema_migration') IS NOT NULL", 0, NULL, err);
    if (table == NULL || strcmp(PQgetvalue(table, 0, 0), "t") != 0) {
        return table != NULL;
    }
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ledger_reader_ask(connection,
                          "SELECT coalesce(max(version), 0), coalesce(max(runs_with), 0) "
                          "FROM provision.schema_migration",
                          0, NULL, err);
    if (rows == NULL) {
        return false;
    }
    *ret_newest = (int)strtol(PQgetvalue(rows, 0, 0), NULL, 10);
    *ret_needed = (int)strtol(PQgetvalue(rows, 0, 1), NULL, 10);
    return true;
}

static bool check_versions(PGconn *connection, ProvisionError *err)
{
    int newest = 0;
    int needed = 0;
    int known = 0;
    if (!ledger_reader_versions(connection, &newest, &needed, &known, err)) {
        return false;
    }
    if (newest < SCHEMA_READ) {
        return fault_set(err, PROVISION_ERROR_INVALID, "SCHEMA_TOO_OLD",
                         "the ledger's schema has version %d, at least %d is needed: run "
                         "provision-worker migrate",
                         newest, SCHEMA_READ);
    }
    return needed <= known || fault_set(err, PROVISION_ERROR_INVALID, "SCHEMA_TOO_NEW",
                                        "the ledger's schema runs with programs that know version "
                                        "%d, this one knows %d: use a later provisionctl",
                                        needed, known);
}

bool ledger_reader_begin(PGconn *connection, ProvisionError *err)
{
    return run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) &&
           run(connection, "SET LOCAL search_path = pg_catalog", err) &&
           run(connection, "SET LOCAL timezone = 'UTC'", err) &&
           run(connection, "SET LOCAL statement_timeout = '30s'", err) &&
           check_versions(connection, err);
}

PGconn *ledger_reader_open(const LedgerOptions *options, ProvisionError *err)
{
    PGconn *connection = ledger_reader_connect(options, err);
    if (connection != NULL && !ledger_reader_begin(connection, err)) {
        PQfinish(connection);
        return NULL;
    }
    return connection;
}
