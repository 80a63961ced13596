/* The API alone (--no-compute): routes, errors, paging, keys, locks, rules of deletion. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void every_reply_has_ids_and_a_wrong_key_is_refused(void **state)
{
    (void)state;
    REPLY good = box_call(&box, "GET", "/auth", NULL);
    assert_int_equal(good.status, 200);
    assert_int_equal(strlen(good.request_id), 36);
    assert_string_equal(box_string(good.json, "account_id"), "org-sandbox-one");
    assert_string_equal(box_string(good.json, "auth_method"), "api_key_org");

    REPLY wrong = box_call_as(&box, "wrong", "my-id-1", "GET", "/auth", NULL);
    box_assert_error(&wrong, 401, "", "supplied credentials do not pass authentication");
    assert_string_equal(box_string(wrong.json, "request_id"), "my-id-1");
    assert_string_equal(wrong.request_id, "my-id-1");

    REPLY none = box_call_as(&box, NULL, NULL, "GET", "/auth", NULL);
    assert_int_equal(none.status, 401);
    assert_int_equal(strlen(none.request_id), 36);
    assert_string_equal(box_string(none.json, "request_id"), none.request_id);
    REPLY unknown = box_call(&box, "GET", "/no/such/thing", NULL);
    box_assert_error(&unknown, 404, "", "this route does not exist");
}

static void accounts_show_what_their_kind_of_key_may_see(void **state)
{
    (void)state;
    REPLY personal = box_call_as(&box, "sandbox-personal-key", NULL, "GET", "/auth", NULL);
    assert_string_equal(box_string(personal.json, "auth_method"), "api_key_user");
    REPLY me = box_call_as(&box, "sandbox-personal-key", NULL, "GET", "/users/me", NULL);
    assert_int_equal(me.status, 200);
    assert_non_null(box_find(me.json, "billing_account"));
    REPLY not_me = box_call(&box, "GET", "/users/me", NULL);
    box_assert_error(&not_me, 404, "", "not allowed for organization API keys");

    REPLY both =
        box_call_as(&box, "sandbox-personal-key", NULL, "GET", "/users/me/organizations", NULL);
    assert_int_equal(json_array_size(box_find(both.json, "organizations")), 2);
    REPLY one = box_call(&box, "GET", "/users/me/organizations", NULL);
    assert_string_equal(box_string(one.json, "organizations.0.id"), "org-sandbox-one");

    assert_int_equal(box_status(&box, "GET", "/regions", NULL), 404);
    REPLY regions = box_call(&box, "GET", "/regions?org_id=org-sandbox-one", NULL);
    assert_int_equal(regions.status, 200);
    assert_true(json_array_size(box_find(regions.json, "regions")) > 5);
    assert_int_equal(box_status(&box, "GET", "/regions?org_id=org-sandbox-two", NULL), 404);
}

static void a_personal_key_of_two_organizations_has_to_name_one(void **state)
{
    (void)state;
    static const char KEY[] = "sandbox-personal-key";
    REPLY list = box_call_as(&box, KEY, NULL, "GET", "/projects", NULL);
    box_assert_error(&list, 400, "", "org_id is required");
    REPLY create = box_call_as(&box, KEY, NULL, "POST", "/projects", "{\"project\":{}}");
    box_assert_error(&create, 400, "", "org_id is required");
    REPLY named = box_call_as(&box, KEY, NULL, "GET", "/projects?org_id=org-sandbox-two", NULL);
    assert_int_equal(named.status, 200);
    REPLY foreign = box_call_as(&box, KEY, NULL, "GET", "/projects?org_id=org-else", NULL);
    assert_int_equal(foreign.status, 404);
    REPLY solo = box_call_as(&box, "sandbox-solo-key", NULL, "GET", "/projects", NULL);
    assert_int_equal(solo.status, 200);
}

static void a_project_key_sees_its_project_and_nothing_else(void **state)
{
    (void)state;
    REPLY mine = box_create_project(&box, "{\"project\":{\"name\":\"scoped\"}}");
    REPLY other = box_create_project(&box, "{\"project\":{\"name\":\"other\"}}");
    const char *id = box_string(mine.json, "project.id");
    const char *key = "scoped-key";
    REPLY added = box_call(&box, "POST", "/sandbox/keys",
                           box_text("{\"key\":\"%s\",\"kind\":\"project\",\"project_id\":\"%s\","
                                    "\"organizations\":[\"org-sandbox-one\"]}",
                                    key, id));
    assert_int_equal(added.status, 201);
    REPLY found = box_call_as(&box, key, NULL, "GET", box_text("/projects/%s", id), NULL);
    assert_int_equal(found.status, 200);
    REPLY masked =
        box_call_as(&box, key, NULL, "GET",
                    box_text("/projects/%s", box_string(other.json, "project.id")), NULL);
    box_assert_error(&masked, 404, "", box_text("subject_project_id:\"%s\"", id));
    REPLY list = box_call_as(&box, key, NULL, "GET", "/projects", NULL);
    box_assert_error(&list, 404, "", "outside the project this key is scoped to");
    REPLY create = box_call_as(&box, key, NULL, "POST", "/projects", "{\"project\":{}}");
    assert_int_equal(create.status, 404);
    REPLY drop = box_call_as(&box, key, NULL, "DELETE", box_text("/projects/%s", id), NULL);
    assert_int_equal(drop.status, 404);
    REPLY foreign =
        box_call_as(&box, "sandbox-other-key", NULL, "GET", box_text("/projects/%s", id), NULL);
    box_assert_error(&foreign, 404, "", "project not found");
}

static void a_new_project_comes_with_branch_endpoint_role_and_database(void **state)
{
    (void)state;
    REPLY made = box_call(&box, "POST", "/projects",
                          "{\"project\":{\"name\":\"full\",\"pg_version\":16,\"region_id\":"
                          "\"aws-eu-central-1\",\"history_retention_seconds\":3600,\"branch\":{"
                          "\"name\":\"trunk\",\"database_name\":\"app\",\"role_name\":\"boss\","
                          "\"annotations\":{\"owner\":\"me\"}}}}");
    assert_int_equal(made.status, 201);
    const json_t *json = made.json;
    assert_string_equal(box_string(json, "project.region_id"), "aws-eu-central-1");
    assert_int_equal(box_integer(json, "project.pg_version"), 16);
    assert_int_equal(box_integer(json, "project.history_retention_seconds"), 3600);
    assert_string_equal(box_string(json, "project.org_id"), "org-sandbox-one");
    assert_true(json_is_array(box_find(json, "project.settings.allowed_ips.ips")));
    assert_string_equal(box_string(json, "branch.name"), "trunk");
    assert_string_equal(box_string(json, "branch.current_state"), "init");
    assert_string_equal(box_string(json, "branch.pending_state"), "ready");
    assert_true(json_is_true(box_find(json, "branch.default")));
    assert_string_equal(box_string(json, "roles.0.name"), "boss");
    assert_memory_equal(box_string(json, "roles.0.password"), "npg_", 4);
    assert_string_equal(box_string(json, "databases.0.owner_name"), "boss");
    assert_string_equal(box_string(json, "endpoints.0.current_state"), "init");
    assert_string_equal(box_string(json, "endpoints.0.pending_state"), "active");
    assert_string_equal(box_string(json, "operations.0.action"), "create_timeline");
    assert_string_equal(box_string(json, "operations.0.status"), "running");
    assert_string_equal(box_string(json, "operations.1.action"), "start_compute");
    assert_string_equal(box_string(json, "operations.1.status"), "scheduling");
    assert_non_null(strstr(box_string(json, "connection_uris.0.connection_uri"),
                           box_string(json, "endpoints.0.id")));
    assert_non_null(strstr(box_string(json, "connection_uris.0.connection_parameters.pooler_host"),
                           "-pooler."));

    const char *id = box_string(json, "project.id");
    box_wait(&box, id);
    REPLY branch = box_call(
        &box, "GET", box_text("/projects/%s/branches/%s", id, box_string(json, "branch.id")), NULL);
    assert_string_equal(box_string(branch.json, "branch.current_state"), "ready");
    assert_null(box_find(branch.json, "branch.pending_state"));
    assert_string_equal(box_string(branch.json, "annotation.value.owner"), "me");
    REPLY endpoint = box_call(
        &box, "GET", box_text("/projects/%s/endpoints/%s", id, box_string(json, "endpoints.0.id")),
        NULL);
    assert_string_equal(box_string(endpoint.json, "endpoint.current_state"), "active");
    REPLY got = box_call(&box, "GET", box_text("/projects/%s", id), NULL);
    assert_string_equal(box_string(got.json, "project.name"), "full");
}

static void projects_are_listed_by_page_and_found_by_parts_of_their_names(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        REPLY made = box_call(&box, "POST", "/projects", "{\"project\":{\"name\":\"paged-twin\"}}");
        assert_int_equal(made.status, 201); /* names need not be unique */
    }
    size_t seen = 0;
    int pages = 0;
    const char *cursor = "";
    for (; pages < 10; pages++) {
        REPLY page = box_call(&box, "GET",
                              box_text("/projects?search=ged-tw&limit=2&timeout=30000%s%s",
                                       cursor[0] == '\0' ? "" : "&cursor=", cursor),
                              NULL);
        assert_int_equal(page.status, 200);
        size_t count = json_array_size(box_find(page.json, "projects"));
        seen += count;
        if (count == 0) {
            assert_null(box_find(page.json, "pagination"));
            break;
        }
        cursor = box_text("%s", box_string(page.json, "pagination.cursor"));
    }
    assert_int_equal(seen, 5);
    assert_int_equal(pages, 3);
    assert_int_equal(box_status(&box, "GET", "/projects?limit=401", NULL), 400);
    assert_int_equal(box_status(&box, "GET", "/projects?timeout=1", NULL), 400);
    assert_int_equal(box_status(&box, "GET", "/projects?cursor=nobody", NULL), 400);
}

