/* Who belongs to an organization. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"

static const char PERSON[] = "sandbox-personal-key";
static const char MEMBERS[] = "/organizations/org-sandbox-one/members";

static Box box;

static int start(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "1", NULL};
    box_start(&box, ARGUMENTS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

/* A key of somebody else in the organization. */
static void add_person(const char *key, const char *account_id)
{
    REPLY added = box_call(&box, "POST", "/sandbox/keys",
                           box_text("{\"key\":\"%s\",\"kind\":\"personal\",\"account_id\":\"%s\","
                                    "\"organizations\":[\"org-sandbox-one\"]}",
                                    key, account_id));
    assert_int_equal(added.status, 201);
}

static void people_whose_keys_reach_it_are_members(void **state)
{
    (void)state;
    REPLY alone = box_call(&box, "GET", MEMBERS, NULL);
    assert_int_equal(alone.status, 200);
    assert_int_equal(json_array_size(box_find(alone.json, "members")), 1);
    REPLY me = box_call_as(&box, PERSON, NULL, "GET", "/users/me", NULL);
    assert_string_equal(box_string(alone.json, "members.0.member.user_id"),
                        box_string(me.json, "id"));
    assert_string_equal(box_string(alone.json, "members.0.member.role"), "admin");
    assert_string_equal(box_string(alone.json, "members.0.user.email"), "sandbox@example.com");

    add_person("second", "7b0b3b5c-3d8e-4c06-9c6b-2f1d7a9e0009");
    add_person("second-again", "7b0b3b5c-3d8e-4c06-9c6b-2f1d7a9e0009");
    REPLY two = box_call_as(&box, PERSON, NULL, "GET", MEMBERS, NULL);
    assert_int_equal(json_array_size(box_find(two.json, "members")), 2);
    assert_string_equal(box_string(two.json, "members.0.member.id"),
                        box_string(alone.json, "members.0.member.id"));
    REPLY backwards = box_call(&box, "GET", box_text("%s?sort_order=desc", MEMBERS), NULL);
    assert_string_equal(box_string(backwards.json, "members.1.member.id"),
                        box_string(alone.json, "members.0.member.id"));
}

static void a_listing_is_read_in_pages(void **state)
{
    (void)state;
    const char *path = box_text("%s?limit=1", MEMBERS);
    const char *seen[3] = {"", "", ""};
    int pages = 0;
    for (; pages < 3; pages++) {
        REPLY page = box_call(&box, "GET", path, NULL);
        if (json_array_size(box_find(page.json, "members")) == 0) {
            assert_null(box_find(page.json, "pagination"));
            break;
        }
        seen[pages] = box_text("%s", box_string(page.json, "members.0.member.id"));
        path = box_text("%s?limit=1&cursor=%s", MEMBERS, box_string(page.json, "pagination.next"));
    }
    assert_int_equal(pages, 2);
    assert_string_not_equal(seen[0], seen[1]);
}

static void a_cursor_of_nobodys_making_is_refused(void **state)
{
    (void)state;
    static const char *const CURSORS[] = {"zzz", "1zzz", "-1", "99999999999999999999", ""};
    for (size_t i = 0; i < sizeof(CURSORS) / sizeof(CURSORS[0]); i++) {
        REPLY refused = box_call(&box, "GET", box_text("%s?cursor=%s", MEMBERS, CURSORS[i]), NULL);
        box_assert_error(&refused, 400, "", "query parameter \"cursor\"");
    }
    REPLY behind = box_call(&box, "GET", box_text("%s?cursor=1000", MEMBERS), NULL);
    assert_int_equal(behind.status, 200);
    assert_int_equal(json_array_size(box_find(behind.json, "members")), 0);
}

static void a_member_is_shown_by_its_id(void **state)
{
    (void)state;
    REPLY list = box_call(&box, "GET", MEMBERS, NULL);
    const char *path = box_text("%s/%s", MEMBERS, box_string(list.json, "members.0.member.id"));
    REPLY one = box_call(&box, "GET", path, NULL);
    assert_int_equal(one.status, 200);
    assert_true(json_equal(one.json, box_find(list.json, "members.0.member")));
    REPLY none = box_call(&box, "GET",
                          box_text("%s/%s", MEMBERS, "7b0b3b5c-3d8e-4c06-9c6b-000000000000"), NULL);
    box_assert_error(&none, 404, "", "organization member not found");
    REPLY foreign = box_call_as(&box, "sandbox-other-key", NULL, "GET", path, NULL);
    box_assert_error(&foreign, 404, "", "organization not found");
}

static void members_are_no_business_of_a_project_key_or_another_organization(void **state)
{
    (void)state;
    REPLY other = box_call_as(&box, "sandbox-other-key", NULL, "GET", MEMBERS, NULL);
    box_assert_error(&other, 404, "", "organization not found");
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    REPLY key = box_call_as(&box, PERSON, NULL, "POST", "/organizations/org-sandbox-one/api_keys",
                            box_text("{\"key_name\":\"scoped\",\"project_id\":\"%s\"}",
                                     box_string(made.json, "project.id")));
    REPLY scoped = box_call_as(&box, box_string(key.json, "key"), NULL, "GET", MEMBERS, NULL);
    box_assert_error(&scoped, 404, "", "organization not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_whose_keys_reach_it_are_members),
        cmocka_unit_test(a_listing_is_read_in_pages),
        cmocka_unit_test(a_cursor_of_nobodys_making_is_refused),
        cmocka_unit_test(a_member_is_shown_by_its_id),
        cmocka_unit_test(members_are_no_business_of_a_project_key_or_another_organization),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
