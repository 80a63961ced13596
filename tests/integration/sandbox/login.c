#include "login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

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