static void a_deleted_project_is_gone_even_while_its_operations_run(void **state)
{
    (void)state;
    REPLY made = box_call(&box, "POST", "/projects", "{\"project\":{\"name\":\"short\"}}");
    const char *path = box_text("/projects/%s", box_string(made.json, "project.id"));
    REPLY gone = box_call(&box, "DELETE", path, NULL);
    assert_int_equal(gone.status, 200);
    assert_string_equal(box_string(gone.json, "project.name"), "short");
    REPLY missing = box_call(&box, "GET", path, NULL);
    box_assert_error(&missing, 404, "", "project not found");
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 404);
}

static void a_project_whose_operations_run_is_locked(void **state)
{
    (void)state;
    REPLY made = box_call(&box, "POST", "/projects", "{\"project\":{\"name\":\"busy\"}}");
    const char *id = box_string(made.json, "project.id");
    const char *path = box_text("/projects/%s/branches", id);
    REPLY locked = box_call(&box, "POST", path, "{\"branch\":{\"name\":\"b\"}}");
    box_assert_error(
        &locked, 423, "",
        "project already has running conflicting operations, scheduling of new ones is "
        "prohibited");
    box_wait(&box, id);
    REPLY list = box_call(&box, "GET", path, NULL);
    assert_int_equal(json_array_size(box_find(list.json, "branches")), 1);
    assert_int_equal(box_status(&box, "POST", path, "{\"branch\":{\"name\":\"b\"}}"), 201);
}

