/* What clients change later: PATCH of projects, branches and endpoints, the default branch, expiry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "box.h"

static Box box;

static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "20", NULL};

static int start(void **state)
{
    (void)state;
    box_start(&box, ARGUMENTS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

/* A new project's id. */
static const char *make_project(const char *name)
{
    REPLY made = box_create_project(&box, box_text("{\"project\":{\"name\":\"%s\"}}", name));
    return box_text("%s", box_string(made.json, "project.id"));
}

/* The path of a new branch with an endpoint. */
static const char *make_branch(const char *project, const char *body)
{
    REPLY made = box_call(&box, "POST", box_text("/projects/%s/branches", project), body);
    assert_int_equal(made.status, 201);
    box_wait(&box, project);
    return box_text("/projects/%s/branches/%s", project, box_string(made.json, "branch.id"));
}

static const char *time_in(int seconds)
{
    char text[32];
    struct tm parts;
    time_t at = time(NULL) + seconds;
    gmtime_r(&at, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return box_text("%s", text);
}

static void a_project_keeps_what_a_patch_does_not_send(void **state)
{
    (void)state;
    const char *path = box_text("/projects/%s", make_project("before"));
    REPLY first =
        box_call(&box, "PATCH", path,
                 "{\"project\":{\"settings\":{\"allowed_ips\":{\"ips\":[\"192.0.2.1\"]},\"quota\":"
                 "{\"active_time_seconds\":5}},\"history_retention_seconds\":7200}}");
    assert_int_equal(first.status, 200);
    assert_int_equal(json_array_size(box_find(first.json, "operations")), 0);
    REPLY second = box_call(&box, "PATCH", path,
                            "{\"project\":{\"name\":\"after\",\"settings\":{"
                            "\"block_vpc_connections\":true},\"default_endpoint_settings\":"
                            "{\"autoscaling_limit_max_cu\":2}}}");
    assert_int_equal(second.status, 200);
    REPLY got = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(got.json, "project.name"), "after");
    assert_string_equal(box_string(got.json, "project.settings.allowed_ips.ips.0"), "192.0.2.1");
    assert_int_equal(box_integer(got.json, "project.settings.quota.active_time_seconds"), 5);
    assert_true(json_is_true(box_find(got.json, "project.settings.block_vpc_connections")));
    assert_int_equal(
        box_integer(got.json, "project.default_endpoint_settings.autoscaling_limit_max_cu"), 2);
    assert_int_equal(box_integer(got.json, "project.history_retention_seconds"), 7200);
}

static size_t count_found(const char *search)
{
    REPLY list = box_call(&box, "GET", box_text("/projects?limit=400&search=%s", search), NULL);
    assert_int_equal(list.status, 200);
    return json_array_size(json_object_get(list.json, "projects"));
}

static void a_search_finds_parts_of_the_present_name_and_of_the_id(void **state)
{
    (void)state;
    const char *id = make_project("Zebra-Quagga");
    assert_int_equal(count_found("bra-QUAG"), 1);
    assert_int_equal(count_found(id), 1);
    assert_int_equal(count_found("quagga-zebra"), 0);
    REPLY renamed =
        box_call(&box, "PATCH", box_text("/projects/%s", id), "{\"project\":{\"name\":\"okapi\"}}");
    assert_int_equal(renamed.status, 200);
    assert_int_equal(count_found("OKAPI"), 1);
    assert_int_equal(count_found("zebra"), 0);
}

