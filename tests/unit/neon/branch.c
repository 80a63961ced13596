#include "neon/reply.h"
#include "unit.h"

#define BRANCH                                                                                     \
    "{'id':'br-calm-sea-a5000001','project_id':'calm-sea-12345678','parent_id':'br-main-1',"       \
    "'name':'preview/pr-7','current_state':'init','pending_state':'ready','default':false,"        \
    "'protected':true,'created_at':'2026-01-16T21:02:03.5Z'}"
#define MARK                                                                                       \
    "{'provisioner.installation':'i','provisioner.application':'a',"                               \
    "'provisioner.environment':'e','provisioner.command':'c','other':'x'}"
#define ANNOTATION "{'object':{'type':'console/branch','id':'x'},'value':" MARK "}"

static const NeonMark OURS = {"i", "a", "e", "c"};

static void a_branch_is_read_with_its_mark(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *body = unit_json("{'branch':" BRANCH ",'annotation':" ANNOTATION "}");
    NeonBranch branch;
    assert_true(neon_decode_branch(body, &branch, NULL));
    assert_string_equal(branch.id, "br-calm-sea-a5000001");
    assert_string_equal(branch.project_id, "calm-sea-12345678");
    assert_string_equal(branch.parent_id, "br-main-1");
    assert_string_equal(branch.name, "preview/pr-7");
    assert_string_equal(branch.current_state, "init");
    assert_string_equal(branch.pending_state, "ready");
    assert_false(branch.is_default);
    assert_true(branch.is_protected);
    assert_false(branch.is_deleted);
    assert_int_equal(branch.created_at_ms, INT64_C(1768597323500));
    assert_int_equal(branch.expires_ms, 0);
    assert_int_equal(branch.last_reset_ms, 0);
    assert_true(neon_mark_equal(&branch.mark, &OURS));
}

static void a_branch_without_a_branch_is_refused(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *body = unit_json("{'branches':[]}");
    NeonBranch branch;
    Error err = ERROR_INIT;
    assert_false(neon_decode_branch(body, &branch, &err));
    unit_assert_refused(&err, "branch");
    CLEANUP(unit_free_at) json_t *empty = unit_json("{'branch':{}}");
    assert_false(neon_decode_branch(empty, &branch, &err));
    unit_assert_refused(&err, "id");
}

static void an_item_s_mark_stands_under_its_id(void **state)
{
    (void)state;
    static const struct {
        const char *annotations;
        bool ours;
    } CASES[] = {
        {"{'br-calm-sea-a5000001':" ANNOTATION "}", true},
        {"{'br-other':" ANNOTATION "}", false},
        {"{}", false},
        {"null", false},
        {"{'br-calm-sea-a5000001':{'value':7}}", false},
        {"{'br-calm-sea-a5000001':{'value':{'provisioner.installation':'i',"
         "'provisioner.application':'a','provisioner.environment':'e'}}}",
         false},
        {"{'br-calm-sea-a5000001':{'value':{'provisioner.installation':'i',"
         "'provisioner.application':'a','provisioner.environment':'e',"
         "'provisioner.command':''}}}",
         false},
        {"{'br-calm-sea-a5000001':{'value':{'provisioner.installation':'i',"
         "'provisioner.application':'a','provisioner.environment':7,"
         "'provisioner.command':'c'}}}",
         false},
        {"{'br-calm-sea-a5000001':{'value':{'provisioner.installation':'" UNIT_LONG_64 "',"
         "'provisioner.application':'a','provisioner.environment':'e',"
         "'provisioner.command':'c'}}}",
         false},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json("{'branches':[" BRANCH "]}");
        unit_change(body, (UnitChange){"annotations", CASES[i].annotations});
        NeonPage page;
        NeonBranch branch;
        assert_true(neon_decode_branches(body, "", &page, NULL));
        assert_true(neon_decode_branch_item(body, json_array_get(page.items, 0), &branch, NULL));
        assert_int_equal(neon_mark_equal(&branch.mark, &OURS), CASES[i].ours);
        assert_int_equal(neon_mark_is_empty(&branch.mark), !CASES[i].ours);
    }
}