static void wrong_types_get_400_and_never_5xx(void **state)
{
    (void)state;
    static const char *const BODIES[] = {
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"project\":null}",
        "{\"project\":[]}",
        "{\"project\":1}",
        "{\"project\":{\"name\":1}}",
        "{\"project\":{\"name\":\"\"}}",
        "{\"project\":{\"name\":\"a\\u0000b\"}}",
        "{\"project\":{\"pg_version\":\"17\"}}",
        "{\"project\":{\"pg_version\":13}}",
        "{\"project\":{\"pg_version\":17.5}}",
        "{\"project\":{\"store_passwords\":\"yes\"}}",
        "{\"project\":{\"region_id\":\"mars\"}}",
        "{\"project\":{\"history_retention_seconds\":2592001}}",
        "{\"project\":{\"history_retention_seconds\":-1}}",
        "{\"project\":{\"branch\":\"main\"}}",
        "{\"project\":{\"branch\":{\"annotations\":{\"a\":1}}}}",
        "{\"project\":{\"branch\":{\"role_name\":\"cloud_admin\"}}}",
        "{\"project\":{\"default_endpoint_settings\":{\"autoscaling_limit_min_cu\":\"1\"}}}",
        "{\"project\":{\"settings\":{\"allowed_ips\":[]}}}",
        "\xff\xfe"};
    for (size_t i = 0; i < sizeof(BODIES) / sizeof(BODIES[0]); i++) {
        REPLY reply = box_call(&box, "POST", "/projects", BODIES[i]);
        if (reply.status != 400) {
            fail_msg("%s gave %ld", BODIES[i], reply.status);
        }
        assert_non_null(box_string(reply.json, "message"));
    }
    static const char *const PATHS[] = {"/projects/%zz", "/projects//branches", "/projects/%00"};
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        assert_int_equal(box_status(&box, "GET", PATHS[i], NULL), 404);
    }
    assert_int_equal(box_status(&box, "GET", "/projects/a%ff", NULL), 400);
    assert_int_equal(box_status(&box, "GET", "/projects?limit=x", NULL), 400);
    assert_int_equal(box_status(&box, "GET", "/projects?search=%ff", NULL), 400);
}

