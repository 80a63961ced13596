/* Every fault once, with what a caller then sees (--no-compute). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"

static Box box;

static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "10", NULL};

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

static int clear(void **state)
{
    (void)state;
    assert_int_equal(box_status(&box, "DELETE", "/sandbox/faults", NULL), 204);
    return 0;
}

static int64_t count_created(const char *kind)
{
    REPLY state = box_call(&box, "GET", "/sandbox/state", NULL);
    return box_integer(state.json, box_text("created.%s", kind));
}

static const char PROJECT[] = "{\"project\":{\"name\":\"p\"}}";

static void a_status_stands_for_the_calls_it_counts_and_nothing_is_done(void **state)
{
    (void)state;
    int64_t before = count_created("projects");
    box_fault(&box, "{\"kind\":\"status\",\"route\":\"POST /projects\",\"count\":2,\"skip\":1,"
                    "\"status\":503,\"code\":\"C\",\"message\":\"m\",\"retry_after\":7}");
    assert_int_equal(box_status(&box, "POST", "/projects", PROJECT), 201);
    REPLY first = box_call(&box, "POST", "/projects", PROJECT);
    assert_int_equal(first.status, 503);
    assert_string_equal(first.retry_after, "7");
    assert_string_equal(box_string(first.json, "code"), "C");
    assert_string_equal(box_string(first.json, "message"), "m");
    assert_int_equal(box_status(&box, "GET", "/projects", NULL), 200);
    assert_int_equal(box_status(&box, "POST", "/projects", PROJECT), 503);
    assert_int_equal(box_status(&box, "POST", "/projects", PROJECT), 201);
    assert_int_equal(count_created("projects"), before + 2);
}

static void a_status_may_come_after_the_deed_and_as_a_page_of_html(void **state)
{
    (void)state;
    int64_t before = count_created("projects");
    box_fault(&box, "{\"kind\":\"status\",\"route\":\"POST /projects\",\"status\":524,"
                    "\"html\":true,\"commit\":true}");
    REPLY reply = box_call(&box, "POST", "/projects", PROJECT);
    assert_int_equal(reply.status, 524);
    assert_null(reply.json);
    assert_non_null(strstr(reply.text, "<html>"));
    assert_int_equal(count_created("projects"), before + 1);
}

static void a_lost_reply_has_done_its_deed_and_a_lost_request_has_not(void **state)
{
    (void)state;
    int64_t before = count_created("projects");
    box_fault(&box,
              "{\"kind\":\"reply_lost\",\"route\":\"POST /projects\",\"match\":\"\\\"p\\\"\"}");
    assert_int_equal(box_status(&box, "POST", "/projects", "{\"project\":{\"name\":\"q\"}}"), 201);
    assert_int_equal(box_status(&box, "POST", "/projects", PROJECT), 0);
    assert_int_equal(count_created("projects"), before + 2);
    box_fault(&box, "{\"kind\":\"request_lost\",\"route\":\"POST /projects\"}");
    assert_int_equal(box_status(&box, "POST", "/projects", PROJECT), 0);
    assert_int_equal(count_created("projects"), before + 2);
    REPLY calls = box_call(&box, "GET", "/sandbox/calls", NULL);
    size_t last = json_array_size(box_find(calls.json, "calls")) - 1;
    assert_string_equal(box_string(calls.json, box_text("calls.%zu.fault", last)), "request_lost");
    assert_int_equal(box_integer(calls.json, box_text("calls.%zu.status", last)), 0);
}

static void a_slow_reply_comes_late_and_a_slow_request_acts_late(void **state)
{
    (void)state;
    box_fault(&box, "{\"kind\":\"slow\",\"route\":\"POST /projects\",\"ms\":200}");
    REPLY late = box_call(&box, "POST", "/projects", PROJECT);
    assert_int_equal(late.status, 201);
    assert_true(late.seconds >= 0.19);
    box_fault(&box, "{\"kind\":\"slow_before\",\"route\":\"GET /auth\",\"ms\":200}");
    REPLY slow = box_call(&box, "GET", "/auth", NULL);
    assert_int_equal(slow.status, 200);
    assert_true(slow.seconds >= 0.19);
}

static void locked_strikes_calls_that_change_a_project(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, PROJECT);
    const char *path = box_text("/projects/%s/branches", box_string(made.json, "project.id"));
    box_fault(&box, "{\"kind\":\"locked\",\"count\":2}");
    assert_int_equal(box_status(&box, "GET", path, NULL), 200);
    assert_int_equal(box_status(&box, "POST", path, "{}"), 423);
    REPLY locked = box_call(&box, "POST", path, "{}");
    assert_non_null(strstr(box_string(locked.json, "message"), "conflicting operations"));
    assert_int_equal(box_status(&box, "POST", path, "{}"), 201);
    box_fault(&box, "{\"kind\":\"locked\",\"for_ms\":60000}");
    box_wait(&box, box_string(made.json, "project.id"));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(box_status(&box, "POST", path, "{}"), 423);
    }
}

static void rate_limits_come_with_and_without_retry_after(void **state)
{
    (void)state;
    box_fault(&box, "[{\"kind\":\"rate_limited\"},{\"kind\":\"rate_limited\",\"retry_after\":3}]");
    REPLY bare = box_call(&box, "GET", "/auth", NULL);
    assert_int_equal(bare.status, 429);
    assert_string_equal(bare.retry_after, "");
    REPLY told = box_call(&box, "GET", "/auth", NULL);
    assert_int_equal(told.status, 429);
    assert_string_equal(told.retry_after, "3");
    assert_int_equal(box_status(&box, "GET", "/auth", NULL), 200);
}

/* The listing of branches is asked until it has `wanted` of them. */
typedef struct Wanted {
    const char *path;
    size_t count;
} Wanted;

