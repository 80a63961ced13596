#include "run/migrate.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/conninfo.h"
#include "base/text.h"
#include "ledger/schema.h"

enum { SERVER_OLDEST = 150000, DDL_BYTES_MAX = 1024 * 1024 };

static void finish_at(PGconn **connection)
{
    PQfinish(*connection);
}

static void clear_at(PGresult **result)
{
    PQclear(*result);
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

static bool check_uri(const char *uri, Error *err)
{
    char *message = NULL;
    PQconninfoOption *options CLEANUP(free_options_at) = PQconninfoParse(uri, &message);
    PQfreemem(message); // may repeat the URI
    bool valid = options != NULL;
    for (size_t i = 0; valid && options[i].keyword != NULL; i++) {
        valid = conninfo_is_safe_to_repeat(options[i].keyword, options[i].val);
    }
    return valid || error_set(err, ERROR_INVALID, "LEDGER_URI_INVALID",
                              "ledger.uri is no connection URI that PostgreSQL understands: "
                              "special characters in its password must be percent-encoded");
}

static void trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n') {
        text[--length] = '\0';
    }
}

static bool fail_connection(PGconn *connection, Error *err)
{
    error_set(err, ERROR_UNAVAILABLE, "LEDGER_UNAVAILABLE", "%s", PQerrorMessage(connection));
    if (err != NULL) {
        trim(err->text);
    }
    return false;
}

// A missing right is for a person; a server that stops, or has no room, for another try. Classes:
// https://www.postgresql.org/docs/15/errcodes-appendix.html
static ErrorKind kind_of(const char *state)
{
    if (strcmp(state, "42501") == 0) {
        return ERROR_DENIED;
    }
    bool passes = strncmp(state, "53", 2) == 0 || strncmp(state, "57", 2) == 0;
    return passes ? ERROR_UNAVAILABLE : ERROR_INTERNAL;
}

// One or more statements; `ret_result` (of the last) may be NULL.
static bool execute(PGconn *connection, const char *sql, PGresult **ret_result, Error *err)
{
    PGresult *result CLEANUP(clear_at) = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        if (ret_result != NULL) {
            *ret_result = result;
            result = NULL;
        }
        return true;
    }
    if (PQstatus(connection) != CONNECTION_OK) {
        return fail_connection(connection, err);
    }
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    state = state == NULL ? "none" : state;
    return error_set(err, kind_of(state), "LEDGER_REFUSED", "%s (SQLSTATE %s)",
                     text == NULL ? "no reason given" : text, state);
}

static bool check_server(PGconn *connection, Error *err)
{
    int version = PQserverVersion(connection);
    if (version < SERVER_OLDEST) {
        return error_set(err, ERROR_INVALID, "LEDGER_TOO_OLD",
                         "the ledger runs on PostgreSQL %d; at least 15 is needed",
                         version / 10000);
    }
    PGresult *result CLEANUP(clear_at) = NULL;
    if (!execute(connection, "SHOW synchronous_commit", &result, err)) {
        return false;
    }
    if (strcmp(PQgetvalue(result, 0, 0), "off") == 0) {
        return error_set(err, ERROR_INVALID, "LEDGER_NOT_DURABLE",
                         "synchronous_commit is off: an intent could be lost after its call was "
                         "made. Turn it on for the ledger's role and database");
    }
    return true;
}

static bool open_ledger(const char *uri, PGconn **ret_connection, Error *err)
{
    if (!check_uri(uri, err)) {
        return false;
    }
    // What the URI says itself comes later in the list and counts.
    static const char *const NAMES[] = {"connect_timeout", "fallback_application_name",
                                        "client_encoding", "dbname", NULL};
    const char *values[] = {"10", "provision-worker migrate", "UTF8", uri, NULL};
    PGconn *connection CLEANUP(finish_at) = PQconnectdbParams(NAMES, values, 1);
    if (PQstatus(connection) != CONNECTION_OK) {
        return fail_connection(connection, err);
    }
    PQsetNoticeProcessor(connection, drop_notice, NULL);
    if (!check_server(connection, err) ||
        !execute(connection, "SET search_path = pg_catalog; SET lock_timeout = '5min'", NULL,
                 err)) {
        return false;
    }
    *ret_connection = connection;
    connection = NULL;
    return true;
}

// The migrations that are there, one row each: version, checksum, oldest program's version that
// runs with it. None where the table isn't.
static bool read_applied(PGconn *connection, PGresult **ret_rows, Error *err)
{
    static const char TABLE[] = "SELECT to_regclass('provision.schema_migration') IS NOT NULL";
    static const char ROWS[] =
        "SELECT version, checksum, runs_with FROM provision.schema_migration ORDER BY version";
    PGresult *table CLEANUP(clear_at) = NULL;
    if (!execute(connection, TABLE, &table, err)) {
        return false;
    }
    bool exists = strcmp(PQgetvalue(table, 0, 0), "t") == 0;
    return execute(connection, exists ? ROWS : "SELECT 1, '', 1 WHERE false", ret_rows, err);
}

// Row of a version, -1: not applied.
static int find_applied(const PGresult *applied, int version)
{
    for (int row = 0; row < PQntuples(applied); row++) {
        if (strtol(PQgetvalue(applied, row, 0), NULL, 10) == version) {
            return row;
        }
    }
    return -1;
}

static int newest_applied(const PGresult *applied)
{
    int rows = PQntuples(applied);
    return rows == 0 ? 0 : (int)strtol(PQgetvalue(applied, rows - 1, 0), NULL, 10);
}

