#include "neon/reply.h"
#include "unit.h"

static void auth_tells_account_and_kind_of_key(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *body = unit_json("{'account_id':'0000-1','auth_method':'api_key_org','auth_data':'x'}");
    NeonAccountInfo info;
    assert_true(neon_decode_auth(body, &info, NULL));
    assert_string_equal(info.account_id, "0000-1");
    assert_string_equal(info.auth_method, "api_key_org");
}

static void auth_without_what_is_needed_is_refused(void **state)
{
    (void)state;
    static const UnitChange CASES[] = {
        {"account_id", NULL},
        {"account_id", "null"},
        {"account_id", "''"},
        {"account_id", "7"},
        {"auth_method", NULL},
        {"auth_method", "true"},
        {"auth_method", "'" UNIT_LONG_64 "'"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json("{'account_id':'a','auth_method':'b'}");
        unit_change(body, CASES[i]);
        NeonAccountInfo info;
        Error err = ERROR_INIT;
        assert_false(neon_decode_auth(body, &info, &err));
        unit_assert_refused(&err, CASES[i].member);
    }
}

static void organizations_are_counted_even_beyond_the_room(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *body = unit_json("{'organizations':[{'id':'org-1','name':'One \\n line'},"
                             "{'id':'org-2','name':'" UNIT_LONG_256 "'},{'id':'org-3'}]}");
    NeonOrganization list[2];
    size_t count = 0;
    assert_true(neon_decode_organizations(body, list, 2, &count, NULL));
    assert_int_equal(count, 3);
    assert_string_equal(list[0].id, "org-1");
    assert_string_equal(list[0].name, "One   line");
    assert_string_equal(list[1].id, "org-2");
    assert_int_equal(strlen(list[1].name), sizeof list[1].name - 1);
    NeonOrganization all[4];
    assert_true(neon_decode_organizations(body, all, 4, &count, NULL));
    assert_int_equal(count, 3);
    assert_string_equal(all[2].name, "");
}

static void organizations_of_another_shape_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *member;
    } CASES[] = {
        {"{}", "organizations"},
        {"[]", "organizations"},
        {"{'organizations':{}}", "organizations"},
        {"{'organizations':[7]}", "id"},
        {"{'organizations':[{'id':'" UNIT_LONG_64 "'}]}", "id"},
        {"{'organizations':[{'id':'org-1','name':7}]}", "name"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i].body);
        NeonOrganization list[2];
        size_t count = 7;
        Error err = ERROR_INIT;
        assert_false(neon_decode_organizations(body, list, 2, &count, &err));
        assert_int_equal(count, 0);
        unit_assert_refused(&err, CASES[i].member);
    }
}

static void a_region_is_in_the_list_or_not(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *body = unit_json("{'regions':[{'region_id':'aws-us-east-2','default':true},"
                             "{'region_id':'aws-eu-central-1'},{'region_id':'aws-eu-west-2'}]}");
    bool has = false;
    assert_true(neon_decode_has_region(body, "aws-eu-central-1", &has, NULL));
    assert_true(has);
    assert_true(neon_decode_has_region(body, "aws-eu-central", &has, NULL));
    assert_false(has);
    NeonRegion list[2];
    size_t count = 0;
    assert_true(neon_decode_regions(body, list, 2, &count, NULL));
    assert_int_equal(count, 3);
    assert_string_equal(list[1].id, "aws-eu-central-1");
    assert_string_equal(list[1].name, "");
}

static void regions_of_another_shape_are_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {"{}", "{'regions':'x'}", "{'regions':[{}]}",
                                        "{'regions':[{'region_id':1}]}",
                                        "{'regions':[{'region_id':'aws-\\u007f'}]}"};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i]);
        bool has = true;
        Error err = ERROR_INIT;
        NeonRegion region;
        size_t count = 0;
        assert_false(neon_decode_regions(body, &region, 1, &count, NULL));
        assert_int_equal(count, 0);
        assert_false(neon_decode_has_region(body, "x", &has, &err));
        assert_false(has);
        unit_assert_refused(&err, "region");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auth_tells_account_and_kind_of_key),
        cmocka_unit_test(auth_without_what_is_needed_is_refused),
        cmocka_unit_test(organizations_are_counted_even_beyond_the_room),
        cmocka_unit_test(organizations_of_another_shape_are_refused),
        cmocka_unit_test(a_region_is_in_the_list_or_not),
        cmocka_unit_test(regions_of_another_shape_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
