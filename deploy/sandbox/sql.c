#include "sql.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { SQL_STATEMENT_BYTES = 2048 };

static void free_text(char **text)
{
    if (*text != NULL) {
        PQfreemem(*text);
    }
}

static void clear_result(PGresult **result)
{
    PQclear(*result);
}

#define QUOTED __attribute__((cleanup(free_text))) char *
#define RESULT __attribute__((cleanup(clear_result))) PGresult *

static bool report(const PGconn *connection, char *ret_error, size_t error_bytes)
{
    text_format(ret_error, error_bytes, "%.300s", PQerrorMessage(connection));
    ret_error[strcspn(ret_error, "\n")] = '\0';
    return false;
}

bool sql_run(PGconn *connection, const char *statements, char *ret_error, size_t error_bytes)
{
    RESULT result = PQexec(connection, statements);
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
           report(connection, ret_error, error_bytes);
}

/* https://neon.com/docs/manage/roles#the-neonsuperuser-role; ADMIN only where Neon gives it. */
static const char *const PREPARE_ALL[] = {
    "CREATE ROLE neon_superuser NOLOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS",
    "GRANT pg_read_all_data, pg_write_all_data TO neon_superuser",
    "GRANT pg_monitor, pg_signal_backend TO neon_superuser WITH ADMIN OPTION",
    "GRANT EXECUTE ON FUNCTION pg_show_replication_origin_status TO neon_superuser",
    "CREATE SCHEMA IF NOT EXISTS neon",
    NULL,
};

static const struct {
    int since;
    const char *statement;
} PREPARE_SINCE[] = {
    {16, "GRANT pg_create_subscription TO neon_superuser"},
    {16, "GRANT EXECUTE ON FUNCTION pg_export_snapshot, pg_log_standby_snapshot TO neon_superuser"},
    {17, "GRANT pg_maintain TO neon_superuser"},
    {18, "GRANT pg_signal_autovacuum_worker TO neon_superuser"},
};

