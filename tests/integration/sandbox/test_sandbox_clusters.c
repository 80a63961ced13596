/* Branches as real PostgreSQL clusters: logins, privileges, copies, passwords, suspension,
 * clean-up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "box.h"
#include "login.h"

static Box box;
static LoginVersions versions;

static int start(void **state)
{
    (void)state;
    versions = login_list_versions("--operation-ms", "50");
    box_start(&box, versions.arguments);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void the_owner_logs_in_with_a_verified_certificate_on_every_version(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const char *uri = NULL;
        REPLY made = login_create_project(&box, versions.majors[i], &uri);
        login_assert(&box, uri, "SELECT current_user", "neondb_owner");
        login_assert(&box, uri, "SELECT current_setting('server_version_num')::int / 10000",
                     versions.majors[i]);
        REPLY pooled = box_call(&box, "GET",
                                box_text("/projects/%s/connection_uri?database_name=neondb&"
                                         "role_name=neondb_owner&pooled=true",
                                         box_string(made.json, "project.id")),
                                NULL);
        login_assert(&box, box_string(pooled.json, "uri"), "SELECT current_database()", "neondb");
    }
}

static void a_login_without_tls_or_as_the_superuser_is_refused(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *error = NULL;
    const char *mode = strstr(uri, "sslmode=require");
    const char *plain = box_text("%.*ssslmode=disable&hostaddr=127.0.0.1", (int)(mode - uri), uri);
    assert_null(login_query(plain, "SELECT 1", &error));
    assert_non_null(strstr(error, "no encryption"));
    const char *admin = box_text("postgresql://cloud_admin:x@%s", strchr(uri, '@') + 1);
    assert_null(login_query(login_verify(&box, admin), "SELECT 1", &error));
    assert_non_null(strstr(error, "pg_hba.conf rejects"));
}

static void roles_have_neons_attributes_and_rights(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const char *uri = NULL;
        const char *error = NULL;
        REPLY made = login_create_project(&box, versions.majors[i], &uri);
        login_assert(&box, uri,
                     "SELECT concat_ws(',', rolsuper, rolinherit, rolcreaterole, rolcreatedb, "
                     "rolcanlogin, rolreplication, rolbypassrls) FROM pg_roles "
                     "WHERE rolname = 'neondb_owner'",
                     "f,t,t,t,t,t,t");
        login_assert(
            &box, uri,
            "SELECT string_agg(g.rolname || ' ' || m.admin_option, ',' ORDER BY g.rolname) "
            "FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
            "JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = 'neondb_owner'",
            "neon_superuser false");
        login_assert(&box, uri,
                     "SELECT string_agg(g.rolname, ',' ORDER BY g.rolname) FROM pg_auth_members m "
                     "JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member "
                     "WHERE u.rolname = 'neon_superuser' AND m.admin_option",
                     "pg_monitor,pg_signal_backend");
        login_assert(&box, uri,
                     "SELECT has_database_privilege('neon_superuser', 'neondb', 'CREATE')", "t");
        /* 16 took the right to give away what one has no ADMIN on. */
        const char *given = login_query(
            login_verify(&box, uri), "CREATE ROLE plain; GRANT pg_read_all_data TO plain", &error);
        assert_true((given != NULL) == (strcmp(versions.majors[i], "15") == 0));
        assert_null(
            login_query(login_verify(&box, uri), "ALTER SYSTEM SET work_mem = '1MB'", &error));
    }
}

static void a_branch_sees_its_parents_data_and_goes_its_own_way(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const char *uri = NULL;
        const char *child = NULL;
        REPLY made = login_create_project(&box, versions.majors[i], &uri);
        login_assert(&box, uri,
                     "CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 1000)", "");
        REPLY branch =
            login_create_branch(&box, box_string(made.json, "project.id"), "dev", &child);
        login_assert(&box, child, "SELECT count(*) FROM t", "1000");
        login_assert(&box, child, "DELETE FROM t WHERE i > 10", "");
        login_assert(&box, uri, "INSERT INTO t VALUES (0)", "");
        login_assert(&box, child, "SELECT count(*) FROM t", "10");
        login_assert(&box, uri, "SELECT count(*) FROM t", "1001");
    }
}