static void the_state_counts_what_was_made_and_called(void **state)
{
    (void)state;
    REPLY before = box_call(&box, "GET", "/sandbox/state", NULL);
    REPLY calls = box_call(&box, "GET", "/sandbox/calls", NULL);
    REPLY made = box_create_project(
        &box, "{\"project\":{\"name\":\"counted\",\"branch\":{\"annotations\":{\"m\":\"1\"}}}}");
    REPLY after = box_call(&box, "GET", "/sandbox/state", NULL);
    assert_int_equal(box_integer(after.json, "created.projects"),
                     box_integer(before.json, "created.projects") + 1);
    assert_int_equal(box_integer(after.json, "mutations.POST /projects"),
                     box_integer(before.json, "mutations.POST /projects") + 1);
    size_t count = json_array_size(box_find(after.json, "projects"));
    const json_t *last = box_find(after.json, box_text("projects.%zu", count - 1));
    assert_string_equal(box_string(last, "name"), "counted");
    assert_string_equal(box_string(last, "branches.0.annotations.m"), "1");
    assert_null(strstr(after.text, "npg_"));
    REPLY since = box_call(
        &box, "GET",
        box_text("/sandbox/calls?since=%lld", (long long)box_integer(calls.json, "last")), NULL);
    assert_string_equal(box_string(since.json, "calls.0.route"), "POST /projects");
    assert_int_equal(box_integer(since.json, "calls.0.status"), 201);
    assert_string_equal(box_string(since.json, "calls.0.account"), "org-sandbox-one");
}

static void the_log_names_calls_and_no_secret(void **state)
{
    (void)state;
    static char log[1 << 20];
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"logged-name\"}}");
    FILE *file = fopen(box.log, "r");
    assert_non_null(file);
    log[fread(log, 1, sizeof(log) - 1, file)] = '\0';
    fclose(file);
    assert_non_null(strstr(log, "POST /api/v2/projects 201"));
    assert_null(strstr(log, "npg_"));
    assert_null(strstr(log, BOX_ORG_KEY));
    assert_null(strstr(log, "logged-name"));
}

/* Runs the program to its end and returns its status. */
static int run(const char *const *arguments)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        union {
            const char *const *ours;
            char *const *theirs;
        } list = {arguments};
        execv(NEON_SANDBOX, list.theirs);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_wrong_command_line_or_folder_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *arguments[6];
        int status;
    } cases[] = {
        {{"sandbox", "--help"}, 0},
        {{"sandbox", "--version"}, 0},
        {{"sandbox", "--port", "70000"}, 64},
        {{"sandbox", "--no-such-option"}, 64},
        {{"sandbox", "stray"}, 64},
        {{"sandbox", "--no-compute", "--state", "/no/such/parent"}, 70},
        {{"sandbox", "--no-compute", "--state", "/usr"}, 70},
        {{"sandbox", "--no-compute", "--state", box.dir}, 70},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(run(cases[i].arguments), cases[i].status);
    }
}

/* There are no standbys here; it answers as a plan that allows none. */
static void read_only_endpoints_meet_their_limit(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"read-only\"}}");
    const char *id = box_string(made.json, "project.id");
    REPLY endpoint =
        box_call(&box, "POST", box_text("/projects/%s/endpoints", id),
                 box_text("{\"endpoint\":{\"branch_id\":\"%s\",\"type\":\"read_only\"}}",
                          box_string(made.json, "branch.id")));
    box_assert_error(&endpoint, 422, "ENDPOINTS_LIMIT_EXCEEDED", "read_only endpoints limit");
    REPLY branch = box_call(&box, "POST", box_text("/projects/%s/branches", id),
                            "{\"endpoints\":[{\"type\":\"read_only\"}]}");
    box_assert_error(&branch, 422, "ENDPOINTS_LIMIT_EXCEEDED", "read_only endpoints limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reply_has_ids_and_a_wrong_key_is_refused),
        cmocka_unit_test(accounts_show_what_their_kind_of_key_may_see),
        cmocka_unit_test(a_personal_key_of_two_organizations_has_to_name_one),
        cmocka_unit_test(a_project_key_sees_its_project_and_nothing_else),
        cmocka_unit_test(a_new_project_comes_with_branch_endpoint_role_and_database),
        cmocka_unit_test(projects_are_listed_by_page_and_found_by_parts_of_their_names),
        cmocka_unit_test(a_deleted_project_is_gone_even_while_its_operations_run),
        cmocka_unit_test(a_project_whose_operations_run_is_locked),
        cmocka_unit_test(wrong_types_get_400_and_never_5xx),
        cmocka_unit_test(the_state_counts_what_was_made_and_called),
        cmocka_unit_test(the_log_names_calls_and_no_secret),
        cmocka_unit_test(a_wrong_command_line_or_folder_is_refused),
        cmocka_unit_test(read_only_endpoints_meet_their_limit),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
