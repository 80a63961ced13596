/* API keys and organizations over the API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"

static const char PERSON[] = "sandbox-personal-key";
static const char ORGANIZATION_KEYS[] = "/organizations/org-sandbox-one/api_keys";

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

static long status_as(const char *key, const char *method, const char *path, const char *body)
{
    REPLY reply = box_call_as(&box, key, NULL, method, path, body);
    return reply.status;
}

static void an_organization_is_shown_to_its_own(void **state)
{
    (void)state;
    REPLY mine = box_call(&box, "GET", "/organizations/org-sandbox-one", NULL);
    assert_int_equal(mine.status, 200);
    assert_string_equal(box_string(mine.json, "id"), "org-sandbox-one");
    assert_string_equal(box_string(mine.json, "plan"), "launch");
    REPLY other = box_call(&box, "GET", "/organizations/org-sandbox-two", NULL);
    box_assert_error(&other, 404, "", "organization not found");
    assert_int_equal(status_as(PERSON, "GET", "/organizations/org-sandbox-two", NULL), 200);
}

static void a_person_makes_and_revokes_keys(void **state)
{
    (void)state;
    REPLY made =
        box_call_as(&box, PERSON, NULL, "POST", "/api_keys", "{\"key_name\":\"of the CI\"}");
    assert_int_equal(made.status, 200);
    const char *key = box_string(made.json, "key");
    assert_memory_equal(key, "napi_", 5);
    REPLY me = box_call_as(&box, key, NULL, "GET", "/users/me", NULL);
    assert_string_equal(box_string(me.json, "id"), box_string(made.json, "created_by"));
    assert_int_equal(status_as(key, "GET", "/projects", NULL), 400); /* reaches both */

    REPLY list = box_call_as(&box, PERSON, NULL, "GET", "/api_keys", NULL);
    assert_int_equal(json_array_size(list.json), 2);
    assert_string_equal(box_string(list.json, "1.name"), "of the CI");
    assert_string_equal(box_string(list.json, "1.last_used_from_addr"), "127.0.0.1");
    assert_null(box_find(list.json, "1.key"));

    const char *path = box_text("/api_keys/%lld", (long long)box_integer(made.json, "id"));
    assert_int_equal(status_as("sandbox-solo-key", "DELETE", path, NULL), 404);
    REPLY revoked = box_call_as(&box, PERSON, NULL, "DELETE", path, NULL);
    assert_int_equal(revoked.status, 200);
    assert_true(json_is_true(box_find(revoked.json, "revoked")));
    assert_int_equal(status_as(key, "GET", "/auth", NULL), 401);
    assert_int_equal(status_as("", "GET", "/auth", NULL), 401);
    assert_int_equal(status_as(PERSON, "DELETE", path, NULL), 404);
    assert_int_equal(status_as(PERSON, "DELETE", "/api_keys/x", NULL), 400);
    assert_int_equal(status_as(PERSON, "POST", "/api_keys", "{}"), 400);
    assert_int_equal(status_as(PERSON, "POST", "/api_keys", "{\"key_name\":1}"), 400);
}

static void organizations_keys_are_made_by_people_alone(void **state)
{
    (void)state;
    static const char BODY[] = "{\"key_name\":\"org\"}";
    REPLY made = box_call_as(&box, PERSON, NULL, "POST", ORGANIZATION_KEYS, BODY);
    assert_int_equal(made.status, 200);
    const char *key = box_string(made.json, "key");
    REPLY auth = box_call_as(&box, key, NULL, "GET", "/auth", NULL);
    assert_string_equal(box_string(auth.json, "auth_method"), "api_key_org");
    assert_int_equal(status_as(key, "GET", "/projects", NULL), 200);
    assert_int_equal(status_as(key, "GET", "/api_keys", NULL), 404);
    assert_int_equal(status_as(key, "POST", ORGANIZATION_KEYS, BODY), 404);
    assert_int_equal(status_as("sandbox-solo-key", "POST", ORGANIZATION_KEYS, BODY), 404);
    REPLY list = box_call_as(&box, key, NULL, "GET", ORGANIZATION_KEYS, NULL);
    assert_int_equal(json_array_size(list.json), 2);
    const char *path =
        box_text("%s/%lld", ORGANIZATION_KEYS, (long long)box_integer(made.json, "id"));
    assert_int_equal(status_as(PERSON, "DELETE", path, NULL), 200);
    assert_int_equal(status_as(key, "GET", "/projects", NULL), 401);
}

static void a_project_scoped_key_reaches_one_project(void **state)
{
    (void)state;
    REPLY one = box_create_project(&box, "{\"project\":{\"name\":\"one\"}}");
    REPLY two = box_create_project(&box, "{\"project\":{\"name\":\"two\"}}");
    const char *id = box_string(one.json, "project.id");
    REPLY made = box_call_as(&box, PERSON, NULL, "POST", ORGANIZATION_KEYS,
                             box_text("{\"key_name\":\"scoped\",\"project_id\":\"%s\"}", id));
    assert_int_equal(made.status, 200);
    assert_string_equal(box_string(made.json, "project_id"), id);
    const char *key = box_string(made.json, "key");
    const char *mine = box_text("/projects/%s", id);
    const char *other = box_text("/projects/%s", box_string(two.json, "project.id"));
    assert_int_equal(status_as(key, "GET", mine, NULL), 200);
    assert_int_equal(status_as(key, "GET", other, NULL), 404);
    assert_int_equal(status_as(key, "DELETE", mine, NULL), 404);
    assert_int_equal(status_as(key, "GET", ORGANIZATION_KEYS, NULL), 404);
    REPLY absent = box_call_as(&box, PERSON, NULL, "POST", ORGANIZATION_KEYS,
                               "{\"key_name\":\"x\",\"project_id\":\"no-such-project\"}");
    box_assert_error(&absent, 404, "", "project not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_organization_is_shown_to_its_own),
        cmocka_unit_test(a_person_makes_and_revokes_keys),
        cmocka_unit_test(organizations_keys_are_made_by_people_alone),
        cmocka_unit_test(a_project_scoped_key_reaches_one_project),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