static void a_branch_of_a_parent_that_is_written_to_is_consistent(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *child = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    /* The sums agree after each transaction, and only then. */
    login_assert(&box, uri,
                 "CREATE TABLE a (n bigint); INSERT INTO a VALUES (0);"
                 "CREATE TABLE b (n bigint, filler text); INSERT INTO b VALUES (0, '')",
                 "");
    PGconn *writer = PQconnectdb(login_verify(&box, uri));
    assert_int_equal(PQstatus(writer), CONNECTION_OK);
    assert_int_equal(PQsendQuery(writer,
                                 "DO $$ BEGIN FOR i IN 1..100000 LOOP UPDATE a SET n = n + 1; "
                                 "INSERT INTO b VALUES (1, repeat('x', 500)); COMMIT; END LOOP; "
                                 "END $$"),
                     1);
    for (int i = 0; i < 3; i++) {
        REPLY branch = login_create_branch(&box, id, box_text("during-%d", i), &child);
        login_assert(&box, child, "SELECT (SELECT n FROM a) = (SELECT sum(n) FROM b)", "t");
        login_assert(&box, child, "SELECT n > 0 FROM a", "t");
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
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    const char *branch = box_string(made.json, "branch.id");
    const char *roles = box_text("/projects/%s/branches/%s/roles/neondb_owner", id, branch);
    box_fault(&box, "{\"kind\":\"operation_ms\",\"ms\":400}");
    REPLY reset = box_call(&box, "POST", box_text("%s/reset_password", roles), NULL);
    assert_int_equal(reset.status, 200);
    login_assert(&box, uri, "SELECT 1", "1");
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", "/sandbox/faults", NULL), 204);
    assert_null(login_query(login_verify(&box, uri), "SELECT 1", &error));
    assert_non_null(strstr(error, "password authentication failed"));
    REPLY shown = box_call(&box, "GET", box_text("%s/reveal_password", roles), NULL);
    assert_string_equal(box_string(shown.json, "password"),
                        box_string(reset.json, "role.password"));
    REPLY fresh = box_call(&box, "GET",
                           box_text("/projects/%s/connection_uri?database_name=neondb&"
                                    "role_name=neondb_owner&pooled=false",
                                    id),
                           NULL);
    login_assert(&box, box_string(fresh.json, "uri"), "SELECT 1", "1");
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
    REPLY made = login_create_project(&box, "15", &uri);
    const char *branch = box_text("/projects/%s/branches/%s", box_string(made.json, "project.id"),
                                  box_string(made.json, "branch.id"));
    const char *roles = box_text("%s/roles", branch);
    const char *databases = box_text("%s/databases", branch);
    login_assert(&box, uri, "CREATE ROLE svc_x LOGIN PASSWORD 'a-Password-of-24-chars!!'", "");
    login_assert(&box, uri, "CREATE DATABASE by_sql", "");
    assert_true(lists(roles, "roles", "svc_x"));
    assert_true(lists(databases, "databases", "by_sql"));
    assert_int_equal(box_status(&box, "GET", box_text("%s/svc_x", roles), NULL), 200);
    login_assert(&box, uri, "DROP DATABASE by_sql", "");
    login_assert(&box, uri, "DROP ROLE svc_x", "");
    assert_false(lists(roles, "roles", "svc_x"));
    assert_false(lists(databases, "databases", "by_sql"));
}

static void roles_and_databases_made_by_the_api_exist_in_the_cluster(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
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
    login_assert(&box, box_string(login.json, "uri"), "CREATE TABLE mine (); SELECT current_user",
                 "odd \"name");
    assert_int_equal(box_status(&box, "DELETE", box_text("%s/databases/app%%201", branch), NULL),
                     200);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", box_text("%s/roles/odd%%20%%22name", branch), NULL),
                     200);
    box_wait(&box, id);
    login_assert(&box, uri, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'odd%'", "0");
    login_assert(&box, uri, "SELECT count(*) FROM pg_database WHERE datname = 'app 1'", "0");
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
    };
    return cmocka_run_group_tests(tests, start, stop);
}
