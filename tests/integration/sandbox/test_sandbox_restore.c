/* Restore of a branch, with clusters: whose data it has after, what is kept and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"

static Box box;

static int start(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "50", NULL};
    box_start(&box, ARGUMENTS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

/* A project with a branch `dev`, each with a table that tells it. */
typedef struct Family {
    const char *project;
    const char *main_id;
    const char *main_uri;
    const char *dev_id;
    const char *dev_uri;
} Family;

static Family make_family(void)
{
    Family family;
    REPLY made = login_create_project(&box, "15", &family.main_uri);
    family.project = box_text("%s", box_string(made.json, "project.id"));
    family.main_id = box_text("%s", box_string(made.json, "branch.id"));
    login_assert(&box, family.main_uri, "CREATE TABLE t AS SELECT 'main' AS name", "");
    REPLY dev = login_create_branch(&box, family.project, "dev", &family.dev_uri);
    family.dev_id = box_text("%s", box_string(dev.json, "branch.id"));
    login_assert(&box, family.dev_uri, "UPDATE t SET name = 'dev'", "");
    return family;
}

static const char *path_of(const Family *family, const char *branch_id, const char *rest)
{
    return box_text("/projects/%s/branches/%s%s", family->project, branch_id, rest);
}

static void restore(const Family *family, const char *branch_id, const char *body)
{
    REPLY reply = box_call(&box, "POST", path_of(family, branch_id, "/restore"), body);
    assert_int_equal(reply.status, 200);
    assert_string_equal(box_string(reply.json, "branch.current_state"), "resetting");
    assert_string_equal(box_string(reply.json, "operations.1.action"), "create_branch");
    box_wait(&box, family->project);
}

static void a_branch_is_reset_to_its_parent(void **state)
{
    (void)state;
    Family family = make_family();
    /* A new password is the branch's own, and stays. */
    REPLY reset = box_call(
        &box, "POST", path_of(&family, family.dev_id, "/roles/neondb_owner/reset_password"), NULL);
    const char *password = box_string(reset.json, "role.password");
    box_wait(&box, family.project);
    REPLY role = box_call(&box, "POST", path_of(&family, family.dev_id, "/roles"),
                          "{\"role\":{\"name\":\"passing\"}}");
    assert_int_equal(role.status, 201);
    box_wait(&box, family.project);
    login_assert(&box, family.main_uri, "CREATE ROLE later", "");
    restore(&family, family.dev_id, box_text("{\"source_branch_id\":\"%s\"}", family.main_id));

    REPLY uri = box_call(&box, "GET",
                         box_text("/projects/%s/connection_uri?branch_id=%s&role_name=neondb_owner"
                                  "&database_name=neondb&pooled=false",
                                  family.project, family.dev_id),
                         NULL);
    assert_non_null(strstr(box_string(uri.json, "uri"), password));
    login_assert(&box, box_string(uri.json, "uri"), "SELECT name FROM t", "main");
    assert_null(login_query(login_verify(&box, family.dev_uri), "SELECT 1", NULL));
    assert_int_equal(
        box_status(&box, "GET", path_of(&family, family.dev_id, "/roles/passing"), NULL), 404);
    assert_int_equal(box_status(&box, "GET", path_of(&family, family.dev_id, "/roles/later"), NULL),
                     200);
    REPLY got = box_call(&box, "GET", path_of(&family, family.dev_id, ""), NULL);
    assert_string_equal(box_string(got.json, "branch.name"), "dev");
    assert_string_equal(box_string(got.json, "branch.parent_id"), family.main_id);
    assert_non_null(box_find(got.json, "branch.last_reset_at"));
}

