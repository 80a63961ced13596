/* Limits of a plan, where the sandbox is asked for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "box.h"

static Box box;

static void start_plan(const char *plan)
{
    const char *const arguments[] = {"--no-compute", "--operation-ms", "1", "--plan", plan, NULL};
    box_start(&box, arguments);
}

static const char *make_project(void)
{
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    return box_text("/projects/%s", box_string(made.json, "project.id"));
}

/* POSTs a branch once nothing runs any more. */
static Reply post_branch(const char *project, const char *body)
{
    box_wait(&box, project + sizeof("/projects/") - 1);
    return box_call(&box, "POST", box_text("%s/branches", project), body);
}

static void refuse_settings(const char *const *settings)
{
    for (; *settings != NULL; settings++) {
        REPLY reply =
            box_call(&box, "POST", "/projects",
                     box_text("{\"project\":{\"default_endpoint_settings\":{%s}}}", *settings));
        if (reply.status != 400) {
            fail_msg("%s gave %ld", *settings, reply.status);
        }
    }
}

static void the_free_plan_is_small(void **state)
{
    (void)state;
    start_plan("free");
    const char *project = make_project();
    REPLY got = box_call(&box, "GET", project, NULL);
    assert_int_equal(box_integer(got.json, "project.history_retention_seconds"), 21600);
    REPLY long_history =
        box_call(&box, "PATCH", project, "{\"project\":{\"history_retention_seconds\":604800}}");
    box_assert_error(&long_history, 400, "",
                     "requested_history_retention_seconds:\"604800\", max:\"21600\"");
    static const char *const SETTINGS[] = {"\"autoscaling_limit_max_cu\":3",
                                           "\"suspend_timeout_seconds\":-1",
                                           "\"suspend_timeout_seconds\":600", NULL};
    refuse_settings(SETTINGS);
    for (int i = 0; i < 9; i++) {
        REPLY made = post_branch(project, "{}");
        assert_int_equal(made.status, 201);
    }
    REPLY eleventh = post_branch(project, "{}");
    box_assert_error(&eleventh, 422, "BRANCHES_LIMIT_EXCEEDED", "branches limit exceeded");
    REPLY list = box_call(&box, "GET", box_text("%s/branches", project), NULL);
    REPLY guarded = box_call(
        &box, "PATCH", box_text("%s/branches/%s", project, box_string(list.json, "branches.0.id")),
        "{\"branch\":{\"protected\":true}}");
    box_assert_error(&guarded, 422, "BRANCHES_PROTECTED_LIMIT_EXCEEDED", "");
    REPLY organization = box_call(&box, "GET", "/organizations/org-sandbox-one", NULL);
    assert_string_equal(box_string(organization.json, "plan"), "free");
    box_stop(&box);
}

/* Roots are the first branch and those without data. */
static void root_branches_are_counted(void **state)
{
    (void)state;
    static const char ROOT[] = "{\"branch\":{\"init_source\":\"schema-only\"}}";
    start_plan("free");
    const char *project = make_project();
    REPLY second = post_branch(project, ROOT);
    assert_int_equal(second.status, 201);
    REPLY third = post_branch(project, ROOT);
    assert_int_equal(third.status, 201);
    REPLY fourth = post_branch(project, ROOT);
    box_assert_error(&fourth, 422, "ROOT_BRANCHES_LIMIT_EXCEEDED", "root branches limit exceeded");
    REPLY child = post_branch(project, "{}");
    assert_int_equal(child.status, 201);
    box_stop(&box);
}

/* Also where a branch comes from elsewhere: what a restore keeps, what is recovered. */
static void every_way_to_a_branch_is_counted(void **state)
{
    (void)state;
    start_plan("free");
    const char *project = make_project();
    REPLY first = post_branch(project, "{}");
    const char *path = box_text("%s/branches/%s", project, box_string(first.json, "branch.id"));
    const char *main_id = box_text("%s", box_string(first.json, "branch.parent_id"));
    for (int i = 0; i < 8; i++) {
        REPLY made = post_branch(project, "{}");
        assert_int_equal(made.status, 201);
    }
    box_wait(&box, project + sizeof("/projects/") - 1);
    REPLY kept = box_call(
        &box, "POST", box_text("%s/restore", path),
        box_text("{\"source_branch_id\":\"%s\",\"preserve_under_name\":\"old\"}", main_id));
    box_assert_error(&kept, 422, "BRANCHES_LIMIT_EXCEEDED", "branches limit exceeded");
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    REPLY instead = post_branch(project, "{}");
    assert_int_equal(instead.status, 201);
    box_wait(&box, project + sizeof("/projects/") - 1);
    REPLY back = box_call(&box, "POST", box_text("%s/recover", path), NULL);
    box_assert_error(&back, 422, "BRANCHES_LIMIT_EXCEEDED", "branches limit exceeded");
    box_stop(&box);
}