// Migrations expand first and contract later, so that a fleet can be exchanged worker by worker:
// each says which program still runs with what it leaves.
static int needed_version(const PGresult *applied)
{
    int needed = 0;
    for (int row = 0; row < PQntuples(applied); row++) {
        int one = (int)strtol(PQgetvalue(applied, row, 2), NULL, 10);
        needed = one > needed ? one : needed;
    }
    return needed;
}

static bool check_applied(const PGresult *applied, Error *err)
{
    int needed = needed_version(applied);
    if (needed > schema_newest()) {
        return error_set(
            err, ERROR_INVALID, "SCHEMA_TOO_NEW",
            "the ledger's schema runs with programs that know version %d, this one knows "
            "%d: run a later provision-worker",
            needed, schema_newest());
    }
    size_t count;
    const SchemaMigration *migrations = schema_migrations(&count);
    for (size_t i = 0; i < count; i++) {
        int row = find_applied(applied, migrations[i].version);
        if (row >= 0 && strcmp(PQgetvalue(applied, row, 1), migrations[i].checksum) != 0) {
            return error_set(err, ERROR_INVALID, "MIGRATION_CHANGED",
                             "migration %d (%s) was applied with another text than this program "
                             "has: it was changed after a release",
                             migrations[i].version, migrations[i].name);
        }
    }
    return true;
}

// Name and checksum come from the program: nothing in them needs quoting.
static bool apply_one(PGconn *connection, const SchemaMigration *migration, Error *err)
{
    Text sql CLEANUP(text_clear) = TEXT_INIT(DDL_BYTES_MAX);
    text_printf(&sql,
                "BEGIN; SET LOCAL lock_timeout = '30s';\n%s\n;"
                "INSERT INTO provision.schema_migration (version, name, checksum, runs_with) "
                "VALUES (%d, '%s', '%s', %d); COMMIT",
                migration->sql, migration->version, migration->name, migration->checksum,
                migration->runs_with);
    Error inner = ERROR_INIT;
    if (execute(connection, text_get(&sql), NULL, &inner)) {
        return true;
    }
    (void)execute(connection, "ROLLBACK", NULL, NULL);
    return error_set(err, inner.kind, "MIGRATION_FAILED", "migration %03d_%s: %s",
                     migration->version, migration->name, inner.text);
}

static void report(FILE *out, const char *what, const SchemaMigration *migration)
{
    if (out != NULL) {
        (void)fprintf(out, "%s %03d_%s\n", what, migration->version, migration->name);
    }
}

static bool apply_missing(PGconn *connection, const PGresult *applied, bool apply, FILE *out,
                          Error *err)
{
    size_t count;
    const SchemaMigration *migrations = schema_migrations(&count);
    for (size_t i = 0; i < count; i++) {
        if (find_applied(applied, migrations[i].version) >= 0) {
            continue;
        }
        if (apply && !apply_one(connection, &migrations[i], err)) {
            return false;
        }
        report(out, apply ? "applied" : "would apply", &migrations[i]);
    }
    return true;
}

// The lock goes with the connection. Its number is "provison" in ASCII.
static bool prepare(PGconn *connection, Error *err)
{
    static const char LOCK[] = "SELECT pg_advisory_lock(x'70726f7669736f6e'::bigint)";
    static const char TABLE[] =
        "CREATE SCHEMA IF NOT EXISTS provision; "
        "CREATE TABLE IF NOT EXISTS provision.schema_migration (version integer PRIMARY KEY, "
        "name text NOT NULL, checksum text NOT NULL, runs_with integer NOT NULL, "
        "applied_at timestamptz NOT NULL DEFAULT "
        "now())";
    if (!execute(connection, LOCK, NULL, err)) {
        return false;
    }
    PGresult *applied CLEANUP(clear_at) = NULL;
    if (!read_applied(connection, &applied, err)) {
        return false;
    }
    // IF NOT EXISTS asks for the right to create even where there is nothing to do.
    return PQntuples(applied) > 0 || execute(connection, TABLE, NULL, err);
}

bool migrate_run(const char *uri, bool apply, FILE *out, Error *err)
{
    PGconn *connection CLEANUP(finish_at) = NULL;
    PGresult *applied CLEANUP(clear_at) = NULL;
    return open_ledger(uri, &connection, err) && (!apply || prepare(connection, err)) &&
           read_applied(connection, &applied, err) && check_applied(applied, err) &&
           apply_missing(connection, applied, apply, out, err);
}

static bool read_installation(PGconn *connection, char ret_installation_id[UUID_TEXT_BYTES],
                              Error *err)
{
    PGresult *rows CLEANUP(clear_at) = NULL;
    if (!execute(connection, "SELECT id FROM provision.installation", &rows, err)) {
        return false;
    }
    if (PQntuples(rows) != 1 ||
        !text_copy(ret_installation_id, UUID_TEXT_BYTES, PQgetvalue(rows, 0, 0))) {
        return error_set(err, ERROR_INTERNAL, "LEDGER_ROW_INVALID",
                         "provision.installation must have exactly one row");
    }
    return true;
}

bool migrate_check(const char *uri, char ret_installation_id[UUID_TEXT_BYTES], Error *err)
{
    PGconn *connection CLEANUP(finish_at) = NULL;
    PGresult *applied CLEANUP(clear_at) = NULL;
    if (!open_ledger(uri, &connection, err) || !read_applied(connection, &applied, err) ||
        !check_applied(applied, err)) {
        return false;
    }
    int newest = newest_applied(applied);
    if (newest < schema_oldest()) {
        return error_set(err, ERROR_INVALID, "SCHEMA_TOO_OLD",
                         "the ledger's schema has version %d, at least %d is needed: run "
                         "provision-worker migrate",
                         newest, schema_oldest());
    }
    return read_installation(connection, ret_installation_id, err);
}