bool sql_prepare_cluster(PGconn *connection, int major, char *ret_error, size_t error_bytes)
{
    for (int i = 0; PREPARE_ALL[i] != NULL; i++) {
        if (!sql_run(connection, PREPARE_ALL[i], ret_error, error_bytes)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof(PREPARE_SINCE) / sizeof(PREPARE_SINCE[0]); i++) {
        if (major >= PREPARE_SINCE[i].since &&
            !sql_run(connection, PREPARE_SINCE[i].statement, ret_error, error_bytes)) {
            return false;
        }
    }
    return true;
}

static char *quote_name(PGconn *connection, const char *name)
{
    char *quoted = PQescapeIdentifier(connection, name, strlen(name));
    if (quoted == NULL) {
        abort();
    }
    return quoted;
}

/* ` LOGIN PASSWORD '<verifier>'`, so that the plain one is in no statement. */
static bool build_login(PGconn *connection, const Change *change, char *buffer, size_t size)
{
    if (change->no_login) {
        return text_format(buffer, size, " NOLOGIN");
    }
    QUOTED verifier =
        PQencryptPasswordConn(connection, change->password, change->name, "scram-sha-256");
    return verifier != NULL && text_format(buffer, size, " LOGIN PASSWORD '%s'", verifier);
}

static bool create_role(PGconn *connection, const Change *change, char *ret_error,
                        size_t error_bytes)
{
    char login[512];
    char statement[SQL_STATEMENT_BYTES];
    QUOTED name = quote_name(connection, change->name);
    if (!build_login(connection, change, login, sizeof(login))) {
        return report(connection, ret_error, error_bytes);
    }
    text_build(statement, sizeof(statement),
               "CREATE ROLE %s INHERIT CREATEROLE CREATEDB BYPASSRLS REPLICATION "
               "IN ROLE neon_superuser%s",
               name, login);
    return sql_run(connection, statement, ret_error, error_bytes);
}

static bool set_password(PGconn *connection, const Change *change, char *ret_error,
                         size_t error_bytes)
{
    char login[512];
    char statement[SQL_STATEMENT_BYTES];
    QUOTED name = quote_name(connection, change->name);
    if (!build_login(connection, change, login, sizeof(login))) {
        return report(connection, ret_error, error_bytes);
    }
    text_build(statement, sizeof(statement), "ALTER ROLE %s%s", name, login);
    if (!sql_run(connection, statement, ret_error, error_bytes)) {
        return false;
    }
    /* Neon drops the role's connections. */
    const char *values[] = {change->name};
    RESULT result = PQexecParams(
        connection, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", 1,
        NULL, values, NULL, NULL, 0);
    return PQresultStatus(result) == PGRES_TUPLES_OK || report(connection, ret_error, error_bytes);
}

static bool create_database(PGconn *connection, const Change *change, SqlConnect connect,
                            void *context, char *ret_error, size_t error_bytes)
{
    char statement[SQL_STATEMENT_BYTES];
    QUOTED name = quote_name(connection, change->name);
    QUOTED owner = quote_name(connection, change->owner);
    text_build(statement, sizeof(statement), "CREATE DATABASE %s TEMPLATE template0 OWNER %s", name,
               owner);
    if (!sql_run(connection, statement, ret_error, error_bytes)) {
        return false;
    }
    text_build(statement, sizeof(statement),
               "GRANT ALL PRIVILEGES ON DATABASE %s TO neon_superuser", name);
    if (!sql_run(connection, statement, ret_error, error_bytes)) {
        return false;
    }
    PGconn *inside = connect(context, change->name);
    bool granted = sql_run(inside,
                           "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO "
                           "neon_superuser WITH GRANT OPTION; "
                           "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO "
                           "neon_superuser WITH GRANT OPTION",
                           ret_error, error_bytes);
    PQfinish(inside);
    return granted;
}

/* What the role owns in one database goes to that database's owner. */
static bool reassign_in(SqlConnect connect, void *context, const char *database, const char *name,
                        char *ret_error, size_t error_bytes)
{
    char statement[SQL_STATEMENT_BYTES];
    PGconn *inside = connect(context, database);
    RESULT owner_row =
        PQexec(inside, "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database "
                       "WHERE datname = current_database()");
    bool done = PQntuples(owner_row) == 1;
    if (done) {
        text_build(statement, sizeof(statement), "REASSIGN OWNED BY %s TO %s; DROP OWNED BY %s",
                   name, PQgetvalue(owner_row, 0, 0), name);
        done = sql_run(inside, statement, ret_error, error_bytes);
    } else {
        report(inside, ret_error, error_bytes);
    }
    PQfinish(inside);
    return done;
}

static bool drop_role(PGconn *connection, const Change *change, SqlConnect connect, void *context,
                      char *ret_error, size_t error_bytes)
{
    char statement[SQL_STATEMENT_BYTES];
    const char *values[] = {change->name};
    RESULT exists = PQexecParams(connection, "SELECT FROM pg_roles WHERE rolname = $1", 1, NULL,
                                 values, NULL, NULL, 0);
    if (PQntuples(exists) == 0) {
        return true;
    }
    QUOTED name = quote_name(connection, change->name);
    RESULT databases = PQexec(connection, "SELECT datname FROM pg_database WHERE datallowconn AND "
                                          "NOT datistemplate AND datname <> 'postgres'");
    for (int i = 0; i < PQntuples(databases); i++) {
        if (!reassign_in(connect, context, PQgetvalue(databases, i, 0), name, ret_error,
                         error_bytes)) {
            return false;
        }
    }
    text_build(statement, sizeof(statement), "DROP OWNED BY %s; DROP ROLE %s", name, name);
    return sql_run(connection, statement, ret_error, error_bytes);
}

static bool drop_database(PGconn *connection, const Change *change, char *ret_error,
                          size_t error_bytes)
{
    char statement[SQL_STATEMENT_BYTES];
    QUOTED name = quote_name(connection, change->name);
    text_build(statement, sizeof(statement), "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
    return sql_run(connection, statement, ret_error, error_bytes);
}

bool sql_apply_change(PGconn *connection, const Change *change, SqlConnect connect, void *context,
                      char *ret_error, size_t error_bytes)
{
    switch (change->kind) {
    case CHANGE_CREATE_ROLE:
        return create_role(connection, change, ret_error, error_bytes);
    case CHANGE_SET_PASSWORD:
        return set_password(connection, change, ret_error, error_bytes);
    case CHANGE_DROP_ROLE:
        return drop_role(connection, change, connect, context, ret_error, error_bytes);
    case CHANGE_CREATE_DATABASE:
        return create_database(connection, change, connect, context, ret_error, error_bytes);
    case CHANGE_DROP_DATABASE:
        return drop_database(connection, change, ret_error, error_bytes);
    case CHANGE_NONE:
        return true;
    }
    return true;
}

static json_t *read_pairs(PGconn *connection, const char *query)
{
    RESULT result = PQexec(connection, query);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        return NULL;
    }
    json_t *list = json_array();
    for (int i = 0; i < PQntuples(result); i++) {
        json_array_append_new(
            list, json_pack("[s, s]", PQgetvalue(result, i, 0), PQgetvalue(result, i, 1)));
    }
    return list;
}

json_t *sql_read_contents(PGconn *connection)
{
    json_t *roles =
        read_pairs(connection, "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' "
                               "AND rolname NOT IN ('cloud_admin', 'neon_superuser') ORDER BY oid");
    json_t *databases =
        read_pairs(connection, "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE NOT "
                               "datistemplate AND datname <> 'postgres' AND datconnlimit <> -2 "
                               "ORDER BY oid");
    if (roles == NULL || databases == NULL) {
        json_decref(roles);
        json_decref(databases);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "roles", roles, "databases", databases);
}
