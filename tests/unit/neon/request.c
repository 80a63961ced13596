#include "neon/request.h"

#include "unit.h"

static void assert_request(const NeonRequest *request, const char *line, const char *body)
{
    assert_true(text_ok(&request->path));
    assert_true(text_ok(&request->body));
    size_t method = strlen(request->method);
    assert_memory_equal(line, request->method, method);
    assert_int_equal(line[method], ' ');
    assert_string_equal(text_get(&request->path), line + method + 1);
    if (body[0] == '\0') {
        assert_string_equal(text_get(&request->body), "");
        return;
    }
    CLEANUP(unit_free_at) json_t *expected = unit_json(body);
    CLEANUP(unit_free_at) json_t *actual = json_loads(text_get(&request->body), 0, NULL);
    if (!json_equal(expected, actual)) {
        print_error("%s\n", text_get(&request->body));
        fail();
    }
}

static void paths_follow_the_api(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    neon_request_auth(&request);
    assert_request(&request, "GET /auth", "");
    neon_request_organizations(&request);
    assert_request(&request, "GET /users/me/organizations", "");
    neon_request_regions(&request, "");
    assert_request(&request, "GET /regions", "");
    neon_request_regions(&request, "org-1");
    assert_request(&request, "GET /regions?org_id=org-1", "");
    neon_request_project(&request, "p-1");
    assert_request(&request, "GET /projects/p-1", "");
    neon_request_delete_project(&request, "p-1");
    assert_request(&request, "DELETE /projects/p-1", "");
    neon_request_branch(&request, "p-1", "br-1");
    assert_request(&request, "GET /projects/p-1/branches/br-1", "");
    neon_request_delete_branch(&request, "p-1", "br-1");
    assert_request(&request, "DELETE /projects/p-1/branches/br-1", "");
    neon_request_endpoints(&request, "p-1", "br-1");
    assert_request(&request, "GET /projects/p-1/branches/br-1/endpoints", "");
    neon_request_endpoint(&request, "p-1", "ep-1");
    assert_request(&request, "GET /projects/p-1/endpoints/ep-1", "");
    neon_request_databases(&request, "p-1", "br-1");
    assert_request(&request, "GET /projects/p-1/branches/br-1/databases", "");
    neon_request_roles(&request, "p-1", "br-1");
    assert_request(&request, "GET /projects/p-1/branches/br-1/roles", "");
    neon_request_reveal_password(&request, "p-1", "br-1", "owner");
    assert_request(&request, "GET /projects/p-1/branches/br-1/roles/owner/reveal_password", "");
    neon_request_reset_password(&request, "p-1", "br-1", "owner");
    assert_request(&request, "POST /projects/p-1/branches/br-1/roles/owner/reset_password", "");
    neon_request_operation(&request, "p-1", "op-1");
    assert_request(&request, "GET /projects/p-1/operations/op-1", "");
    neon_request_clear(&request);
    assert_int_equal(request.route, NEON_ROUTE_NONE);
    assert_string_equal(request.method, "");
    assert_string_equal(text_get(&request.path), "");
}

static void lists_ask_for_large_stable_pages(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    neon_request_projects(&request, "", "", "");
    assert_request(&request, "GET /projects?limit=400&timeout=30000", "");
    neon_request_projects(&request, "shop live", "org-1", "c=1&x");
    assert_request(
        &request,
        "GET /projects?limit=400&timeout=30000&search=shop%20live&org_id=org-1&cursor=c%3D1%26x",
        "");
    neon_request_branches(&request, "p-1", "", NULL, false);
    assert_request(&request,
                   "GET /projects/p-1/branches?sort_by=created_at&sort_order=asc&limit=10000", "");
    neon_request_branches(&request, "p-1", "preview/pr-7", "abc=", true);
    assert_request(&request,
                   "GET /projects/p-1/branches?sort_by=created_at&sort_order=asc&limit=10000&"
                   "search=preview%2Fpr-7&cursor=abc%3D&include_deleted=true",
                   "");
    neon_request_clear(&request);
}

static void a_segment_can_not_leave_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *role;
        const char *line;
    } CASES[] = {
        {"..", "GET /projects/p/branches/b/roles/%2E%2E/reveal_password"},
        {".", "GET /projects/p/branches/b/roles/%2E/reveal_password"},
        {"...", "GET /projects/p/branches/b/roles/.../reveal_password"},
        {".x", "GET /projects/p/branches/b/roles/.x/reveal_password"},
        {"a/../b", "GET /projects/p/branches/b/roles/a%2F..%2Fb/reveal_password"},
        {"a?b#c%20", "GET /projects/p/branches/b/roles/a%3Fb%23c%2520/reveal_password"},
        {"r\xc3\xb6le {x}", "GET /projects/p/branches/b/roles/r%C3%B6le%20%7Bx%7D/reveal_password"},
    };
    NeonRequest request = NEON_REQUEST_INIT;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        neon_request_reveal_password(&request, "p", "b", CASES[i].role);
        assert_request(&request, CASES[i].line, "");
    }
    neon_request_clear(&request);
}