static void computes_stay_within_the_plan_when_they_change(void **state)
{
    (void)state;
    start_plan("free");
    const char *project = make_project();
    box_wait(&box, project + sizeof("/projects/") - 1);
    REPLY list = box_call(&box, "GET", box_text("%s/endpoints", project), NULL);
    const char *path =
        box_text("%s/endpoints/%s", project, box_string(list.json, "endpoints.0.id"));
    REPLY large = box_call(&box, "PATCH", path, "{\"endpoint\":{\"autoscaling_limit_max_cu\":4}}");
    box_assert_error(&large, 400, "", "autoscaling_limit_max_cu:\"4\", max:\"2\"");
    REPLY awake = box_call(&box, "PATCH", path, "{\"endpoint\":{\"suspend_timeout_seconds\":-1}}");
    box_assert_error(&awake, 400, "", "suspend_timeout_seconds:\"-1\"");
    REPLY allowed = box_call(&box, "PATCH", path,
                             "{\"endpoint\":{\"autoscaling_limit_max_cu\":2,"
                             "\"suspend_timeout_seconds\":300}}");
    assert_int_equal(allowed.status, 200);
    REPLY defaults =
        box_call(&box, "PATCH", project,
                 "{\"project\":{\"default_endpoint_settings\":{\"suspend_timeout_seconds\":60}}}");
    box_assert_error(&defaults, 400, "", "suspend_timeout_seconds:\"60\"");
    box_stop(&box);
}

static void without_a_plan_nothing_is_limited(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "1", NULL};
    box_start(&box, ARGUMENTS);
    assert_int_equal(
        box_status(&box, "POST", "/projects",
                   "{\"project\":{\"history_retention_seconds\":2592000,"
                   "\"default_endpoint_settings\":{\"autoscaling_limit_min_cu\":56,"
                   "\"autoscaling_limit_max_cu\":56,\"suspend_timeout_seconds\":60}}}"),
        201);
    box_stop(&box);
}

static void an_organization_has_so_many_projects(void **state)
{
    (void)state;
    start_plan("launch");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(box_status(&box, "POST", "/projects", "{\"project\":{}}"), 201);
    }
    REPLY one_more = box_call(&box, "POST", "/projects", "{\"project\":{}}");
    box_assert_error(&one_more, 422, "PROJECTS_LIMIT_EXCEEDED", "");
    REPLY other =
        box_call_as(&box, "sandbox-other-key", NULL, "POST", "/projects", "{\"project\":{}}");
    assert_int_equal(other.status, 201);
    REPLY history = box_call_as(&box, "sandbox-other-key", NULL, "POST", "/projects",
                                "{\"project\":{\"history_retention_seconds\":604801}}");
    box_assert_error(&history, 400, "", "max:\"604800\"");
    static const char *const SETTINGS[] = {
        "\"autoscaling_limit_min_cu\":18,\"autoscaling_limit_max_cu\":18",
        "\"suspend_timeout_seconds\":60", NULL};
    refuse_settings(SETTINGS);
    box_stop(&box);
}

static void protected_branches_are_counted(void **state)
{
    (void)state;
    start_plan("scale");
    const char *project = make_project();
    for (int i = 0; i < 5; i++) {
        REPLY made = post_branch(project, "{\"branch\":{\"protected\":true}}");
        assert_int_equal(made.status, 201);
    }
    REPLY sixth = post_branch(project, "{\"branch\":{\"protected\":true}}");
    box_assert_error(&sixth, 422, "BRANCHES_PROTECTED_LIMIT_EXCEEDED", "");
    REPLY plain =
        post_branch(project, "{\"endpoints\":[{\"type\":\"read_write\",\"suspend_timeout_seconds\""
                             ":60,\"autoscaling_limit_min_cu\":56,\"autoscaling_limit_max_cu\":56}"
                             "]}");
    assert_int_equal(plain.status, 201);
    box_stop(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_free_plan_is_small),
        cmocka_unit_test(root_branches_are_counted),
        cmocka_unit_test(every_way_to_a_branch_is_counted),
        cmocka_unit_test(computes_stay_within_the_plan_when_they_change),
        cmocka_unit_test(without_a_plan_nothing_is_limited),
        cmocka_unit_test(an_organization_has_so_many_projects),
        cmocka_unit_test(protected_branches_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
