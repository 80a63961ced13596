/* Branches as real PostgreSQL clusters: logins, privileges, copies, passwords, suspension,
 * clean-up. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "box.h"

enum { ARGUMENTS_MAX = 32, TEXT_BYTES = 4096 };

static Box box;
static const char *arguments[ARGUMENTS_MAX];
static const char *majors[8];
static int major_count;

static void add_version(int *count, const char *prefix)
{
    const char *version = strrchr(prefix, '/') + 1;
    const char *major = box_text("%.2s", version + strcspn(version, "0123456789"));
    for (int i = 0; i < major_count; i++) {
        if (strcmp(majors[i], major) == 0) {
            return;
        }
    }
    arguments[(*count)++] = "--postgres";
    arguments[(*count)++] = prefix;
    majors[major_count++] = major;
}

/* PostgreSQL 15 always; what PROVISION_POSTGRES_DIRS names beside it (prefixes, with colons
 * between). */
static void build_arguments(void)
{
    int count = 0;
    arguments[count++] = "--operation-ms";
    arguments[count++] = "50";
    add_version(&count, "/usr/lib/postgresql/15");
    const char *rest = getenv("PROVISION_POSTGRES_DIRS");
    while (rest != NULL && *rest != '\0') {
        size_t length = strcspn(rest, ":");
        add_version(&count, box_text("%.*s", (int)length, rest));
        rest += rest[length] == ':' ? length + 1 : length;
    }
    arguments[count] = NULL;
}

static int start(void **state)
{
    (void)state;
    build_arguments();
    box_start(&box, arguments);
    return 0;
}

static const char *verified(const char *uri)
{
    const char *mode = strstr(uri, "sslmode=require");
    assert_non_null(mode);
    return box_text("%.*ssslmode=verify-full%s&sslrootcert=%s&connect_timeout=20",
                    (int)(mode - uri), uri, mode + strlen("sslmode=require"), box.ca_file);
}

/* The first value of a query's first row; NULL when login or query fail, their message in
 * ret_error. */
static const char *query(const char *uri, const char *sql, const char **ret_error)
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

static void assert_query(const char *uri, const char *sql, const char *wanted)
{
    const char *error = NULL;
    const char *value = query(verified(uri), sql, &error);
    if (value == NULL) {
        fail_msg("%s: %s", sql, error);
        return;
    }
    assert_string_equal(value, wanted);
}

/* A project with that version, and the URI of its owner. */
static Reply create_project(const char *major, const char **ret_uri)
{
    Reply made = box_create_project(
        &box, box_text("{\"project\":{\"name\":\"pg%s\",\"pg_version\":%s}}", major, major));
    *ret_uri = box_text("%s", box_string(made.json, "connection_uris.0.connection_uri"));
    return made;
}

static Reply create_branch(const char *project_id, const char *name, const char **ret_uri)
{
    Reply made = box_call(
        &box, "POST", box_text("/projects/%s/branches", project_id),
        box_text("{\"branch\":{\"name\":\"%s\"},\"endpoints\":[{\"type\":\"read_write\"}]}", name));
    assert_int_equal(made.status, 201);
    box_wait(&box, project_id);
    *ret_uri = box_text("%s", box_string(made.json, "connection_uris.0.connection_uri"));
    return made;
}

static void the_owner_logs_in_with_a_verified_certificate_on_every_version(void **state)
{
    (void)state;
    for (int i = 0; i < major_count; i++) {
        const char *uri = NULL;
        REPLY made = create_project(majors[i], &uri);
        assert_query(uri, "SELECT current_user", "neondb_owner");
        assert_query(uri, "SELECT current_setting('server_version_num')::int / 10000", majors[i]);
        REPLY pooled = box_call(&box, "GET",
                                box_text("/projects/%s/connection_uri?database_name=neondb&"
                                         "role_name=neondb_owner&pooled=true",
                                         box_string(made.json, "project.id")),
                                NULL);
        assert_query(box_string(pooled.json, "uri"), "SELECT current_database()", "neondb");
    }
}

static void a_login_without_tls_or_as_the_superuser_is_refused(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = create_project("15", &uri);
    const char *error = NULL;
    const char *mode = strstr(uri, "sslmode=require");
    const char *plain = box_text("%.*ssslmode=disable&hostaddr=127.0.0.1", (int)(mode - uri), uri);
    assert_null(query(plain, "SELECT 1", &error));
    assert_non_null(strstr(error, "no encryption"));
    const char *admin = box_text("postgresql://cloud_admin:x@%s", strchr(uri, '@') + 1);
    assert_null(query(verified(admin), "SELECT 1", &error));
    assert_non_null(strstr(error, "pg_hba.conf rejects"));
}