static bool lists_wanted(void *argument)
{
    const Wanted *wanted = argument;
    REPLY list = box_call(&box, "GET", wanted->path, NULL);
    return json_array_size(box_find(list.json, "branches")) == wanted->count;
}

static void listings_lag_behind_what_was_made_and_deleted(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, PROJECT);
    const char *id = box_string(made.json, "project.id");
    const char *path = box_text("/projects/%s/branches", id);
    box_fault(&box, "{\"kind\":\"listing_lag\",\"object\":\"branch\",\"ms\":300}");
    REPLY branch = box_call(&box, "POST", path, "{\"branch\":{\"name\":\"late\"}}");
    Wanted wanted = {path, 1};
    assert_true(lists_wanted(&wanted));
    const char *one = box_text("%s/%s", path, box_string(branch.json, "branch.id"));
    assert_int_equal(box_status(&box, "GET", one, NULL), 200);
    box_wait(&box, id);
    REPLY twice = box_call(&box, "POST", path, "{\"branch\":{\"name\":\"late\"}}");
    assert_int_equal(twice.status, 409);
    wanted.count = 2;
    box_until(lists_wanted, &wanted, 5);
    assert_int_equal(box_status(&box, "DELETE", one, NULL), 200);
    assert_int_equal(box_status(&box, "GET", one, NULL), 404);
    assert_true(lists_wanted(&wanted));
    wanted.count = 1;
    box_until(lists_wanted, &wanted, 5);
}

static bool is_found(void *argument)
{
    return box_status(&box, "GET", argument, NULL) == 200;
}

static void a_new_thing_may_not_be_found_at_once(void **state)
{
    (void)state;
    box_fault(&box, "{\"kind\":\"not_found_after_create\",\"object\":\"project\",\"ms\":200}");
    REPLY made = box_call(&box, "POST", "/projects", PROJECT);
    char path[128];
    snprintf(path, sizeof(path), "/projects/%s", box_string(made.json, "project.id"));
    assert_int_equal(box_status(&box, "GET", path, NULL), 404);
    box_until(is_found, path, 5);
}

static void operations_take_the_time_they_are_told(void **state)
{
    (void)state;
    box_fault(&box, "{\"kind\":\"operation_ms\",\"ms\":150}");
    REPLY made = box_create_project(&box, PROJECT);
    REPLY operation =
        box_call(&box, "GET",
                 box_text("/projects/%s/operations/%s", box_string(made.json, "project.id"),
                          box_string(made.json, "operations.0.id")),
                 NULL);
    assert_true(box_integer(operation.json, "operation.total_duration_ms") >= 149);
}

static void an_operation_that_fails_ends_its_chain(void **state)
{
    (void)state;
    box_fault(
        &box,
        "{\"kind\":\"operation_fails\",\"action\":\"start_compute\",\"message\":\"no room\"}");
    REPLY made = box_create_project(&box, PROJECT);
    const char *path = box_text("/projects/%s/operations", box_string(made.json, "project.id"));
    REPLY list = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(list.json, "operations.0.status"), "failed");
    assert_string_equal(box_string(list.json, "operations.0.error"), "no room");
    assert_int_equal(box_integer(list.json, "operations.0.failures_count"), 1);
    assert_string_equal(box_string(list.json, "operations.1.status"), "finished");
    REPLY branch = box_call(
        &box, "POST", box_text("/projects/%s/branches", box_string(made.json, "project.id")), NULL);
    assert_int_equal(branch.status, 201);
}