static void a_patch_of_wrong_types_is_refused(void **state)
{
    (void)state;
    const char *id = make_project("types");
    const char *branch = make_branch(id, "{\"endpoints\":[{\"type\":\"read_write\"}]}");
    REPLY list = box_call(&box, "GET", box_text("%s/endpoints", branch), NULL);
    const char *paths[] = {
        box_text("/projects/%s", id), branch,
        box_text("/projects/%s/endpoints/%s", id, box_string(list.json, "endpoints.0.id"))};
    const struct {
        int path;
        const char *body;
    } cases[] = {
        {0, "{}"},
        {0, "{\"project\":[]}"},
        {0, "{\"project\":{\"name\":\"\"}}"},
        {0, "{\"project\":{\"settings\":{\"quota\":{\"active_time_seconds\":-1}}}}"},
        {0, "{\"project\":{\"settings\":{\"allowed_ips\":{\"ips\":[1]}}}}"},
        {0, "{\"project\":{\"settings\":{\"hipaa\":\"no\"}}}"},
        {0, "{\"project\":{\"settings\":{\"audit_log_level\":\"none\"}}}"},
        {0, "{\"project\":{\"settings\":{\"maintenance_window\":{\"weekdays\":[1]}}}}"},
        {0, "{\"project\":{\"settings\":{\"preload_libraries\":{\"enabled_libraries\":{}}}}}"},
        {1, "{}"},
        {0, "{\"project\":{\"name\":null}}"},
        {1, "{\"branch\":1}"},
        {1, "{\"branch\":{\"name\":2}}"},
        {1, "{\"branch\":{\"protected\":\"yes\"}}"},
        {1, "{\"branch\":{\"expires_at\":\"tomorrow\"}}"},
        {1, "{\"branch\":{\"expires_at\":\"2020-01-01T00:00:00Z\"}}"},
        {1, "{\"branch\":{\"expires_at\":\"2999-01-01T00:00:00Z\"}}"},
        {2, "{}"},
        {0, "{\"project\":{\"default_endpoint_settings\":{\"pgbouncer_settings\":{\"a\":1}}}}"},
        {2, "{\"endpoint\":{\"pooler_mode\":\"session\"}}"},
        {2, "{\"endpoint\":{\"disabled\":1}}"},
        {2, "{\"endpoint\":{\"settings\":{}}}"},
        {2, "{\"endpoint\":{\"settings\":{\"pg_settings\":{\"a\":1}}}}"},
        {2, "{\"endpoint\":{\"autoscaling_limit_min_cu\":0.3}}"},
        {2, "{\"endpoint\":{\"suspend_timeout_seconds\":30}}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        REPLY reply = box_call(&box, "PATCH", paths[cases[i].path], cases[i].body);
        if (reply.status != 400) {
            fail_msg("%s gave %ld", cases[i].body, reply.status);
        }
    }
}

static void nothing_is_shared_with_anybody(void **state)
{
    (void)state;
    REPLY shared = box_call(&box, "GET", "/projects/shared?limit=5", NULL);
    assert_int_equal(shared.status, 200);
    assert_int_equal(json_array_size(box_find(shared.json, "projects")), 0);
    assert_int_equal(box_status(&box, "GET", "/projects/shared?limit=0", NULL), 400);
}

static void branches_are_renamed_counted_and_protected(void **state)
{
    (void)state;
    const char *id = make_project("branches");
    const char *one = make_branch(id, "{\"branch\":{\"name\":\"dev-one\"}}");
    make_branch(id, "{\"branch\":{\"name\":\"dev-two\"}}");
    REPLY taken = box_call(&box, "PATCH", one, "{\"branch\":{\"name\":\"dev-two\"}}");
    box_assert_error(&taken, 409, "BRANCH_ALREADY_EXISTS", "dev-two");
    assert_int_equal(box_status(&box, "PATCH", one, "{\"branch\":{\"name\":\"dev-one\"}}"), 200);
    REPLY renamed =
        box_call(&box, "PATCH", one, "{\"branch\":{\"name\":\"test-one\",\"protected\":true}}");
    assert_string_equal(box_string(renamed.json, "branch.name"), "test-one");
    assert_true(json_is_true(box_find(renamed.json, "branch.protected")));
    assert_int_equal(box_status(&box, "DELETE", one, NULL), 422);
    /* The old name is free again. */
    make_branch(id, "{\"branch\":{\"name\":\"dev-one\"}}");
    const char *path = box_text("/projects/%s/branches/count", id);
    REPLY all = box_call(&box, "GET", path, NULL);
    assert_int_equal(box_integer(all.json, "count"), 4);
    REPLY some = box_call(&box, "GET", box_text("%s?search=DEV-", path), NULL);
    assert_int_equal(box_integer(some.json, "count"), 2);
}

static void another_branch_becomes_the_default_one(void **state)
{
    (void)state;
    const char *id = make_project("default");
    const char *branch = make_branch(id, "{\"endpoints\":[{\"type\":\"read_write\"}]}");
    REPLY set = box_call(&box, "POST", box_text("%s/set_as_default", branch), NULL);
    assert_int_equal(set.status, 200);
    assert_true(json_is_true(box_find(set.json, "branch.default")));
    REPLY list = box_call(&box, "GET", box_text("/projects/%s/branches", id), NULL);
    int defaults = 0;
    for (size_t i = 0; i < 2; i++) {
        defaults += json_is_true(box_find(list.json, box_text("branches.%zu.default", i))) ? 1 : 0;
    }
    assert_int_equal(defaults, 1);
    REPLY drop = box_call(&box, "DELETE", branch, NULL);
    box_assert_error(&drop, 422, "", "default");
    REPLY expire = box_call(&box, "PATCH", branch,
                            box_text("{\"branch\":{\"expires_at\":\"%s\"}}", time_in(60)));
    box_assert_error(&expire, 422, "", "default");
}

static bool is_gone(void *argument)
{
    return box_status(&box, "GET", argument, NULL) == 404;
}

static void an_expiring_branch_vanishes_in_time(void **state)
{
    (void)state;
    const char *id = make_project("expiry");
    const char *at = time_in(2);
    const char *branch =
        make_branch(id, box_text("{\"branch\":{\"name\":\"brief\",\"expires_at\":\"%s\"},"
                                 "\"endpoints\":[{\"type\":\"read_write\"}]}",
                                 at));
    REPLY got = box_call(&box, "GET", branch, NULL);
    assert_string_equal(box_string(got.json, "branch.expires_at"), at);
    assert_in_range(box_integer(got.json, "branch.ttl_interval_seconds"), 0, 2);
    const char *child = box_text("{\"branch\":{\"parent_id\":\"%s\"}}", strrchr(branch, '/') + 1);
    REPLY refused = box_call(&box, "POST", box_text("/projects/%s/branches", id), child);
    box_assert_error(&refused, 422, "", "expires");
    assert_int_equal(box_status(&box, "PATCH", branch, "{\"branch\":{\"protected\":true}}"), 422);
    REPLY set = box_call(&box, "POST", box_text("%s/set_as_default", branch), NULL);
    box_assert_error(&set, 422, "", "expires");
    char path[256];
    snprintf(path, sizeof(path), "%s", branch);
    box_until(is_gone, path, 10);
    REPLY list = box_call(
        &box, "GET", box_text("/projects/%s/branches?include_deleted=true&search=brief", id), NULL);
    assert_string_equal(box_string(list.json, "branches.0.recovery.deletion_method"), "ttl");
}

static void without_clusters_a_branch_may_begin_in_the_past(void **state)
{
    (void)state;
    const char *id = make_project("past");
    const char *now = time_in(0);
    const char *branch =
        make_branch(id, box_text("{\"branch\":{\"parent_timestamp\":\"%s\"}}", now));
    REPLY got = box_call(&box, "GET", branch, NULL);
    assert_string_equal(box_string(got.json, "branch.parent_timestamp"), now);
    const char *at = make_branch(id, "{\"branch\":{\"parent_lsn\":\"0/1E88FA8\"}}");
    REPLY point = box_call(&box, "GET", at, NULL);
    assert_string_equal(box_string(point.json, "branch.parent_lsn"), "0/1E88FA8");
    const char *bodies[] = {
        box_text("{\"branch\":{\"parent_timestamp\":\"%s\"}}", time_in(100)),
        box_text("{\"branch\":{\"parent_timestamp\":\"%s\"}}", time_in(-100)),
        "{\"branch\":{\"parent_timestamp\":\"then\"}}",
        "{\"branch\":{\"parent_lsn\":\"there\"}}",
        box_text("{\"branch\":{\"parent_lsn\":\"0/1\",\"parent_timestamp\":\"%s\"}}", now),
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(box_status(&box, "POST", box_text("/projects/%s/branches", id), bodies[i]),
                         400);
    }
}

/* Its time is brought forward, and another's is taken away. */
static void an_expiry_can_be_moved_and_removed(void **state)
{
    (void)state;
    const char *id = make_project("moved");
    const char *late = box_text("{\"branch\":{\"expires_at\":\"%s\"}}", time_in(3600));
    const char *moved = make_branch(id, late);
    const char *kept =
        make_branch(id, box_text("{\"branch\":{\"expires_at\":\"%s\"}}", time_in(2)));
    assert_int_equal(box_status(&box, "PATCH", kept, "{\"branch\":{\"expires_at\":null}}"), 200);
    assert_int_equal(box_status(&box, "PATCH", moved,
                                box_text("{\"branch\":{\"expires_at\":\"%s\"}}", time_in(3))),
                     200);
    char path[256];
    snprintf(path, sizeof(path), "%s", moved);
    box_until(is_gone, path, 10);
    REPLY got = box_call(&box, "GET", kept, NULL);
    assert_int_equal(got.status, 200);
    assert_null(box_find(got.json, "branch.expires_at"));
}

static void an_endpoint_takes_new_settings_by_a_restart(void **state)
{
    (void)state;
    const char *id = make_project("endpoint");
    REPLY list = box_call(&box, "GET", box_text("/projects/%s/endpoints", id), NULL);
    const char *path =
        box_text("/projects/%s/endpoints/%s", id, box_string(list.json, "endpoints.0.id"));
    REPLY named = box_call(&box, "PATCH", path,
                           "{\"endpoint\":{\"name\":\"primary\",\"suspend_timeout_seconds\":60}}");
    assert_int_equal(named.status, 200);
    assert_int_equal(json_array_size(box_find(named.json, "operations")), 0);
    REPLY sized = box_call(&box, "PATCH", path,
                           "{\"endpoint\":{\"autoscaling_limit_max_cu\":2,\"settings\":"
                           "{\"pg_settings\":{\"work_mem\":\"8MB\"}}}}");
    assert_int_equal(sized.status, 200);
    assert_string_equal(box_string(sized.json, "operations.0.action"), "suspend_compute");
    assert_string_equal(box_string(sized.json, "operations.1.action"), "start_compute");
    assert_int_equal(box_status(&box, "POST", box_text("%s/restart", path), NULL), 423);
    box_wait(&box, id);
    REPLY restarted = box_call(&box, "POST", box_text("%s/restart", path), NULL);
    assert_int_equal(restarted.status, 200);
    box_wait(&box, id);
    REPLY got = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(got.json, "endpoint.name"), "primary");
    assert_string_equal(box_string(got.json, "endpoint.current_state"), "active");
    assert_string_equal(box_string(got.json, "endpoint.settings.pg_settings.work_mem"), "8MB");
    assert_int_equal(box_integer(got.json, "endpoint.suspend_timeout_seconds"), 60);
    assert_int_equal(box_integer(got.json, "endpoint.autoscaling_limit_max_cu"), 2);
}