static void default_is_told_by_either_name(void **state)
{
    (void)state;
    static const struct {
        UnitChange by_default;
        UnitChange by_primary;
        bool is_default;
    } CASES[] = {
        {{"default", "true"}, {"primary", "false"}, true},
        {{"default", "false"}, {"primary", "true"}, false},
        {{"default", NULL}, {"primary", "true"}, true},
        {{"default", NULL}, {"primary", "null"}, false},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(BRANCH);
        unit_change(item, CASES[i].by_default);
        unit_change(item, CASES[i].by_primary);
        NeonBranch branch;
        assert_true(neon_decode_branch_item(NULL, item, &branch, NULL));
        assert_int_equal(branch.is_default, CASES[i].is_default);
    }
}

static void a_deleted_branch_carries_how_to_recover_it(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *item = unit_json(BRANCH);
    NeonBranch branch;
    unit_change(item, (UnitChange){"recovery", "null"});
    assert_true(neon_decode_branch_item(NULL, item, &branch, NULL));
    assert_false(branch.is_deleted);
    unit_change(item, (UnitChange){"recovery", "{'deleted_at':'2026-01-17T00:00:00Z',"
                                               "'deletion_method':'user'}"});
    assert_true(neon_decode_branch_item(NULL, item, &branch, NULL));
    assert_true(branch.is_deleted);
}

static void what_may_be_missing_may(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *item = unit_json(BRANCH);
    static const char *const NAMES[] = {"parent_id", "pending_state", "protected"};
    for (size_t i = 0; i < UNIT_COUNT(NAMES); i++) {
        unit_change(item, (UnitChange){NAMES[i], NULL});
    }
    unit_change(item, (UnitChange){"name", "'" UNIT_LONG_256 "x'"});
    NeonBranch branch;
    assert_true(neon_decode_branch_item(NULL, item, &branch, NULL));
    assert_string_equal(branch.parent_id, "");
    assert_string_equal(branch.pending_state, "");
    assert_string_equal(branch.name, "");
    assert_false(branch.is_protected);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const UnitChange CASES[] = {
        {"id", NULL},
        {"id", "'BR-1'"},
        {"project_id", NULL},
        {"project_id", "7"},
        {"parent_id", "'a/b'"},
        {"parent_id", "7"},
        {"name", NULL},
        {"name", "7"},
        {"current_state", NULL},
        {"current_state", "'" UNIT_LONG_64 "'"},
        {"pending_state", "{}"},
        {"default", "'yes'"},
        {"protected", "1"},
        {"created_at", NULL},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(BRANCH);
        unit_change(item, CASES[i]);
        NeonBranch branch;
        Error err = ERROR_INIT;
        assert_false(neon_decode_branch_item(NULL, item, &branch, &err));
        unit_assert_refused(&err, CASES[i].member);
    }
}

static void pages_follow_next(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *body = unit_json("{'branches':[" BRANCH "],'annotations':{},"
                             "'pagination':{'next':'abc=','sort_by':'created_at'}}");
    NeonPage page;
    assert_true(neon_decode_branches(body, "", &page, NULL));
    assert_string_equal(page.cursor, "abc=");
    assert_false(page.partial);
    assert_true(neon_decode_branches(body, "abc=", &page, NULL));
    assert_string_equal(page.cursor, "");
    CLEANUP(unit_free_at) json_t *broken = unit_json("{'branches':7}");
    Error err = ERROR_INIT;
    assert_false(neon_decode_branches(broken, "", &page, &err));
    unit_assert_refused(&err, "branches");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branch_is_read_with_its_mark),
        cmocka_unit_test(a_branch_without_a_branch_is_refused),
        cmocka_unit_test(an_item_s_mark_stands_under_its_id),
        cmocka_unit_test(default_is_told_by_either_name),
        cmocka_unit_test(a_deleted_branch_carries_how_to_recover_it),
        cmocka_unit_test(what_may_be_missing_may),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(pages_follow_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
