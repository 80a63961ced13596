/* Deleted branches come back with what was in them. */
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

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static int start_api(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "1", NULL};
    box_start(&box, ARGUMENTS);
    return 0;
}

static const char *make_project(void)
{
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    return box_text("%s", box_string(made.json, "project.id"));
}

/* The path of a new branch. */
static const char *make_branch(const char *project, const char *body)
{
    REPLY made = box_call(&box, "POST", box_text("/projects/%s/branches", project), body);
    assert_int_equal(made.status, 201);
    box_wait(&box, project);
    return box_text("/projects/%s/branches/%s", project, box_string(made.json, "branch.id"));
}

static void delete_branch(const char *project, const char *path)
{
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    box_wait(&box, project);
}

static void a_branch_is_recovered_with_its_data_and_connection_string(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "20", "--keep-deleted", NULL};
    box_start(&box, ARGUMENTS);
    const char *main_uri = NULL;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &main_uri);
    const char *project = box_string(made.json, "project.id");
    REPLY dev = login_create_branch(&box, project, "dev", &uri);
    login_assert(&box, uri, "CREATE TABLE t AS SELECT 'here' AS name", "");
    const char *path =
        box_text("/projects/%s/branches/%s", project, box_string(dev.json, "branch.id"));
    REPLY dropped = box_call(&box, "DELETE", path, NULL);
    assert_int_equal(dropped.status, 200);
    box_wait(&box, project);
    assert_null(login_query(login_verify(&box, uri), "SELECT 1", NULL));
    REPLY recovered = box_call(&box, "POST", box_text("%s/recover", path), NULL);
    assert_int_equal(recovered.status, 200);
    assert_string_equal(box_string(recovered.json, "branch.name"), "dev");
    assert_string_equal(box_string(recovered.json, "endpoints.0.current_state"), "idle");
    assert_string_equal(box_string(recovered.json, "endpoints.0.id"),
                        box_string(dev.json, "endpoints.0.id"));
    login_assert(&box, uri, "SELECT name FROM t", "here");
    /* For good means for good. */
    assert_int_equal(box_status(&box, "DELETE", box_text("%s?hard_delete=true", path), NULL), 200);
    box_wait(&box, project);
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 404);
    box_stop(&box);
}

static void without_being_asked_clusters_are_not_kept(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "20", NULL};
    box_start(&box, ARGUMENTS);
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *project = box_string(made.json, "project.id");
    const char *path = make_branch(project, "{}");
    delete_branch(project, path);
    REPLY list = box_call(&box, "GET",
                          box_text("/projects/%s/branches?include_deleted=true", project), NULL);
    assert_int_equal(json_array_size(box_find(list.json, "branches")), 1);
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 404);
    box_stop(&box);
}

static void deleted_branches_are_listed_until_they_are_back(void **state)
{
    (void)state;
    const char *project = make_project();
    const char *path = make_branch(project, "{\"branch\":{\"name\":\"lost\"},\"endpoints\":"
                                            "[{\"type\":\"read_write\"}]}");
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 404);
    REPLY roles = box_call(&box, "GET", box_text("%s/roles", path), NULL);
    REPLY before = box_call(&box, "GET", "/sandbox/state", NULL);
    delete_branch(project, path);
    REPLY gone = box_call(&box, "GET", "/sandbox/state", NULL);
    static const char *const KINDS[] = {"branches", "endpoints", "roles", "databases"};
    for (size_t i = 0; i < 4; i++) {
        const char *place = box_text("deleted.%s", KINDS[i]);
        assert_int_equal(box_integer(gone.json, place), box_integer(before.json, place) + 1);
    }
    const char *listing =
        box_text("/projects/%s/branches?search=lost&include_deleted=true", project);
    REPLY lost = box_call(&box, "GET", listing, NULL);
    assert_string_equal(box_string(lost.json, "branches.0.recovery.deletion_method"), "user");
    assert_non_null(box_find(lost.json, "branches.0.recovery.recoverable_until"));
    assert_int_equal(box_status(&box, "GET", path, NULL), 404);
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 204);

    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 200);
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 404);
    REPLY found = box_call(&box, "GET", listing, NULL);
    assert_int_equal(json_array_size(box_find(found.json, "branches")), 1);
    assert_null(box_find(found.json, "branches.0.recovery"));
    REPLY roles_now = box_call(&box, "GET", box_text("%s/roles", path), NULL);
    assert_true(json_equal(roles.json, roles_now.json));
    REPLY after = box_call(&box, "GET", "/sandbox/state", NULL);
    for (size_t i = 0; i < 4; i++) {
        const char *place = box_text("deleted.%s", KINDS[i]);
        assert_int_equal(box_integer(after.json, place), box_integer(before.json, place));
    }
    /* It counts as a child again, so its parent stays. */
    REPLY got = box_call(&box, "GET", path, NULL);
    assert_int_equal(box_status(&box, "DELETE",
                                box_text("/projects/%s/branches/%s", project,
                                         box_string(got.json, "branch.parent_id")),
                                NULL),
                     422);
}