static bool has_finished(void *argument)
{
    REPLY operation = box_call(&box, "GET", argument, NULL);
    return strcmp(box_string(operation.json, "operation.status"), "finished") == 0;
}

static void an_operation_that_fails_may_be_tried_again(void **state)
{
    (void)state;
    box_fault(&box, "{\"kind\":\"operation_fails\",\"retry_ms\":100}");
    REPLY made = box_call(&box, "POST", "/projects", PROJECT);
    char path[256];
    snprintf(path, sizeof(path), "/projects/%s/operations/%s", box_string(made.json, "project.id"),
             box_string(made.json, "operations.0.id"));
    REPLY failed = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(failed.json, "operation.status"), "failed");
    assert_non_null(box_find(failed.json, "operation.retry_at"));
    box_until(has_finished, path, 5);
    box_wait(&box, box_string(made.json, "project.id"));
}

static void a_listing_may_be_partial_and_says_so(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"qqpartial\"}}");
    box_fault(&box, "{\"kind\":\"partial_listing\",\"match\":\"qqpartial\"}");
    REPLY partial = box_call(&box, "GET", "/projects?search=qqpartial", NULL);
    assert_int_equal(json_array_size(box_find(partial.json, "projects")), 0);
    assert_string_equal(box_string(partial.json, "unavailable_project_ids.0"),
                        box_string(made.json, "project.id"));
    REPLY whole = box_call(&box, "GET", "/projects?search=qqpartial", NULL);
    assert_int_equal(json_array_size(box_find(whole.json, "projects")), 1);
    assert_null(box_find(whole.json, "unavailable_project_ids"));
}

static void faults_are_listed_and_removed_and_checked(void **state)
{
    (void)state;
    int64_t id = box_fault(&box, "{\"kind\":\"status\",\"count\":-1}");
    REPLY list = box_call(&box, "GET", "/sandbox/faults", NULL);
    assert_string_equal(box_string(list.json, "faults.0.kind"), "status");
    assert_int_equal(box_status(&box, "GET", "/auth", NULL), 500);
    const char *path = box_text("/sandbox/faults/%lld", (long long)id);
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 204);
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 404);
    assert_int_equal(box_status(&box, "GET", "/auth", NULL), 200);
    static const char *const BAD[] = {"{}",
                                      "{\"kind\":\"fire\"}",
                                      "{\"kind\":\"status\",\"x\":1}",
                                      "{\"kind\":\"status\",\"count\":\"1\"}",
                                      "{\"kind\":\"listing_lag\",\"object\":\"moon\"}",
                                      "{\"kind\":\"status\",\"status\":1000}",
                                      "7"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        assert_int_equal(box_status(&box, "POST", "/sandbox/faults", BAD[i]), 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_status_stands_for_the_calls_it_counts_and_nothing_is_done,
                                  clear),
        cmocka_unit_test_teardown(a_status_may_come_after_the_deed_and_as_a_page_of_html, clear),
        cmocka_unit_test_teardown(a_lost_reply_has_done_its_deed_and_a_lost_request_has_not, clear),
        cmocka_unit_test_teardown(a_slow_reply_comes_late_and_a_slow_request_acts_late, clear),
        cmocka_unit_test_teardown(locked_strikes_calls_that_change_a_project, clear),
        cmocka_unit_test_teardown(rate_limits_come_with_and_without_retry_after, clear),
        cmocka_unit_test_teardown(listings_lag_behind_what_was_made_and_deleted, clear),
        cmocka_unit_test_teardown(a_new_thing_may_not_be_found_at_once, clear),
        cmocka_unit_test_teardown(operations_take_the_time_they_are_told, clear),
        cmocka_unit_test_teardown(an_operation_that_fails_ends_its_chain, clear),
        cmocka_unit_test_teardown(an_operation_that_fails_may_be_tried_again, clear),
        cmocka_unit_test_teardown(a_listing_may_be_partial_and_says_so, clear),
        cmocka_unit_test_teardown(faults_are_listed_and_removed_and_checked, clear),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