static void a_restored_branch_has_the_roles_of_its_source(void **state)
{
    (void)state;
    const char *id = make_project("roles");
    const char *branch = make_branch(id, "{\"branch\":{\"name\":\"dev\"}}");
    REPLY got = box_call(&box, "GET", branch, NULL);
    const char *source = box_string(got.json, "branch.parent_id");
    const char *roles = box_text("/projects/%s/branches/%s/roles", id, source);
    assert_int_equal(box_status(&box, "POST", roles, "{\"role\":{\"name\":\"later\"}}"), 201);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "POST", box_text("%s/restore", branch),
                                box_text("{\"source_branch_id\":\"%s\"}", source)),
                     200);
    box_wait(&box, id); /* until then the branch is what it was */
    assert_int_equal(box_status(&box, "GET", box_text("%s/roles/later", branch), NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_project_keeps_what_a_patch_does_not_send),
        cmocka_unit_test(a_search_finds_parts_of_the_present_name_and_of_the_id),
        cmocka_unit_test(a_patch_of_wrong_types_is_refused),
        cmocka_unit_test(nothing_is_shared_with_anybody),
        cmocka_unit_test(branches_are_renamed_counted_and_protected),
        cmocka_unit_test(another_branch_becomes_the_default_one),
        cmocka_unit_test(an_expiring_branch_vanishes_in_time),
        cmocka_unit_test(without_clusters_a_branch_may_begin_in_the_past),
        cmocka_unit_test(an_expiry_can_be_moved_and_removed),
        cmocka_unit_test(a_restored_branch_has_the_roles_of_its_source),
        cmocka_unit_test(an_endpoint_takes_new_settings_by_a_restart),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