static void what_was_there_is_kept_under_the_name_that_is_given(void **state)
{
    (void)state;
    Family family = make_family();
    const char *body = box_text("{\"source_branch_id\":\"%s\"}", family.dev_id);
    REPLY refused = box_call(&box, "POST", path_of(&family, family.main_id, "/restore"), body);
    box_assert_error(&refused, 422, "", "preserve_under_name");
    restore(&family, family.main_id,
            box_text("{\"source_branch_id\":\"%s\",\"preserve_under_name\":\"what-was\"}",
                     family.dev_id));
    login_assert(&box, family.main_uri, "SELECT name FROM t", "dev");
    REPLY list = box_call(&box, "GET",
                          box_text("/projects/%s/branches?search=what-was", family.project), NULL);
    const char *old_id = box_text("%s", box_string(list.json, "branches.0.id"));
    assert_null(box_find(list.json, "branches.0.parent_id"));
    REPLY main = box_call(&box, "GET", path_of(&family, family.main_id, ""), NULL);
    assert_string_equal(box_string(main.json, "branch.parent_id"), family.dev_id);
    assert_true(json_is_true(box_find(main.json, "branch.default")));
    REPLY dev = box_call(&box, "GET", path_of(&family, family.dev_id, ""), NULL);
    assert_string_equal(box_string(dev.json, "branch.parent_id"), old_id);

    /* The old data is there once it gets a compute. */
    REPLY endpoint =
        box_call(&box, "POST", box_text("/projects/%s/endpoints", family.project),
                 box_text("{\"endpoint\":{\"branch_id\":\"%s\",\"type\":\"read_write\"}}", old_id));
    assert_int_equal(endpoint.status, 201);
    box_wait(&box, family.project);
    REPLY uri = box_call(&box, "GET",
                         box_text("/projects/%s/connection_uri?branch_id=%s&role_name=neondb_owner"
                                  "&database_name=neondb&pooled=false",
                                  family.project, old_id),
                         NULL);
    login_assert(&box, box_string(uri.json, "uri"), "SELECT name FROM t", "main");
}

static void a_branch_is_restored_from_itself_only_with_a_name_and_a_point(void **state)
{
    (void)state;
    Family family = make_family();
    const char *path = path_of(&family, family.dev_id, "/restore");
    REPLY nameless =
        box_call(&box, "POST", path,
                 box_text("{\"source_branch_id\":\"%s\",\"source_lsn\":\"0/1\"}", family.dev_id));
    box_assert_error(&nameless, 422, "", "preserve_under_name");
    REPLY pointless = box_call(
        &box, "POST", path,
        box_text("{\"source_branch_id\":\"%s\",\"preserve_under_name\":\"x\"}", family.dev_id));
    box_assert_error(&pointless, 422, "", "source_timestamp or source_lsn is required");
}

static void what_may_not_be_restored_is_refused(void **state)
{
    (void)state;
    Family family = make_family();
    const char *path = path_of(&family, family.dev_id, "/restore");
    assert_int_equal(box_status(&box, "POST", path, "{}"), 400);
    assert_int_equal(box_status(&box, "POST", path, "{\"source_branch_id\":1}"), 400);
    assert_int_equal(box_status(&box, "POST", path, "{\"source_branch_id\":\"br-none\"}"), 404);
    REPLY taken = box_call(
        &box, "POST", path,
        box_text("{\"source_branch_id\":\"%s\",\"preserve_under_name\":\"main\"}", family.main_id));
    box_assert_error(&taken, 409, "BRANCH_ALREADY_EXISTS", "main");
    assert_int_equal(box_status(&box, "PATCH", path_of(&family, family.dev_id, ""),
                                "{\"branch\":{\"protected\":true}}"),
                     200);
    REPLY guarded =
        box_call(&box, "POST", path, box_text("{\"source_branch_id\":\"%s\"}", family.main_id));
    box_assert_error(&guarded, 422, "", "cannot reset protected branch");
    login_assert(&box, family.dev_uri, "SELECT name FROM t", "dev");
}

/* Data may come from a branch that won't last, but nothing hangs below one. */
static void a_branch_is_restored_from_one_that_expires(void **state)
{
    (void)state;
    Family family = make_family();
    const char *brief = path_of(&family, family.dev_id, "");
    char at[32];
    struct tm parts;
    time_t when = time(NULL) + 3600;
    gmtime_r(&when, &parts);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &parts);
    const char *other_uri = NULL;
    REPLY other = login_create_branch(&box, family.project, "other", &other_uri);
    const char *other_id = box_text("%s", box_string(other.json, "branch.id"));
    assert_int_equal(
        box_status(&box, "PATCH", brief, box_text("{\"branch\":{\"expires_at\":\"%s\"}}", at)),
        200);
    restore(&family, other_id, box_text("{\"source_branch_id\":\"%s\"}", family.dev_id));
    login_assert(&box, other_uri, "SELECT name FROM t", "dev");
    REPLY got = box_call(&box, "GET", path_of(&family, other_id, ""), NULL);
    assert_string_equal(box_string(got.json, "branch.parent_id"), family.main_id);
    assert_int_equal(box_status(&box, "DELETE", brief, NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branch_is_reset_to_its_parent),
        cmocka_unit_test(what_was_there_is_kept_under_the_name_that_is_given),
        cmocka_unit_test(a_branch_is_restored_from_itself_only_with_a_name_and_a_point),
        cmocka_unit_test(a_branch_is_restored_from_one_that_expires),
        cmocka_unit_test(what_may_not_be_restored_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
