/* A branch's schema as SQL, on every version of PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"
#include "subject.h"

static const char MADE[] =
    "CREATE SCHEMA \"Shop\"; CREATE TYPE \"Shop\".colour AS ENUM ('red', 'it''s');"
    "CREATE TABLE \"Shop\".item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "name varchar(20) NOT NULL DEFAULT 'x', shade \"Shop\".colour);"
    "CREATE TABLE \"order\" (id bigserial PRIMARY KEY, item int REFERENCES \"Shop\".item, "
    "CHECK (item > 0));"
    "CREATE INDEX by_name ON \"Shop\".item (lower(name));"
    "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';"
    "CREATE VIEW red AS SELECT id FROM \"Shop\".item WHERE shade = 'red'";

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

static const char *path_of(const json_t *made)
{
    return box_text("/projects/%s/branches/%s/schema?db_name=neondb",
                    box_string(made, "project.id"), box_string(made, "branch.id"));
}

static void the_schema_makes_the_same_database_again(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const char *uri = NULL;
        const char *copy_uri = NULL;
        REPLY made = login_create_project(&box, versions.majors[i], &uri);
        REPLY empty = box_call(&box, "GET", path_of(made.json), NULL);
        assert_string_equal(box_string(empty.json, "sql"), "");
        login_assert(&box, uri, MADE, "");
        REPLY schema = box_call(&box, "GET", path_of(made.json), NULL);
        assert_int_equal(schema.status, 200);
        const char *sql = box_string(schema.json, "sql");
        assert_non_null(strstr(sql, "DEFAULT 'x'::character varying NOT NULL"));
        assert_non_null(strstr(sql, "CREATE INDEX by_name ON \"Shop\".item"));

        REPLY copy = login_create_project(&box, versions.majors[i], &copy_uri);
        login_assert(&box, copy_uri, sql, "");
        REPLY again = box_call(&box, "GET", path_of(copy.json), NULL);
        assert_string_equal(box_string(again.json, "sql"), sql);
    }
}

static void a_suspended_compute_stays_suspended(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    login_assert(&box, uri, "CREATE TABLE t (n int)", "");
    const char *endpoint =
        box_text("/projects/%s/endpoints/%s", id, box_string(made.json, "endpoints.0.id"));
    assert_int_equal(box_status(&box, "POST", box_text("%s/suspend", endpoint), NULL), 200);
    box_wait(&box, id);
    REPLY schema = box_call(&box, "GET", path_of(made.json), NULL);
    assert_non_null(strstr(box_string(schema.json, "sql"), "CREATE TABLE public.t"));
    REPLY got = box_call(&box, "GET", endpoint, NULL);
    assert_string_equal(box_string(got.json, "endpoint.current_state"), "idle");
    const char *folder = subject_find(&box, box_string(made.json, "branch.id"), "socket_dir");
    assert_int_not_equal(access(box_text("%s/.s.PGSQL.5432", folder), F_OK), 0);
    login_assert(&box, uri, "SELECT count(*) FROM t", "0");
}

static void a_schema_only_branch_is_a_root_without_rows(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const char *uri = NULL;
        REPLY made = login_create_project(&box, versions.majors[i], &uri);
        const char *id = box_string(made.json, "project.id");
        login_assert(&box, uri,
                     "CREATE TABLE t (n serial, name text); INSERT INTO t (name) VALUES ('a'), "
                     "('b'); CREATE MATERIALIZED VIEW m AS SELECT * FROM t",
                     "");
        REPLY branch = box_call(&box, "POST", box_text("/projects/%s/branches", id),
                                "{\"branch\":{\"init_source\":\"schema-only\"},\"endpoints\":"
                                "[{\"type\":\"read_write\"}]}");
        assert_int_equal(branch.status, 201);
        assert_string_equal(box_string(branch.json, "branch.init_source"), "schema-only");
        assert_null(box_find(branch.json, "branch.parent_id"));
        box_wait(&box, id);
        const char *bare = box_string(branch.json, "connection_uris.0.connection_uri");
        login_assert(&box, bare, "SELECT count(*) FROM t", "0");
        login_assert(&box, bare, "INSERT INTO t (name) VALUES ('c') RETURNING n", "1");
        login_assert(&box, bare, "SELECT relispopulated FROM pg_class WHERE relname = 'm'", "f");
        login_assert(&box, uri, "SELECT count(*) FROM t", "2");
        const char *path =
            box_text("/projects/%s/branches/%s", id, box_string(branch.json, "branch.id"));
        assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    }
}

static void what_has_no_schema_is_refused(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *path = path_of(made.json);
    const char *bare = box_text("%.*s", (int)(strchr(path, '?') - path), path);
    assert_int_equal(box_status(&box, "GET", bare, NULL), 400);
    assert_int_equal(box_status(&box, "GET", box_text("%s?db_name=none", bare), NULL), 404);
    assert_int_equal(box_status(&box, "GET", box_text("%s&timestamp=then", path), NULL), 400);
    REPLY past = box_call(&box, "GET", box_text("%s&lsn=0/1", path), NULL);
    box_assert_error(&past, 400, "", "not supported by this sandbox");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_makes_the_same_database_again),
        cmocka_unit_test(a_suspended_compute_stays_suspended),
        cmocka_unit_test(a_schema_only_branch_is_a_root_without_rows),
        cmocka_unit_test(what_has_no_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
