#include "support/login.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"

static const char *text_at(const Seen *seen, const char *body, const char *member)
{
    return box_text("%s", seen_text(seen, box_text("%s.environment.%s", body, member)));
}

Environment login_environment(const Seen *seen)
{
    bool is_branch = strcmp(seen_type(seen), "EnvironmentBranched") == 0;
    const char *body = is_branch ? "environmentBranched" : "environmentCreated";
    const char *port = box_text("%s.environment.port", body);
    return (Environment){
        .name = text_at(seen, body, "environment"),
        .project_id = text_at(seen, body, "projectId"),
        .branch_id = text_at(seen, body, "branchId"),
        .host = text_at(seen, body, "host"),
        .pooled_host = text_at(seen, body, "pooledHost"),
        .port = (int)seen_number(seen, port),
        .database = text_at(seen, body, "databases.0"),
        .role = text_at(seen, body, "roles.0"),
    };
}

PGconn *login_open(World *world, const Environment *environment, const char *password)
{
    const char *port = box_text("%d", environment->port);
    const char *const names[] = {"host",     "hostaddr", "port",        "dbname",          "user",
                                 "password", "sslmode",  "sslrootcert", "connect_timeout", NULL};
    const char *const values[] = {environment->host,
                                  "127.0.0.1",
                                  port,
                                  environment->database,
                                  environment->role,
                                  password,
                                  "verify-full",
                                  world->box.ca_file,
                                  "20",
                                  NULL};
    PGconn *connection = PQconnectdbParams(names, values, 0);
    if (PQstatus(connection) == CONNECTION_OK) {
        return connection;
    }
    if (strstr(PQerrorMessage(connection), "password authentication failed") == NULL) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    PQfinish(connection);
    return NULL;
}

PGconn *login_revealed(World *world, const Environment *environment)
{
    const char *password =
        sandbox_password(world, environment->project_id, environment->branch_id, environment->role);
    PGconn *connection = login_open(world, environment, password);
    assert_non_null(connection);
    return connection;
}

const char *login_value(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    const char *value = box_text("%s", PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}
