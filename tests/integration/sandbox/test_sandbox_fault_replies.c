/* Each fault once, with the very reply that comes: what this prints is the list of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "login.h"

static Box box;
static const char *project; /* its path */
static const char *branch;  /* likewise */
static const char *uri;

#define LOCKED                                                                                     \
    "{\"code\":\"\",\"message\":\"project already has running conflicting operations, "            \
    "scheduling of new ones is prohibited\"}"
#define LIMITED                                                                                    \
    "{\"code\":\"\",\"message\":\"You've exceeded the rate limit. Please wait a moment and try "   \
    "again.\"}"
#define TIMED_OUT                                                                                  \
    "<!DOCTYPE html><html><head><title>console.neon.tech | 524: A timeout occurred</title></head>" \
    "<body>Error 524</body></html>\n"
#define PROJECT "{\"project\":{\"name\":\"again\"}}"

typedef struct Row {
    const char *fault;
    const char *method;
    const char *path; /* $P stands for the project */
    const char *body;
    long status;             /* 0: the connection ends without a reply */
    const char *reply;       /* without its request_id; NULL: not looked at */
    const char *retry_after; /* NULL: none */
    double least_seconds;
    int made; /* projects */
} Row;

static const Row ROWS[] = {
    {"{\"kind\":\"status\"}", "GET", "/auth", NULL, 500,
     "{\"code\":\"\",\"message\":\"unknown internal server error\"}", NULL, 0, 0},
    {"{\"kind\":\"status\",\"status\":503,\"code\":\"C\",\"message\":\"please try again later\","
     "\"retry_after\":7}",
     "POST", "/projects", PROJECT, 503, "{\"code\":\"C\",\"message\":\"please try again later\"}",
     "7", 0, 0},
    {"{\"kind\":\"status\",\"status\":500,\"commit\":true}", "POST", "/projects", PROJECT, 500,
     "{\"code\":\"\",\"message\":\"unknown internal server error\"}", NULL, 0, 1},
    {"{\"kind\":\"status\",\"status\":524,\"html\":true,\"commit\":true}", "POST", "/projects",
     PROJECT, 524, TIMED_OUT, NULL, 0, 1},
    {"{\"kind\":\"reply_lost\"}", "POST", "/projects", PROJECT, 0, NULL, NULL, 0, 1},
    {"{\"kind\":\"request_lost\"}", "POST", "/projects", PROJECT, 0, NULL, NULL, 0, 0},
    {"{\"kind\":\"slow\",\"ms\":150}", "POST", "/projects", PROJECT, 201, NULL, NULL, 0.149, 1},
    {"{\"kind\":\"slow_before\",\"ms\":150}", "GET", "/projects", NULL, 200, NULL, NULL, 0.149, 0},
    {"{\"kind\":\"locked\"}", "POST", "$P/branches", "{}", 423, LOCKED, NULL, 0, 0},
    {"{\"kind\":\"rate_limited\"}", "GET", "/projects", NULL, 429, LIMITED, NULL, 0, 0},
    {"{\"kind\":\"rate_limited\",\"retry_after\":3}", "GET", "/projects", NULL, 429, LIMITED, "3",
     0, 0},
};

static int start(void **state)
{
    (void)state;
    LoginVersions versions = login_list_versions("--operation-ms", "10");
    box_start(&box, versions.arguments);
    REPLY made = login_create_project(&box, versions.majors[0], &uri);
    project = box_text("/projects/%s", box_string(made.json, "project.id"));
    branch = box_text("%s/branches/%s", project, box_string(made.json, "branch.id"));
    uri = login_verify(&box, uri);
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

static const char *expand(const char *path)
{
    return path[0] == '$' ? box_text("%s%s", project, path + 2) : path;
}

/* The body without what differs each time. */
static const char *body_of(const Reply *reply)
{
    if (!json_is_object(reply->json)) {
        return reply->text == NULL ? "" : reply->text;
    }
    json_object_del(reply->json, "request_id");
    char *text = json_dumps(reply->json, JSON_COMPACT | JSON_SORT_KEYS);
    const char *kept = box_text("%.3000s", text);
    free(text);
    return kept;
}

static void print_row(const char *fault, const char *request, const char *reply)
{
    print_message("%s | %s | %s\n", fault, request, reply);
}

static int64_t count_projects(void)
{
    REPLY state = box_call(&box, "GET", "/sandbox/state", NULL);
    return box_integer(state.json, "created.projects");
}

static void check_row(const Row *row)
{
    int64_t before = count_projects();
    box_fault(&box, row->fault);
    REPLY reply = box_call(&box, row->method, expand(row->path), row->body);
    const char *body = body_of(&reply);
    print_row(
        row->fault, box_text("%s %s", row->method, row->path),
        reply.status == 0
            ? "the connection ends without a reply"
            : box_text("%ld %.300s%s%s", reply.status, row->reply == NULL ? "" : body,
                       reply.retry_after[0] == '\0' ? "" : " Retry-After: ", reply.retry_after));
    assert_int_equal(reply.status, row->status);
    assert_string_equal(reply.retry_after, row->retry_after == NULL ? "" : row->retry_after);
    if (row->reply != NULL) {
        assert_string_equal(body, row->reply);
    }
    assert_true(reply.seconds >= row->least_seconds);
    assert_int_equal(count_projects() - before, row->made);
}

static void faults_of_calls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        check_row(&ROWS[i]);
    }
}