static void a_connection_uri_is_asked_for_exactly(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    NeonUriSpec spec = {"p-1", "br-1", "ep-1", "my db", "owner", true};
    neon_request_connection_uri(&request, &spec);
    assert_request(&request,
                   "GET /projects/p-1/connection_uri?branch_id=br-1&endpoint_id=ep-1&"
                   "database_name=my%20db&role_name=owner&pooled=true",
                   "");
    spec.pooled = false;
    neon_request_connection_uri(&request, &spec);
    assert_request(&request,
                   "GET /projects/p-1/connection_uri?branch_id=br-1&endpoint_id=ep-1&"
                   "database_name=my%20db&role_name=owner&pooled=false",
                   "");
    neon_request_clear(&request);
}

static void a_project_s_body_holds_what_was_given(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    NeonProjectSpec spec = {.name = "shop-live", .region_id = "aws-eu-central-1"};
    neon_request_create_project(&request, &spec);
    assert_request(&request, "POST /projects",
                   "{'project':{'name':'shop-live','region_id':'aws-eu-central-1'}}");
    spec = (NeonProjectSpec){
        .name = "shop-live \"1\"",
        .region_id = "aws-eu-central-1",
        .org_id = "org-1",
        .pg_version = 17,
        .has_history_retention = true,
        .history_retention_seconds = 0,
        .branch_name = "main",
        .database_name = "shop",
        .endpoint = {true, true, true, 0.25, 2, -1},
        .mark = {"i", "a", "e", "c"},
    };
    neon_request_create_project(&request, &spec);
    assert_request(&request, "POST /projects",
                   "{'project':{'name':'shop-live \\'1\\'','region_id':'aws-eu-central-1',"
                   "'org_id':'org-1','pg_version':17,'history_retention_seconds':0,"
                   "'branch':{'name':'main','database_name':'shop','annotations':{"
                   "'provisioner.installation':'i','provisioner.application':'a',"
                   "'provisioner.environment':'e','provisioner.command':'c'}},"
                   "'default_endpoint_settings':{'autoscaling_limit_min_cu':0.25,"
                   "'autoscaling_limit_max_cu':2,'suspend_timeout_seconds':-1}}}");
    neon_request_clear(&request);
}

static void a_branch_comes_with_one_read_write_endpoint(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    NeonBranchSpec spec = {.name = "preview/pr-7", .parent_id = "br-1"};
    neon_request_create_branch(&request, "p-1", &spec);
    assert_request(&request, "POST /projects/p-1/branches",
                   "{'branch':{'name':'preview/pr-7','parent_id':'br-1'},"
                   "'endpoints':[{'type':'read_write'}]}");
    spec.endpoint = (NeonEndpointSpec){.has_suspend = true, .suspend_timeout_seconds = 0};
    spec.mark = (NeonMark){"i", "a", "e", "c"};
    neon_request_create_branch(&request, "p-1", &spec);
    assert_request(&request, "POST /projects/p-1/branches",
                   "{'branch':{'name':'preview/pr-7','parent_id':'br-1'},"
                   "'endpoints':[{'type':'read_write','suspend_timeout_seconds':0}],"
                   "'annotation_value':{'provisioner.installation':'i',"
                   "'provisioner.application':'a','provisioner.environment':'e',"
                   "'provisioner.command':'c'}}");
    neon_request_clear(&request);
}

static void an_endpoint_names_its_branch(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    NeonEndpointSpec spec = {.has_min_cu = true, .min_cu = 1, .has_max_cu = true, .max_cu = 0.5};
    neon_request_create_endpoint(&request, "p-1", "br-1", &spec);
    assert_request(&request, "POST /projects/p-1/endpoints",
                   "{'endpoint':{'branch_id':'br-1','type':'read_write',"
                   "'autoscaling_limit_min_cu':1,'autoscaling_limit_max_cu':0.5}}");
    neon_request_clear(&request);
}