static void roles_have_neons_attributes_and_rights(void **state)
{
    (void)state;
    for (int i = 0; i < major_count; i++) {
        const char *uri = NULL;
        const char *error = NULL;
        REPLY made = create_project(majors[i], &uri);
        assert_query(uri,
                     "SELECT concat_ws(',', rolsuper, rolinherit, rolcreaterole, rolcreatedb, "
                     "rolcanlogin, rolreplication, rolbypassrls) FROM pg_roles "
                     "WHERE rolname = 'neondb_owner'",
                     "f,t,t,t,t,t,t");
        assert_query(
            uri,
            "SELECT string_agg(g.rolname || ' ' || m.admin_option, ',' ORDER BY g.rolname) "
            "FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
            "JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = 'neondb_owner'",
            "neon_superuser false");
        assert_query(uri,
                     "SELECT string_agg(g.rolname, ',' ORDER BY g.rolname) FROM pg_auth_members m "
                     "JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member "
                     "WHERE u.rolname = 'neon_superuser' AND m.admin_option",
                     "pg_monitor,pg_signal_backend");
        assert_query(uri, "SELECT has_database_privilege('neon_superuser', 'neondb', 'CREATE')",
                     "t");
        /* 16 took the right to give away what one has no ADMIN on. */
        const char *given =
            query(verified(uri), "CREATE ROLE plain; GRANT pg_read_all_data TO plain", &error);
        assert_true((given != NULL) == (strcmp(majors[i], "15") == 0));
        assert_null(query(verified(uri), "ALTER SYSTEM SET work_mem = '1MB'", &error));
    }
}

static void a_branch_sees_its_parents_data_and_goes_its_own_way(void **state)
{
    (void)state;
    for (int i = 0; i < major_count; i++) {
        const char *uri = NULL;
        const char *child = NULL;
        REPLY made = create_project(majors[i], &uri);
        assert_query(uri, "CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 1000)",
                     "");
        REPLY branch = create_branch(box_string(made.json, "project.id"), "dev", &child);
        assert_query(child, "SELECT count(*) FROM t", "1000");
        assert_query(child, "DELETE FROM t WHERE i > 10", "");
        assert_query(uri, "INSERT INTO t VALUES (0)", "");
        assert_query(child, "SELECT count(*) FROM t", "10");
        assert_query(uri, "SELECT count(*) FROM t", "1001");
    }
}

static void a_branch_of_a_parent_that_is_written_to_is_consistent(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *child = NULL;
    REPLY made = create_project("15", &uri);
    const char *id = box_string(made.json, "project.id");
    /* The sums agree after each transaction, and only then. */
    assert_query(uri,
                 "CREATE TABLE a (n bigint); INSERT INTO a VALUES (0);"
                 "CREATE TABLE b (n bigint, filler text); INSERT INTO b VALUES (0, '')",
                 "");
    PGconn *writer = PQconnectdb(verified(uri));
    assert_int_equal(PQstatus(writer), CONNECTION_OK);
    assert_int_equal(PQsendQuery(writer,
                                 "DO $$ BEGIN FOR i IN 1..100000 LOOP UPDATE a SET n = n + 1; "
                                 "INSERT INTO b VALUES (1, repeat('x', 500)); COMMIT; END LOOP; "
                                 "END $$"),
                     1);
    for (int i = 0; i < 3; i++) {
        REPLY branch = create_branch(id, box_text("during-%d", i), &child);
        assert_query(child, "SELECT (SELECT n FROM a) = (SELECT sum(n) FROM b)", "t");
        assert_query(child, "SELECT n > 0 FROM a", "t");
    }
    assert_int_equal(PQisBusy(writer), 1); /* it did write all the while */
    PGcancel *cancel = PQgetCancel(writer);
    char error[256];
    PQcancel(cancel, error, sizeof(error));
    PQfreeCancel(cancel);
    PQfinish(writer);
}

static void a_reset_password_replaces_the_old_one_when_its_operation_ends(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *error = NULL;
    REPLY made = create_project("15", &uri);
    const char *id = box_string(made.json, "project.id");
    const char *branch = box_string(made.json, "branch.id");
    const char *roles = box_text("/projects/%s/branches/%s/roles/neondb_owner", id, branch);
    box_fault(&box, "{\"kind\":\"operation_ms\",\"ms\":400}");
    REPLY reset = box_call(&box, "POST", box_text("%s/reset_password", roles), NULL);
    assert_int_equal(reset.status, 200);
    assert_query(uri, "SELECT 1", "1");
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", "/sandbox/faults", NULL), 204);
    assert_null(query(verified(uri), "SELECT 1", &error));
    assert_non_null(strstr(error, "password authentication failed"));
    REPLY shown = box_call(&box, "GET", box_text("%s/reveal_password", roles), NULL);
    assert_string_equal(box_string(shown.json, "password"),
                        box_string(reset.json, "role.password"));
    REPLY fresh = box_call(&box, "GET",
                           box_text("/projects/%s/connection_uri?database_name=neondb&"
                                    "role_name=neondb_owner&pooled=false",
                                    id),
                           NULL);
    assert_query(box_string(fresh.json, "uri"), "SELECT 1", "1");
}