static void a_partial_listing_names_what_it_lacks(void **state)
{
    (void)state;
    box_fault(&box, "{\"kind\":\"partial_listing\"}");
    REPLY list = box_call(&box, "GET", "/projects?limit=1", NULL);
    assert_int_equal(list.status, 200);
    assert_int_equal(json_array_size(box_find(list.json, "projects")), 0);
    assert_string_equal(box_string(list.json, "unavailable_project_ids.0"),
                        project + strlen("/projects/"));
    print_row("{\"kind\":\"partial_listing\"}", "GET /projects?limit=1",
              box_text("200 %s", body_of(&list)));
}

static void a_new_branch_is_neither_found_nor_listed_at_once(void **state)
{
    (void)state;
    box_wait(&box, project + strlen("/projects/"));
    box_fault(&box, "[{\"kind\":\"listing_lag\",\"object\":\"branch\",\"ms\":60000},"
                    "{\"kind\":\"not_found_after_create\",\"object\":\"branch\",\"ms\":60000}]");
    REPLY made = box_call(&box, "POST", box_text("%s/branches", project), "{}");
    assert_int_equal(made.status, 201);
    const char *id = box_string(made.json, "branch.id");
    REPLY one = box_call(&box, "GET", box_text("%s/branches/%s", project, id), NULL);
    assert_int_equal(one.status, 404);
    assert_string_equal(body_of(&one), "{\"code\":\"\",\"message\":\"branch not found\"}");
    print_row("{\"kind\":\"not_found_after_create\",\"object\":\"branch\",\"ms\":60000}",
              "GET $P/branches/ID after POST $P/branches", box_text("404 %s", body_of(&one)));
    REPLY list = box_call(&box, "GET", box_text("%s/branches", project), NULL);
    assert_int_equal(json_array_size(box_find(list.json, "branches")), 1);
    REPLY count = box_call(&box, "GET", box_text("%s/branches/count", project), NULL);
    assert_string_equal(body_of(&count), "{\"count\":1}");
    print_row("{\"kind\":\"listing_lag\",\"object\":\"branch\",\"ms\":60000}",
              "GET $P/branches, GET $P/branches/count after POST $P/branches",
              box_text("200, both without the new one: %s", body_of(&count)));
}

static void an_operation_lags_or_fails(void **state)
{
    (void)state;
    box_wait(&box, project + strlen("/projects/"));
    box_fault(&box, "{\"kind\":\"operation_fails\",\"message\":\"no room\"}");
    REPLY made = box_call(&box, "POST", box_text("%s/branches", project), "{}");
    const char *path =
        box_text("%s/operations/%s", project, box_string(made.json, "operations.0.id"));
    REPLY failed = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(failed.json, "operation.status"), "failed");
    assert_string_equal(box_string(failed.json, "operation.error"), "no room");
    print_row("{\"kind\":\"operation_fails\",\"message\":\"no room\"}",
              "GET $P/operations/ID after POST $P/branches",
              "200 status \"failed\", error \"no room\", failures_count 1");
    box_fault(&box, "{\"kind\":\"operation_ms\",\"ms\":300}");
    REPLY lagging = box_call(&box, "POST", box_text("%s/branches", project), "{}");
    path = box_text("%s/operations/%s", project, box_string(lagging.json, "operations.0.id"));
    REPLY running = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(running.json, "operation.status"), "running");
    REPLY locked = box_call(&box, "POST", box_text("%s/branches", project), "{}");
    assert_int_equal(locked.status, 423);
    assert_string_equal(body_of(&locked), LOCKED);
    box_wait(&box, project + strlen("/projects/"));
    REPLY finished = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(finished.json, "operation.status"), "finished");
    assert_true(box_integer(finished.json, "operation.total_duration_ms") >= 299);
    print_row("{\"kind\":\"operation_ms\",\"ms\":300}",
              "POST $P/branches, GET $P/operations/ID at once and in the end",
              box_text("200 status \"running\" (a change meanwhile: 423), then \"finished\", "
                       "total_duration_ms %lld",
                       (long long)box_integer(finished.json, "operation.total_duration_ms")));
}

static void the_first_logins_are_refused(void **state)
{
    (void)state;
    const char *error = NULL;
    box_fault(&box, "{\"kind\":\"endpoint_refuses\",\"count\":2}");
    for (int i = 0; i < 2; i++) {
        assert_null(login_query(uri, "SELECT 1", &error));
        assert_non_null(strstr(error, "Couldn't connect to compute node"));
    }
    assert_string_equal(login_query(uri, "SELECT 1", NULL), "1");
    print_row("{\"kind\":\"endpoint_refuses\",\"count\":2}", "three logins",
              "twice FATAL 08006 \"Couldn't connect to compute node\", then a session");
}

static void a_commit_fails_after_it_was_told(void **state)
{
    (void)state;
    const char *error = NULL;
    static const char MAKE[] = "CREATE ROLE late LOGIN PASSWORD 'Tr0ub4dor&3-horse-staple'";
    box_fault(&box, "{\"kind\":\"commit_fails\"}");
    assert_null(login_query(uri, MAKE, &error));
    print_row("{\"kind\":\"commit_fails\"}", "SQL: CREATE ROLE", box_text("%.300s", error));
    assert_string_equal(
        login_query(uri, "SELECT count(*) FROM pg_roles WHERE rolname = 'late'", NULL), "0");
    /* What was told isn't taken back: at Neon neither. */
    assert_int_equal(box_status(&box, "GET", box_text("%s/roles/late", branch), NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(faults_of_calls, clear),
        cmocka_unit_test_teardown(a_partial_listing_names_what_it_lacks, clear),
        cmocka_unit_test_teardown(a_new_branch_is_neither_found_nor_listed_at_once, clear),
        cmocka_unit_test_teardown(an_operation_lags_or_fails, clear),
        cmocka_unit_test_teardown(the_first_logins_are_refused, clear),
        cmocka_unit_test_teardown(a_commit_fails_after_it_was_told, clear),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
