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

static void assert_error(const Reply *reply, long status, const char *code, const char *part)
{
    assert_int_equal(reply->status, status);
    assert_string_equal(box_string(reply->json, "code"), code);
    if (strstr(box_string(reply->json, "message"), part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, box_string(reply->json, "message"));
    }
    assert_true(strlen(box_string(reply->json, "request_id")) > 0);
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
    assert_error(&wrong, 401, "", "supplied credentials do not pass authentication");
    assert_string_equal(box_string(wrong.json, "request_id"), "my-id-1");
    assert_int_equal(strlen(wrong.request_id), 36);

    REPLY none = box_call_as(&box, NULL, NULL, "GET", "/auth", NULL);
    assert_int_equal(none.status, 401);
    REPLY unknown = box_call(&box, "GET", "/no/such/thing", NULL);
    assert_error(&unknown, 404, "", "this route does not exist");
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
    assert_error(&not_me, 404, "", "not allowed for organization API keys");

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
    assert_error(&list, 400, "", "org_id is required");
    REPLY create = box_call_as(&box, KEY, NULL, "POST", "/projects", "{\"project\":{}}");
    assert_error(&create, 400, "", "org_id is required");
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
    assert_error(&masked, 404, "", box_text("subject_project_id:\"%s\"", id));
    REPLY list = box_call_as(&box, key, NULL, "GET", "/projects", NULL);
    assert_error(&list, 404, "", "outside the project this key is scoped to");
    REPLY create = box_call_as(&box, key, NULL, "POST", "/projects", "{\"project\":{}}");
    assert_int_equal(create.status, 404);
    REPLY drop = box_call_as(&box, key, NULL, "DELETE", box_text("/projects/%s", id), NULL);
    assert_int_equal(drop.status, 404);
    REPLY foreign =
        box_call_as(&box, "sandbox-other-key", NULL, "GET", box_text("/projects/%s", id), NULL);
    assert_error(&foreign, 404, "", "project not found");
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
    assert_error(&missing, 404, "", "project not found");
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 404);
}

static void a_project_whose_operations_run_is_locked(void **state)
{
    (void)state;
    REPLY made = box_call(&box, "POST", "/projects", "{\"project\":{\"name\":\"busy\"}}");
    const char *id = box_string(made.json, "project.id");
    const char *path = box_text("/projects/%s/branches", id);
    REPLY locked = box_call(&box, "POST", path, "{\"branch\":{\"name\":\"b\"}}");
    assert_error(&locked, 423, "",
                 "project already has running conflicting operations, scheduling of new ones is "
                 "prohibited");
    box_wait(&box, id);
    REPLY list = box_call(&box, "GET", path, NULL);
    assert_int_equal(json_array_size(box_find(list.json, "branches")), 1);
    assert_int_equal(box_status(&box, "POST", path, "{\"branch\":{\"name\":\"b\"}}"), 201);
}

static void branch_names_are_unique_and_annotations_come_back(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"tree\"}}");
    const char *id = box_string(made.json, "project.id");
    const char *path = box_text("/projects/%s/branches", id);
    REPLY first = box_call(&box, "POST", path,
                           "{\"branch\":{\"name\":\"dev\"},\"endpoints\":[{\"type\":\"read_write\","
                           "\"autoscaling_limit_min_cu\":0.5,\"autoscaling_limit_max_cu\":2}],"
                           "\"annotation_value\":{\"k\":\"v\"}}");
    assert_int_equal(first.status, 201);
    assert_string_equal(box_string(first.json, "operations.0.action"), "create_branch");
    assert_string_equal(box_string(first.json, "operations.1.action"), "start_compute");
    assert_string_equal(box_string(first.json, "branch.parent_id"),
                        box_string(made.json, "branch.id"));
    assert_int_equal(box_integer(first.json, "endpoints.0.autoscaling_limit_max_cu"), 2);
    assert_non_null(box_find(first.json, "connection_uris.0"));
    box_wait(&box, id);
    REPLY twice = box_call(&box, "POST", path, "{\"branch\":{\"name\":\"dev\"}}");
    assert_error(&twice, 409, "BRANCH_ALREADY_EXISTS", "already exists");
    assert_int_equal(box_status(&box, "POST", path, "{\"branch\":{\"parent_id\":\"br-none\"}}"),
                     404);
    REPLY list = box_call(&box, "GET", box_text("%s?search=de", path), NULL);
    assert_int_equal(json_array_size(box_find(list.json, "branches")), 1);
    const char *branch = box_string(first.json, "branch.id");
    assert_string_equal(box_string(list.json, box_text("annotations.%s.value.k", branch)), "v");
    /* A child has its parent's roles, with the same passwords. */
    REPLY revealed = box_call(
        &box, "GET", box_text("%s/%s/roles/neondb_owner/reveal_password", path, branch), NULL);
    assert_string_equal(box_string(revealed.json, "password"),
                        box_string(made.json, "roles.0.password"));
}

