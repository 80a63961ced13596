/* What a project holds (--no-compute): branches, endpoints, roles, databases, operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static void branch_names_are_unique_and_annotations_come_back(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"tree\"}}");
    const char *id = box_string(made.json, "project.id");
    const char *path = box_text("/projects/%s/branches", id);
    REPLY first = box_call(
        &box, "POST", path,
        "{\"branch\":{\"name\":\"dev-branch-one\"},\"endpoints\":[{\"type\":\"read_write\","
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
    REPLY twice = box_call(&box, "POST", path, "{\"branch\":{\"name\":\"dev-branch-one\"}}");
    box_assert_error(&twice, 409, "BRANCH_ALREADY_EXISTS", "already exists");
    assert_int_equal(box_status(&box, "POST", path, "{\"branch\":{\"parent_id\":\"br-none\"}}"),
                     404);
    REPLY list = box_call(&box, "GET", box_text("%s?search=v-branch-o", path), NULL);
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
    box_assert_error(&main, 422, "", "default branch");
    REPLY has_child = box_call(&box, "DELETE",
                               box_text("%s/%s", path, box_string(parent.json, "branch.id")), NULL);
    box_assert_error(&has_child, 422, "", "children");
    REPLY held = box_call(&box, "DELETE",
                          box_text("%s/%s", path, box_string(guarded.json, "branch.id")), NULL);
    box_assert_error(&held, 422, "", "cannot delete protected branch");
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
    box_assert_error(&hidden, 412, "", "Storing passwords is disabled");
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
    box_assert_error(&orphan, 404, "", "database owner not found; role_name:\"nobody\"");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(branch_names_are_unique_and_annotations_come_back),
        cmocka_unit_test(branches_are_listed_by_page_in_any_order),
        cmocka_unit_test(branches_that_matter_are_not_deleted),
        cmocka_unit_test(a_branch_has_one_read_write_endpoint_within_limits),
        cmocka_unit_test(roles_are_made_with_a_password_that_can_be_revealed_and_reset),
        cmocka_unit_test(passwords_that_are_not_stored_are_not_revealed),
        cmocka_unit_test(databases_have_an_owner_that_exists),
        cmocka_unit_test(a_connection_uri_names_the_pooled_or_the_direct_host),
        cmocka_unit_test(operations_are_listed_newest_first_by_page),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