static bool lists(const char *path, const char *list, const char *name)
{
    REPLY reply = box_call(&box, "GET", path, NULL);
    assert_int_equal(reply.status, 200);
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(box_find(reply.json, list), i, item)
    {
        if (strcmp(box_string(item, "name"), name) == 0) {
            return true;
        }
    }
    return false;
}

static void roles_and_databases_made_by_sql_are_listed(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = create_project("15", &uri);
    const char *branch = box_text("/projects/%s/branches/%s", box_string(made.json, "project.id"),
                                  box_string(made.json, "branch.id"));
    const char *roles = box_text("%s/roles", branch);
    const char *databases = box_text("%s/databases", branch);
    assert_query(uri, "CREATE ROLE svc_x LOGIN PASSWORD 'a-Password-of-24-chars!!'", "");
    assert_query(uri, "CREATE DATABASE by_sql", "");
    assert_true(lists(roles, "roles", "svc_x"));
    assert_true(lists(databases, "databases", "by_sql"));
    assert_int_equal(box_status(&box, "GET", box_text("%s/svc_x", roles), NULL), 200);
    assert_query(uri, "DROP DATABASE by_sql", "");
    assert_query(uri, "DROP ROLE svc_x", "");
    assert_false(lists(roles, "roles", "svc_x"));
    assert_false(lists(databases, "databases", "by_sql"));
}

static void roles_and_databases_made_by_the_api_exist_in_the_cluster(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = create_project("15", &uri);
    const char *id = box_string(made.json, "project.id");
    const char *branch =
        box_text("/projects/%s/branches/%s", id, box_string(made.json, "branch.id"));
    REPLY role = box_call(&box, "POST", box_text("%s/roles", branch),
                          "{\"role\":{\"name\":\"odd \\\"name\"}}");
    assert_int_equal(role.status, 201);
    box_wait(&box, id);
    assert_int_equal(
        box_status(&box, "POST", box_text("%s/databases", branch),
                   "{\"database\":{\"name\":\"app 1\",\"owner_name\":\"odd \\\"name\"}}"),
        201);
    box_wait(&box, id);
    REPLY login = box_call(&box, "GET",
                           box_text("/projects/%s/connection_uri?database_name=app%%201&"
                                    "role_name=odd%%20%%22name&pooled=false",
                                    id),
                           NULL);
    assert_query(box_string(login.json, "uri"), "CREATE TABLE mine (); SELECT current_user",
                 "odd \"name");
    assert_int_equal(box_status(&box, "DELETE", box_text("%s/databases/app%%201", branch), NULL),
                     200);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", box_text("%s/roles/odd%%20%%22name", branch), NULL),
                     200);
    box_wait(&box, id);
    assert_query(uri, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'odd%'", "0");
    assert_query(uri, "SELECT count(*) FROM pg_database WHERE datname = 'app 1'", "0");
}

/* An endpoint's path and the state it is waited for. */
typedef struct WantedState {
    const char *path;
    const char *state;
} WantedState;

static bool has_state(void *argument)
{
    const WantedState *wanted = argument;
    REPLY reply = box_call(&box, "GET", wanted->path, NULL);
    return strcmp(box_string(reply.json, "endpoint.current_state"), wanted->state) == 0;
}

static void a_suspended_endpoint_wakes_on_the_first_login(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = create_project("15", &uri);
    const char *id = box_string(made.json, "project.id");
    WantedState wanted = {
        box_text("/projects/%s/endpoints/%s", id, box_string(made.json, "endpoints.0.id")), "idle"};
    assert_query(uri, "CREATE TABLE kept (); SELECT 1", "1");
    assert_int_equal(box_status(&box, "POST", box_text("%s/suspend", wanted.path), NULL), 200);
    box_wait(&box, id);
    assert_true(has_state(&wanted));
    assert_query(uri, "SELECT count(*) FROM kept", "0");
    wanted.state = "active";
    assert_true(has_state(&wanted));
}