static void branches_are_listed_by_page_in_any_order(void **state)
{
    (void)state;
    static const char *const QUERIES[] = {"sort_by=name&sort_order=asc",
                                          "sort_by=created_at&sort_order=desc", ""};
    REPLY made = box_create_project(&box, "{\"project\":{\"branch\":{\"name\":\"n9\"}}}");
    const char *id = box_string(made.json, "project.id");
    const char *path = box_text("/projects/%s/branches", id);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(
            box_status(&box, "POST", path, box_text("{\"branch\":{\"name\":\"n%d\"}}", i)), 201);
        box_wait(&box, id);
    }
    for (size_t q = 0; q < sizeof(QUERIES) / sizeof(QUERIES[0]); q++) {
        char names[64] = "";
        const char *cursor = "";
        for (int page = 0; page < 10; page++) {
            REPLY reply = box_call(
                &box, "GET", box_text("%s?limit=3&%s&cursor=%s", path, QUERIES[q], cursor), NULL);
            assert_int_equal(reply.status, 200);
            size_t i = 0;
            const json_t *branch = NULL;
            json_array_foreach(box_find(reply.json, "branches"), i, branch)
            {
                strncat(names, box_string(branch, "name") + 1, sizeof(names) - strlen(names) - 1);
            }
            if (i == 0) {
                assert_null(box_find(reply.json, "pagination.next"));
                break;
            }
            cursor = box_text("%s", box_string(reply.json, "pagination.next"));
        }
        assert_int_equal(strlen(names), 7);
        assert_string_equal(names, q == 0 ? "0123459" : q == 1 ? "5432109" : names);
    }
    assert_int_equal(box_status(&box, "GET", box_text("%s?sort_by=size", path), NULL), 400);
    assert_int_equal(box_status(&box, "GET", box_text("%s?cursor=xx", path), NULL), 400);
}

static void branches_that_matter_are_not_deleted(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"rules\"}}");
    const char *id = box_string(made.json, "project.id");
    const char *path = box_text("/projects/%s/branches", id);
    REPLY parent = box_call(&box, "POST", path, "{\"branch\":{\"name\":\"parent\"}}");
    box_wait(&box, id);
    REPLY child = box_call(&box, "POST", path,
                           box_text("{\"branch\":{\"name\":\"child\",\"parent_id\":\"%s\"}}",
                                    box_string(parent.json, "branch.id")));
    box_wait(&box, id);
    REPLY guarded =
        box_call(&box, "POST", path, "{\"branch\":{\"name\":\"guarded\",\"protected\":true}}");
    box_wait(&box, id);
    REPLY main =
        box_call(&box, "DELETE", box_text("%s/%s", path, box_string(made.json, "branch.id")), NULL);
    assert_error(&main, 422, "", "default branch");
    REPLY has_child = box_call(&box, "DELETE",
                               box_text("%s/%s", path, box_string(parent.json, "branch.id")), NULL);
    assert_error(&has_child, 422, "", "children");
    REPLY held = box_call(&box, "DELETE",
                          box_text("%s/%s", path, box_string(guarded.json, "branch.id")), NULL);
    assert_error(&held, 422, "", "cannot delete protected branch");
    assert_int_equal(box_status(&box, "DELETE", box_text("/projects/%s", id), NULL), 422);

    const char *leaf = box_text("%s/%s", path, box_string(child.json, "branch.id"));
    REPLY gone = box_call(&box, "DELETE", leaf, NULL);
    assert_int_equal(gone.status, 200);
    assert_true(json_array_size(box_find(gone.json, "operations")) > 0);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", leaf, NULL), 204);
    assert_int_equal(box_status(&box, "GET", leaf, NULL), 404);
    REPLY list = box_call(&box, "GET", path, NULL);
    assert_int_equal(json_array_size(box_find(list.json, "branches")), 3);
    REPLY all = box_call(&box, "GET", box_text("%s?include_deleted=true", path), NULL);
    assert_int_equal(json_array_size(box_find(all.json, "branches")), 4);
    REPLY freed = box_call(&box, "DELETE",
                           box_text("%s/%s", path, box_string(parent.json, "branch.id")), NULL);
    assert_int_equal(freed.status, 200);
}