static void a_branch_may_begin_earlier_empty_and_for_a_time(void **state)
{
    (void)state;
    static const NeonAnnotation ANNOTATIONS[] = {{"provisioner.git_ref", "refs/heads/x"},
                                                 {"provisioner.git_sha", ""}};
    NeonRequest request = NEON_REQUEST_INIT;
    NeonBranchSpec spec = {.name = "pr",
                           .parent_id = "br-1",
                           .parent_lsn = "0/1A2B3C4D",
                           .schema_only = true,
                           .annotations = ANNOTATIONS,
                           .annotation_count = 2};
    neon_request_create_branch(&request, "p-1", &spec);
    assert_request(&request, "POST /projects/p-1/branches",
                   "{'branch':{'name':'pr','parent_id':'br-1','parent_lsn':'0/1A2B3C4D',"
                   "'init_source':'schema-only'},'endpoints':[{'type':'read_write'}],"
                   "'annotation_value':{'provisioner.git_ref':'refs/heads/x'}}");
    spec = (NeonBranchSpec){
        .name = "pr", .parent_id = "br-1", .parent_ms = 1795334820250, .expires_ms = 1795334820000};
    neon_request_create_branch(&request, "p-1", &spec);
    assert_request(&request, "POST /projects/p-1/branches",
                   "{'branch':{'name':'pr','parent_id':'br-1','parent_timestamp':"
                   "'2026-11-22T08:07:00.250Z','expires_at':'2026-11-22T08:07:00Z'},"
                   "'endpoints':[{'type':'read_write'}]}");
    neon_request_clear(&request);
}

static void a_change_names_only_what_changes(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    neon_request_update_project(&request, "p-1", 0);
    assert_request(&request, "PATCH /projects/p-1", "{'project':{'history_retention_seconds':0}}");
    NeonEndpointSpec spec = {.has_suspend = true, .suspend_timeout_seconds = -1};
    neon_request_update_endpoint(&request, "p-1", "ep-1", &spec);
    assert_request(&request, "PATCH /projects/p-1/endpoints/ep-1",
                   "{'endpoint':{'suspend_timeout_seconds':-1}}");
    neon_request_delete_endpoint(&request, "p-1", "ep-1");
    assert_request(&request, "DELETE /projects/p-1/endpoints/ep-1", "");
    neon_request_expire_branch(&request, "p-1", "br-1", 1795334820250);
    assert_request(&request, "PATCH /projects/p-1/branches/br-1",
                   "{'branch':{'expires_at':'2026-11-22T08:07:00Z'}}");
    neon_request_restore_branch(&request, "p-1", "br-1", "br-parent", "");
    assert_request(&request, "POST /projects/p-1/branches/br-1/restore",
                   "{'source_branch_id':'br-parent'}");
    neon_request_restore_branch(&request, "p-1", "br-1", "br-parent", "before");
    assert_request(&request, "POST /projects/p-1/branches/br-1/restore",
                   "{'source_branch_id':'br-parent','preserve_under_name':'before'}");
    neon_request_clear(&request);
}

static void a_text_that_is_no_utf8_fails_the_body(void **state)
{
    (void)state;
    NeonRequest request = NEON_REQUEST_INIT;
    NeonBranchSpec spec = {.name = "bad \xff", .parent_id = "br-1"};
    neon_request_create_branch(&request, "p-1", &spec);
    assert_false(text_ok(&request.body));
    spec.name = "good";
    neon_request_create_branch(&request, "p-1", &spec);
    assert_true(text_ok(&request.body));
    neon_request_clear(&request);
}

static void routes_have_names_and_tell_whether_they_change_something(void **state)
{
    (void)state;
    size_t mutating = 0;
    for (NeonRoute route = NEON_ROUTE_NONE; route < NEON_ROUTE_COUNT_OF; route++) {
        assert_non_null(neon_route_name(route));
        mutating += neon_route_is_mutating(route) ? 1 : 0;
    }
    assert_int_equal(mutating, 11);
    assert_false(neon_route_is_mutating(NEON_ROUTE_NONE));
    assert_false(neon_route_is_mutating(NEON_ROUTE_REVEAL_PASSWORD));
    assert_true(neon_route_is_mutating(NEON_ROUTE_RESET_PASSWORD));
    assert_true(neon_route_is_mutating(NEON_ROUTE_DELETE_BRANCH));
    assert_string_equal(neon_route_name(NEON_ROUTE_CREATE_BRANCH),
                        "POST /projects/{project_id}/branches");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_follow_the_api),
        cmocka_unit_test(lists_ask_for_large_stable_pages),
        cmocka_unit_test(a_segment_can_not_leave_its_place),
        cmocka_unit_test(a_connection_uri_is_asked_for_exactly),
        cmocka_unit_test(a_project_s_body_holds_what_was_given),
        cmocka_unit_test(a_branch_comes_with_one_read_write_endpoint),
        cmocka_unit_test(an_endpoint_names_its_branch),
        cmocka_unit_test(a_branch_may_begin_earlier_empty_and_for_a_time),
        cmocka_unit_test(a_change_names_only_what_changes),
        cmocka_unit_test(a_text_that_is_no_utf8_fails_the_body),
        cmocka_unit_test(routes_have_names_and_tell_whether_they_change_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