static void an_endpoint_refuses_the_logins_a_fault_names(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *error = NULL;
    REPLY made = create_project("15", &uri);
    box_fault(&box, box_text("{\"kind\":\"endpoint_refuses\",\"count\":2,\"match\":\"%s\"}",
                             box_string(made.json, "endpoints.0.id")));
    for (int i = 0; i < 2; i++) {
        assert_null(query(verified(uri), "SELECT 1", &error));
        assert_non_null(strstr(error, "Couldn't connect to compute node"));
    }
    assert_query(uri, "SELECT 1", "1");
}

static void a_deleted_branch_takes_no_logins(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *child = NULL;
    REPLY made = create_project("15", &uri);
    const char *id = box_string(made.json, "project.id");
    REPLY branch = create_branch(id, "gone", &child);
    assert_query(child, "SELECT 1", "1");
    const char *path =
        box_text("/projects/%s/branches/%s", id, box_string(branch.json, "branch.id"));
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    box_wait(&box, id);
    assert_null(query(verified(child), "SELECT 1", NULL));
    assert_query(uri, "SELECT 1", "1");
    assert_int_equal(
        access(box_text("%s/clusters/%s", box.dir, box_string(branch.json, "branch.id")), F_OK),
        -1);
}

/* How many processes work in a folder below the box's. */
static int count_processes(void)
{
    int count = 0;
    DIR *list = opendir("/proc");
    assert_non_null(list);
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        char cwd[512];
        char path[300];
        snprintf(path, sizeof(path), "/proc/%s/cwd", entry->d_name);
        ssize_t length = readlink(path, cwd, sizeof(cwd) - 1);
        if (length > 0) {
            cwd[length] = '\0';
            count += strncmp(cwd, box.dir, strlen(box.dir)) == 0 ? 1 : 0;
        }
    }
    closedir(list);
    return count;
}

static bool has_no_process(void *argument)
{
    (void)argument;
    return count_processes() == 0;
}

static void a_killed_sandbox_leaves_nothing_to_the_next(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = create_project("15", &uri);
    assert_true(count_processes() > 0);
    box_kill(&box);
    box_restart(&box, arguments);
    box_until(has_no_process, NULL, 10);
    REPLY list = box_call(&box, "GET", "/projects", NULL);
    assert_int_equal(json_array_size(box_find(list.json, "projects")), 0);
    REPLY again = create_project("15", &uri);
    assert_query(uri, "SELECT 1", "1");
}

static void idle_endpoints_suspend_by_themselves(void **state)
{
    (void)state;
    static const char *const QUICK[] = {"--operation-ms", "20", "--suspend-ms", "300", NULL};
    Box others = box;
    box_start(&box, QUICK);
    const char *uri = NULL;
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    uri = box_string(made.json, "connection_uris.0.connection_uri");
    PGconn *held = PQconnectdb(verified(uri));
    assert_int_equal(PQstatus(held), CONNECTION_OK);
    PQclear(PQexec(held, "SELECT pg_sleep(0.8)"));
    WantedState wanted = {box_text("/projects/%s/endpoints/%s", box_string(made.json, "project.id"),
                                   box_string(made.json, "endpoints.0.id")),
                          "active"};
    assert_true(has_state(&wanted));
    PQfinish(held);
    wanted.state = "idle";
    box_until(has_state, &wanted, 10);
    assert_query(uri, "SELECT 1", "1");
    box_stop(&box);
    box = others;
}

static void a_stop_leaves_no_process_and_no_file(void **state)
{
    (void)state;
    assert_true(count_processes() > 0);
    box_stop(&box);
    assert_int_equal(count_processes(), 0);
    assert_int_equal(access(box.dir, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_logs_in_with_a_verified_certificate_on_every_version),
        cmocka_unit_test(a_login_without_tls_or_as_the_superuser_is_refused),
        cmocka_unit_test(roles_have_neons_attributes_and_rights),
        cmocka_unit_test(a_branch_sees_its_parents_data_and_goes_its_own_way),
        cmocka_unit_test(a_branch_of_a_parent_that_is_written_to_is_consistent),
        cmocka_unit_test(a_reset_password_replaces_the_old_one_when_its_operation_ends),
        cmocka_unit_test(roles_and_databases_made_by_sql_are_listed),
        cmocka_unit_test(roles_and_databases_made_by_the_api_exist_in_the_cluster),
        cmocka_unit_test(a_suspended_endpoint_wakes_on_the_first_login),
        cmocka_unit_test(an_endpoint_refuses_the_logins_a_fault_names),
        cmocka_unit_test(a_deleted_branch_takes_no_logins),
        cmocka_unit_test(idle_endpoints_suspend_by_themselves),
        cmocka_unit_test(a_killed_sandbox_leaves_nothing_to_the_next),
        cmocka_unit_test(a_stop_leaves_no_process_and_no_file),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
