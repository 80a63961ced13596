/* Deleted projects come back with what was in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"

static Box box;

static void a_project_is_recovered_with_its_data_and_passwords(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "50", "--keep-deleted", NULL};
    box_start(&box, ARGUMENTS);
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    login_assert(&box, uri, "CREATE TABLE t AS SELECT 'here' AS name", "");
    const char *path = box_text("/projects/%s", box_string(made.json, "project.id"));
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    assert_int_equal(box_status(&box, "GET", path, NULL), 404);
    assert_null(login_query(login_verify(&box, uri), "SELECT 1", NULL));
    REPLY recovered = box_call(&box, "POST", box_text("%s/recover", path), NULL);
    assert_int_equal(recovered.status, 200);
    assert_string_equal(box_string(recovered.json, "branches.0.id"),
                        box_string(made.json, "branch.id"));
    REPLY again = box_call(&box, "GET",
                           box_text("%s/connection_uri?role_name=neondb_owner&database_name=neondb"
                                    "&pooled=false",
                                    path),
                           NULL);
    login_assert(&box, box_string(again.json, "uri"), "SELECT name FROM t", "here");
    const char *password = box_string(made.json, "roles.0.password");
    assert_non_null(strstr(box_string(again.json, "uri"), password));
    box_stop(&box);
}

static void deleted_projects_are_listed_until_they_are_back(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "1", NULL};
    box_start(&box, ARGUMENTS);
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"lost\"}}");
    const char *path = box_text("/projects/%s", box_string(made.json, "project.id"));
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 404);
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    REPLY state_then = box_call(&box, "GET", "/sandbox/state", NULL);
    assert_int_equal(box_integer(state_then.json, "deleted.branches"), 1);
    REPLY lost = box_call(&box, "GET", "/projects?recoverable=true", NULL);
    assert_string_equal(box_string(lost.json, "projects.0.name"), "lost");
    assert_non_null(box_find(lost.json, "projects.0.recoverable_until"));
    REPLY list = box_call(&box, "GET", "/projects", NULL);
    assert_int_equal(json_array_size(box_find(list.json, "projects")), 0);
    REPLY other =
        box_call_as(&box, "sandbox-other-key", NULL, "POST", box_text("%s/recover", path), NULL);
    assert_int_equal(other.status, 404);
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 200);
    REPLY got = box_call(&box, "GET", box_text("%s/endpoints", path), NULL);
    assert_string_equal(box_string(got.json, "endpoints.0.current_state"), "idle");
    REPLY state_now = box_call(&box, "GET", "/sandbox/state", NULL);
    assert_int_equal(box_integer(state_now.json, "deleted.branches"), 0);
    REPLY none = box_call(&box, "GET", "/projects?recoverable=true", NULL);
    assert_int_equal(json_array_size(box_find(none.json, "projects")), 0);
    box_stop(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_project_is_recovered_with_its_data_and_passwords),
        cmocka_unit_test(deleted_projects_are_listed_until_they_are_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
