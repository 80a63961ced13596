#include "login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

static void add_version(LoginVersions *versions, int *count, const char *prefix)
{
    const char *version = strrchr(prefix, '/') + 1;
    const char *major = box_text("%.2s", version + strcspn(version, "0123456789"));
    for (int i = 0; i < versions->count; i++) {
        if (strcmp(versions->majors[i], major) == 0) {
            return;
        }
    }
    versions->arguments[(*count)++] = "--postgres";
    versions->arguments[(*count)++] = prefix;
    versions->majors[versions->count++] = major;
}

LoginVersions login_list_versions(const char *option, const char *value)
{
    LoginVersions versions = {{option, value}, {NULL}, 0};
    int count = 2;
    add_version(&versions, &count, "/usr/lib/postgresql/15");
    const char *rest = getenv("PROVISION_POSTGRES_DIRS");
    while (rest != NULL && *rest != '\0') {
        size_t length = strcspn(rest, ":");
        add_version(&versions, &count, box_text("%.*s", (int)length, rest));
        rest += rest[length] == ':' ? length + 1 : length;
    }
    return versions;
}

const char *login_verify(const Box *box, const char *uri)
{
    const char *mode = strstr(uri, "sslmode=require");
    assert_non_null(mode);
    return box_text("%.*ssslmode=verify-full%s&sslrootcert=%s&connect_timeout=20",
                    (int)(mode - uri), uri, mode + strlen("sslmode=require"), box->ca_file);
}

/* The first value of a query's first row; NULL when login or query fail, their message in
 * ret_error. */
const char *login_query(const char *uri, const char *sql, const char **ret_error)
{
    PGconn *connection = PQconnectdb(uri);
    const char *value = NULL;
    const char *message = PQerrorMessage(connection);
    PGresult *result = NULL;
    if (PQstatus(connection) == CONNECTION_OK) {
        result = PQexec(connection, sql);
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            value = box_text("%s", PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0));
        }
        message = PQerrorMessage(connection);
    }
    if (ret_error != NULL) {
        *ret_error = box_text("%s", message);
    }
    PQclear(result);
    PQfinish(connection);
    return value;
}

void login_assert(const Box *box, const char *uri, const char *sql, const char *wanted)
{
    const char *error = NULL;
    const char *value = login_query(login_verify(box, uri), sql, &error);
    if (value == NULL) {
        fail_msg("%s: %s", sql, error);
        return;
    }
    assert_string_equal(value, wanted);
}

typedef struct Awaited {
    const char *uri;
    const char *sql;
    const char *wanted;
} Awaited;

static bool is_so(void *argument)
{
    const Awaited *awaited = argument;
    const char *value = login_query(awaited->uri, awaited->sql, NULL);
    return value != NULL && strcmp(value, awaited->wanted) == 0;
}

void login_await(const Box *box, const char *uri, const char *sql, const char *wanted)
{
    Awaited awaited = {login_verify(box, uri), sql, wanted};
    box_until(is_so, &awaited, 30);
}

/* A project with that version, and the URI of its owner. */
Reply login_create_project(const Box *box, const char *major, const char **ret_uri)
{
    Reply made = box_create_project(
        box, box_text("{\"project\":{\"name\":\"pg%s\",\"pg_version\":%s}}", major, major));
    *ret_uri = box_text("%s", box_string(made.json, "connection_uris.0.connection_uri"));
    return made;
}

Reply login_create_branch(const Box *box, const char *project_id, const char *name,
                          const char **ret_uri)
{
    Reply made = box_call(
        box, "POST", box_text("/projects/%s/branches", project_id),
        box_text("{\"branch\":{\"name\":\"%s\"},\"endpoints\":[{\"type\":\"read_write\"}]}", name));
    assert_int_equal(made.status, 201);
    box_wait(box, project_id);
    *ret_uri = box_text("%s", box_string(made.json, "connection_uris.0.connection_uri"));
    return made;
}
