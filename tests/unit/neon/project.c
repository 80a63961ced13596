#include "neon/reply.h"
#include "unit.h"

#define PROJECT                                                                                    \
    "{'id':'calm-sea-12345678','name':'shop-live','region_id':'aws-eu-central-1',"                 \
    "'pg_version':17,'history_retention_seconds':86400,'created_at':'2026-01-16T21:02:03Z',"       \
    "'platform_id':'aws','settings':{}}"

static void a_project_is_read(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *body = unit_json("{'project':" PROJECT ",'operations':[]}");
    NeonProject project;
    assert_true(neon_decode_project(body, &project, NULL));
    assert_string_equal(project.id, "calm-sea-12345678");
    assert_string_equal(project.name, "shop-live");
    assert_string_equal(project.region_id, "aws-eu-central-1");
    assert_int_equal(project.pg_version, 17);
    assert_int_equal(project.history_retention_seconds, 86400);
    assert_int_equal(project.created_at_ms, INT64_C(1768597323000));
}

static void a_body_without_a_project_is_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {"{}", "[]", "{'project':null}", "{'project':[]}"};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i]);
        NeonProject project;
        Error err = ERROR_INIT;
        assert_false(neon_decode_project(body, &project, &err));
        unit_assert_refused(&err, "project");
    }
}

static void retention_may_be_left_unsaid(void **state)
{
    (void)state;
    static const char *const VALUES[] = {NULL, "null"};
    for (size_t i = 0; i < UNIT_COUNT(VALUES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(PROJECT);
        unit_change(item, (UnitChange){"history_retention_seconds", VALUES[i]});
        NeonProject project;
        assert_true(neon_decode_project_item(item, &project, NULL));
        assert_int_equal(project.history_retention_seconds, -1);
    }
}

static void a_longer_name_than_ours_may_be_equals_none(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *item = unit_json(PROJECT);
    NeonProject project;
    unit_change(item, (UnitChange){"name", "'" UNIT_LONG_256 "'"});
    assert_true(neon_decode_project_item(item, &project, NULL));
    assert_string_equal(project.name, UNIT_LONG_256);
    unit_change(item, (UnitChange){"name", "'" UNIT_LONG_256 "x'"});
    assert_true(neon_decode_project_item(item, &project, NULL));
    assert_string_equal(project.name, "");
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const UnitChange CASES[] = {
        {"id", NULL},
        {"id", "'../x'"},
        {"id", "'" UNIT_LONG_64 "'"},
        {"id", "''"},
        {"name", NULL},
        {"name", "''"},
        {"name", "[]"},
        {"region_id", NULL},
        {"region_id", "'" UNIT_LONG_64 "'"},
        {"region_id", "'aws-\\u007f'"},
        {"pg_version", NULL},
        {"pg_version", "'17'"},
        {"pg_version", "17.0"},
        {"pg_version", "0"},
        {"pg_version", "1000"},
        {"history_retention_seconds", "-2"},
        {"history_retention_seconds", "2147483648"},
        {"history_retention_seconds", "true"},
        {"created_at", NULL},
        {"created_at", "'yesterday'"},
        {"created_at", "1768597323"},
        {"created_at", "'" UNIT_LONG_64 "'"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(PROJECT);
        unit_change(item, CASES[i]);
        NeonProject project;
        Error err = ERROR_INIT;
        assert_false(neon_decode_project_item(item, &project, &err));
        unit_assert_refused(&err, CASES[i].member);
    }
}

static void a_list_ends_with_an_empty_page_or_the_same_cursor(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *asked;
        const char *next;
        size_t items;
        bool partial;
    } CASES[] = {
        {"{'projects':[" PROJECT "],'pagination':{'cursor':'c2'}}", "", "c2", 1, false},
        {"{'projects':[" PROJECT "],'pagination':{'cursor':'c2'}}", "c1", "c2", 1, false},
        {"{'projects':[" PROJECT "],'pagination':{'cursor':'c2'}}", "c2", "", 1, false},
        {"{'projects':[],'pagination':{'cursor':'c2'}}", "c1", "", 0, false},
        {"{'projects':[]}", "", "", 0, false},
        {"{'projects':[" PROJECT "]}", "c1", "", 1, false},
        {"{'projects':[" PROJECT "],'pagination':{}}", "c1", "", 1, false},
        {"{'projects':[],'unavailable_project_ids':[]}", "", "", 0, false},
        {"{'projects':[],'unavailable_project_ids':null}", "", "", 0, false},
        {"{'projects':[],'unavailable_project_ids':['p']}", "", "", 0, true},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i].body);
        NeonPage page;
        assert_true(neon_decode_projects(body, CASES[i].asked, &page, NULL));
        assert_string_equal(page.cursor, CASES[i].next);
        assert_int_equal(json_array_size(page.items), CASES[i].items);
        assert_int_equal(page.partial, CASES[i].partial);
    }
}

static void a_list_of_another_shape_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *member;
    } CASES[] = {
        {"{}", "projects"},
        {"{'projects':{}}", "projects"},
        {"{'projects':[],'pagination':{'cursor':7}}", "cursor"},
        {"{'projects':[],'pagination':{'cursor':'" UNIT_LONG_256 UNIT_LONG_256 "'}}", "cursor"},
        {"{'projects':[],'unavailable_project_ids':{}}", "unavailable_project_ids"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i].body);
        NeonPage page;
        Error err = ERROR_INIT;
        assert_false(neon_decode_projects(body, "", &page, &err));
        unit_assert_refused(&err, CASES[i].member);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_project_is_read),
        cmocka_unit_test(a_body_without_a_project_is_refused),
        cmocka_unit_test(retention_may_be_left_unsaid),
        cmocka_unit_test(a_longer_name_than_ours_may_be_equals_none),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(a_list_ends_with_an_empty_page_or_the_same_cursor),
        cmocka_unit_test(a_list_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