static void a_branch_has_one_read_write_endpoint_within_limits(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        long status;
    } CASES[] = {
        {"\"autoscaling_limit_min_cu\":0.1", 400},
        {"\"autoscaling_limit_min_cu\":3,\"autoscaling_limit_max_cu\":2", 400},
        {"\"autoscaling_limit_min_cu\":0.25,\"autoscaling_limit_max_cu\":9", 400},
        {"\"autoscaling_limit_min_cu\":0.3", 400},
        {"\"suspend_timeout_seconds\":59", 400},
        {"\"suspend_timeout_seconds\":604801", 400},
        {"\"suspend_timeout_seconds\":-2", 400},
        {"\"settings\":{}", 400},
        {"\"autoscaling_limit_min_cu\":1,\"autoscaling_limit_max_cu\":4,"
         "\"suspend_timeout_seconds\":-1,\"settings\":{\"pg_settings\":{}}",
         201},
        {"\"autoscaling_limit_min_cu\":1", 409},
    };
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"ep\"}}");
    const char *id = box_string(made.json, "project.id");
    REPLY bare = box_call(&box, "POST", box_text("/projects/%s/branches", id),
                          "{\"branch\":{\"name\":\"bare\"}}");
    const char *branch = box_string(bare.json, "branch.id");
    box_wait(&box, id);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        REPLY reply =
            box_call(&box, "POST", box_text("/projects/%s/endpoints", id),
                     box_text("{\"endpoint\":{\"branch_id\":\"%s\",\"type\":\"read_write\",%s}}",
                              branch, CASES[i].settings));
        assert_int_equal(reply.status, CASES[i].status);
        box_wait(&box, id);
    }
    REPLY all = box_call(&box, "GET", box_text("/projects/%s/endpoints", id), NULL);
    assert_int_equal(json_array_size(box_find(all.json, "endpoints")), 2);
    REPLY own =
        box_call(&box, "GET", box_text("/projects/%s/branches/%s/endpoints", id, branch), NULL);
    assert_int_equal(json_array_size(box_find(own.json, "endpoints")), 1);
    const char *endpoint =
        box_text("/projects/%s/endpoints/%s", id, box_string(own.json, "endpoints.0.id"));
    assert_int_equal(box_status(&box, "POST", box_text("%s/suspend", endpoint), NULL), 200);
    box_wait(&box, id);
    REPLY idle = box_call(&box, "GET", endpoint, NULL);
    assert_string_equal(box_string(idle.json, "endpoint.current_state"), "idle");
    assert_int_equal(box_status(&box, "POST", box_text("%s/start", endpoint), NULL), 200);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", endpoint, NULL), 200);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "GET", endpoint, NULL), 404);
    assert_int_equal(box_status(&box, "DELETE", endpoint, NULL), 204);
}

static void roles_are_made_with_a_password_that_can_be_revealed_and_reset(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"roles\"}}");
    const char *id = box_string(made.json, "project.id");
    const char *path =
        box_text("/projects/%s/branches/%s/roles", id, box_string(made.json, "branch.id"));
    REPLY first = box_call(&box, "POST", path, "{\"role\":{\"name\":\"a/b\"}}");
    assert_int_equal(first.status, 201);
    assert_string_equal(box_string(first.json, "operations.0.action"), "apply_config");
    box_wait(&box, id);
    REPLY twice = box_call(&box, "POST", path, "{\"role\":{\"name\":\"a/b\"}}");
    assert_int_equal(twice.status, 409);
    assert_int_equal(box_status(&box, "POST", path, "{\"role\":{\"name\":\"pg_x\"}}"), 400);
    assert_int_equal(box_status(&box, "POST", path, "{\"role\":{}}"), 400);
    const char *role = box_text("%s/a%%2Fb", path);
    REPLY got = box_call(&box, "GET", role, NULL);
    assert_int_equal(got.status, 200);
    assert_null(box_find(got.json, "role.password"));
    REPLY shown = box_call(&box, "GET", box_text("%s/reveal_password", role), NULL);
    assert_string_equal(box_string(shown.json, "password"),
                        box_string(first.json, "role.password"));
    REPLY reset = box_call(&box, "POST", box_text("%s/reset_password", role), NULL);
    assert_int_equal(reset.status, 200);
    assert_string_not_equal(box_string(reset.json, "role.password"),
                            box_string(first.json, "role.password"));
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", box_text("%s/neondb_owner", path), NULL), 422);
    assert_int_equal(box_status(&box, "DELETE", role, NULL), 200);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", role, NULL), 204);
    assert_int_equal(box_status(&box, "GET", role, NULL), 404);
}

static void passwords_that_are_not_stored_are_not_revealed(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"store_passwords\":false}}");
    const char *id = box_string(made.json, "project.id");
    REPLY hidden = box_call(&box, "GET",
                            box_text("/projects/%s/branches/%s/roles/neondb_owner/reveal_password",
                                     id, box_string(made.json, "branch.id")),
                            NULL);
    assert_error(&hidden, 412, "", "Storing passwords is disabled");
}