static void what_stands_in_the_way_is_told(void **state)
{
    (void)state;
    const char *project = make_project();
    const char *parent = make_branch(project, "{\"branch\":{\"name\":\"parent\"}}");
    const char *child =
        make_branch(project, box_text("{\"branch\":{\"name\":\"child\",\"parent_id\":\"%s\"}}",
                                      strrchr(parent, '/') + 1));
    delete_branch(project, child);
    const char *same = make_branch(project, "{\"branch\":{\"name\":\"child\"}}");
    REPLY taken = box_call(&box, "POST", box_text("%s/recover", child), NULL);
    box_assert_error(&taken, 409, "BRANCH_ALREADY_EXISTS", "child");
    delete_branch(project, same);
    delete_branch(project, parent);
    REPLY orphan = box_call(&box, "POST", box_text("%s/recover", child), NULL);
    box_assert_error(&orphan, 422, "", "parent was deleted");
    REPLY other =
        box_call_as(&box, "sandbox-other-key", NULL, "POST", box_text("%s/recover", parent), NULL);
    box_assert_error(&other, 404, "", "project not found");
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", parent), NULL), 200);
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", child), NULL), 200);
    assert_int_equal(box_status(&box, "DELETE", parent, NULL), 422);
}

static bool is_gone(void *argument)
{
    return box_status(&box, "GET", argument, NULL) == 404;
}

static void a_branch_that_expired_comes_back_to_stay(void **state)
{
    (void)state;
    char at[32];
    struct tm parts;
    time_t when = time(NULL) + 2;
    gmtime_r(&when, &parts);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &parts);
    const char *project = make_project();
    char path[256];
    const char *made = make_branch(project, box_text("{\"branch\":{\"expires_at\":\"%s\"}}", at));
    (void)strncpy(path, made, sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    box_until(is_gone, path, 10);
    box_wait(&box, project);
    REPLY recovered = box_call(&box, "POST", box_text("%s/recover", path), NULL);
    assert_int_equal(recovered.status, 200);
    assert_null(box_find(recovered.json, "branch.expires_at"));
    assert_null(box_find(recovered.json, "branch.recovery"));
    delete_branch(project, path);
    REPLY list = box_call(&box, "GET",
                          box_text("/projects/%s/branches?include_deleted=true&search=%s", project,
                                   strrchr(path, '/') + 1),
                          NULL);
    assert_string_equal(box_string(list.json, "branches.0.recovery.deletion_method"), "user");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branch_is_recovered_with_its_data_and_connection_string),
        cmocka_unit_test(without_being_asked_clusters_are_not_kept),
    };
    const struct CMUnitTest api[] = {
        cmocka_unit_test(deleted_branches_are_listed_until_they_are_back),
        cmocka_unit_test(what_stands_in_the_way_is_told),
        cmocka_unit_test(a_branch_that_expired_comes_back_to_stay),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + cmocka_run_group_tests(api, start_api, stop);
}