static void databases_have_an_owner_that_exists(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"dbs\"}}");
    const char *id = box_string(made.json, "project.id");
    const char *path =
        box_text("/projects/%s/branches/%s/databases", id, box_string(made.json, "branch.id"));
    REPLY orphan =
        box_call(&box, "POST", path, "{\"database\":{\"name\":\"x\",\"owner_name\":\"nobody\"}}");
    assert_error(&orphan, 404, "", "database owner not found; role_name:\"nobody\"");
    static const char BODY[] = "{\"database\":{\"name\":\"x\",\"owner_name\":\"neondb_owner\"}}";
    assert_int_equal(box_status(&box, "POST", path, BODY), 201);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "POST", path, BODY), 409);
    REPLY list = box_call(&box, "GET", path, NULL);
    assert_int_equal(json_array_size(box_find(list.json, "databases")), 2);
    assert_int_equal(box_status(&box, "GET", box_text("%s/x", path), NULL), 200);
    assert_int_equal(box_status(&box, "DELETE", box_text("%s/x", path), NULL), 200);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "DELETE", box_text("%s/x", path), NULL), 204);
    assert_int_equal(box_status(&box, "GET", box_text("%s/x", path), NULL), 404);
}

static void a_connection_uri_names_the_pooled_or_the_direct_host(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"uri\"}}");
    const char *path = box_text(
        "/projects/%s/connection_uri?database_name=neondb&role_name=neondb_owner&branch_id=%s",
        box_string(made.json, "project.id"), box_string(made.json, "branch.id"));
    REPLY direct = box_call(&box, "GET", box_text("%s&pooled=false", path), NULL);
    assert_string_equal(box_string(direct.json, "uri"),
                        box_string(made.json, "connection_uris.0.connection_uri"));
    REPLY pooled = box_call(&box, "GET", box_text("%s&pooled=true", path), NULL);
    assert_non_null(strstr(box_string(pooled.json, "uri"), "-pooler.localhost:"));
    assert_non_null(strstr(box_string(pooled.json, "uri"), "hostaddr=127.0.0.1"));
    assert_int_equal(box_status(&box, "GET",
                                box_text("/projects/%s/connection_uri?role_name=neondb_owner",
                                         box_string(made.json, "project.id")),
                                NULL),
                     400);
}

static void operations_are_listed_newest_first_by_page(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"ops\"}}");
    const char *path = box_text("/projects/%s/operations", box_string(made.json, "project.id"));
    REPLY first = box_call(&box, "GET", box_text("%s?limit=1", path), NULL);
    assert_string_equal(box_string(first.json, "operations.0.id"),
                        box_string(made.json, "operations.1.id"));
    REPLY second = box_call(
        &box, "GET",
        box_text("%s?limit=1&cursor=%s", path, box_string(first.json, "pagination.cursor")), NULL);
    assert_string_equal(box_string(second.json, "operations.0.id"),
                        box_string(made.json, "operations.0.id"));
    REPLY end = box_call(
        &box, "GET", box_text("%s?cursor=%s", path, box_string(second.json, "pagination.cursor")),
        NULL);
    assert_int_equal(json_array_size(box_find(end.json, "operations")), 0);
    assert_null(box_find(end.json, "pagination"));
    REPLY one = box_call(&box, "GET",
                         box_text("%s/%s", path, box_string(made.json, "operations.0.id")), NULL);
    assert_string_equal(box_string(one.json, "operation.status"), "finished");
    assert_true(box_integer(one.json, "operation.total_duration_ms") >= 19);
    assert_int_equal(box_status(&box, "GET",
                                box_text("%s/%s", path, "00000000-0000-4000-8000-000000000000"),
                                NULL),
                     404);
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
    static const char *const PATHS[] = {"/projects/%zz", "/projects//branches", "/projects/%00",
                                        "/projects/a%ff"};
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        assert_int_equal(box_status(&box, "GET", PATHS[i], NULL), 404);
    }
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
        cmocka_unit_test(branch_names_are_unique_and_annotations_come_back),
        cmocka_unit_test(branches_are_listed_by_page_in_any_order),
        cmocka_unit_test(branches_that_matter_are_not_deleted),
        cmocka_unit_test(a_branch_has_one_read_write_endpoint_within_limits),
        cmocka_unit_test(roles_are_made_with_a_password_that_can_be_revealed_and_reset),
        cmocka_unit_test(passwords_that_are_not_stored_are_not_revealed),
        cmocka_unit_test(databases_have_an_owner_that_exists),
        cmocka_unit_test(a_connection_uri_names_the_pooled_or_the_direct_host),
        cmocka_unit_test(operations_are_listed_newest_first_by_page),
        cmocka_unit_test(wrong_types_get_400_and_never_5xx),
        cmocka_unit_test(the_state_counts_what_was_made_and_called),
        cmocka_unit_test(the_log_names_calls_and_no_secret),
        cmocka_unit_test(a_wrong_command_line_or_folder_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
