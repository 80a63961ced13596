#include "roles/report.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static char statement[2048];
static char reason[2048];
static char object[256];

// Valid until the next call.
static const RolesStep *step_of(RolesStepKind kind, const char *text, const char *why,
                                const char *what)
{
    static RolesStep step;
    (void)snprintf(statement, sizeof statement, "%s", text);
    (void)snprintf(reason, sizeof reason, "%s", why);
    (void)snprintf(object, sizeof object, "%s", what);
    step = (RolesStep){.kind = kind, .statement = statement, .reason = reason, .object = object};
    return &step;
}

static void assert_change(const RolesChange *change, const char *const *expected, bool blocked)
{
    assert_string_equal(change->database, expected[0]);
    assert_string_equal(change->object, expected[1]);
    assert_string_equal(change->change, expected[2]);
    assert_string_equal(change->reason, expected[3]);
    assert_int_equal(change->blocked, blocked);
}

static void what_is_planned_remains(void **state)
{
    (void)state;
    RolesReport report = ROLES_REPORT_INIT;
    roles_report_add_planned(&report, "", step_of(ROLES_STEP_FRAME, "SET ROLE a", "", ""));
    roles_report_add_planned(&report, "", step_of(ROLES_STEP_TEMPORARY, "GRANT a TO b", "w", "a"));
    assert_int_equal(report.count, 0);
    roles_report_add_planned(&report, "db", step_of(ROLES_STEP_FINDING, "", "row security", "t"));
    assert_false(report.remains);
    roles_report_add_planned(&report, "db", step_of(ROLES_STEP_CHANGE, "GRANT c TO d", "w", "c"));
    assert_true(report.remains);
    assert_int_equal(report.count, 2);
    assert_change(&report.changes[0], (const char *const[]){"db", "t", "", "row security"}, true);
    assert_change(&report.changes[1], (const char *const[]){"db", "c", "GRANT c TO d", "w"}, false);
    roles_report_clear(&report);
    assert_int_equal(report.count, 0);
    roles_report_add_planned(&report, "", step_of(ROLES_STEP_BLOCKED, "", "foreign", "svc_x"));
    assert_true(report.remains);
    assert_change(&report.changes[0], (const char *const[]){"", "svc_x", "", "foreign"}, true);
    roles_report_clear(&report);
}

static void owners_are_named_once_for_each_database(void **state)
{
    (void)state;
    RolesReport report = ROLES_REPORT_INIT;
    assert_null(report.owners);
    roles_report_add_planned(&report, "a", step_of(ROLES_STEP_OWNER, "", "owns 3", "app"));
    roles_report_add_planned(&report, "a", step_of(ROLES_STEP_OWNER, "", "defaults", "app"));
    roles_report_add_planned(&report, "b", step_of(ROLES_STEP_OWNER, "", "owns 1", "app"));
    assert_true(report.remains);
    assert_int_equal(report.count, 3);
    unit_json_equal(json_incref(report.owners),
                    "[{'database':'a','owner':'app'},{'database':'b','owner':'app'}]");
    roles_report_clear(&report);
}

static void what_was_executed_does_not_remain(void **state)
{
    (void)state;
    RolesReport report = ROLES_REPORT_INIT;
    roles_report_add_executed(&report, "", step_of(ROLES_STEP_FRAME, "SET ROLE a", "", ""));
    roles_report_add_executed(&report, "", step_of(ROLES_STEP_TEMPORARY, "GRANT a TO b", "", ""));
    roles_report_add_executed(&report, "", step_of(ROLES_STEP_CHANGE, "CREATE ROLE a", "w", "a"));
    assert_int_equal(report.count, 1);
    assert_change(&report.changes[0], (const char *const[]){"", "a", "CREATE ROLE a", "w"}, false);
    assert_false(report.remains);
    roles_report_add_failed(&report, "db", step_of(ROLES_STEP_CHANGE, "ALTER TABLE t", "w", "t"),
                            "lock timeout");
    assert_true(report.remains);
    assert_change(&report.changes[1],
                  (const char *const[]){"db", "t", "ALTER TABLE t", "lock timeout"}, true);
    roles_report_clear(&report);
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    RolesReport report = ROLES_REPORT_INIT;
    char text[ROLES_CHANGE_BYTES_MAX + 2];
    memset(text, 'x', sizeof text);
    text[ROLES_CHANGE_BYTES_MAX] = '\0';
    roles_report_add_executed(&report, "", step_of(ROLES_STEP_CHANGE, text, "", ""));
    assert_string_equal(report.changes[0].change, text); // just fits
    text[ROLES_CHANGE_BYTES_MAX] = 'x';
    text[ROLES_CHANGE_BYTES_MAX + 1] = '\0';
    roles_report_add_executed(&report, "", step_of(ROLES_STEP_CHANGE, text, "", ""));
    memcpy(text + ROLES_CHANGE_BYTES_MAX - 3, "\xe2\x80\xa6", 4);
    assert_string_equal(report.changes[1].change, text);
    // two bytes where the cut would be
    memset(text, 'x', sizeof text);
    memcpy(text + ROLES_CHANGE_BYTES_MAX - 4, "\xc3\xa4", 2);
    text[ROLES_CHANGE_BYTES_MAX + 1] = '\0';
    roles_report_add_executed(&report, "", step_of(ROLES_STEP_CHANGE, text, "", ""));
    memcpy(text + ROLES_CHANGE_BYTES_MAX - 4, "\xe2\x80\xa6", 4);
    assert_string_equal(report.changes[2].change, text);
    roles_report_clear(&report);
}

static void the_first_1000_changes_are_kept(void **state)
{
    (void)state;
    RolesReport report = ROLES_REPORT_INIT;
    RolesReport other = ROLES_REPORT_INIT;
    for (size_t i = 0; i < ROLES_CHANGES_MAX + 3; i++) {
        roles_report_add_executed(&report, "", step_of(ROLES_STEP_CHANGE, "CREATE", "", ""));
    }
    assert_int_equal(report.count, ROLES_CHANGES_MAX);
    assert_int_equal(report.omitted, 3);
    assert_false(report.remains);
    for (size_t i = 0; i < ROLES_CHANGES_MAX + 1; i++) {
        roles_report_add_executed(&other, "", step_of(ROLES_STEP_CHANGE, "CREATE", "", ""));
    }
    roles_report_merge(&report, &other);
    assert_int_equal(report.count, ROLES_CHANGES_MAX);
    assert_int_equal(report.omitted, ROLES_CHANGES_MAX + 4);
    roles_report_clear(&report);
}

static void reports_are_merged(void **state)
{
    (void)state;
    RolesReport report = ROLES_REPORT_INIT;
    RolesReport a = ROLES_REPORT_INIT;
    RolesReport b = ROLES_REPORT_INIT;
    roles_report_add_executed(&a, "a", step_of(ROLES_STEP_CHANGE, "CREATE", "w", "o"));
    roles_report_add_login(&a, "svc_a");
    a.fence_seen = 7;
    roles_report_add_login(&b, "svc_b");
    roles_report_add_planned(&b, "b", step_of(ROLES_STEP_OWNER, "", "owns", "app"));
    b.passwords_set = unit_json("['svc_b']");
    b.fence_seen = 5;
    roles_report_merge(&report, &a);
    assert_int_equal(a.count, 0);
    assert_null(a.changes);
    assert_false(report.remains);
    roles_report_merge(&report, &b);
    assert_true(report.remains);
    assert_int_equal(report.fence_seen, 7);
    assert_int_equal(report.count, 2);
    assert_change(&report.changes[0], (const char *const[]){"a", "o", "CREATE", "w"}, false);
    assert_change(&report.changes[1], (const char *const[]){"b", "app", "", "owns"}, true);
    unit_json_equal(json_incref(report.managed_logins), "['svc_a','svc_b']");
    unit_json_equal(json_incref(report.passwords_set), "['svc_b']");
    unit_json_equal(json_incref(report.owners), "[{'database':'b','owner':'app'}]");
    roles_report_clear(&report);
    assert_null(report.owners);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_planned_remains),
        cmocka_unit_test(owners_are_named_once_for_each_database),
        cmocka_unit_test(what_was_executed_does_not_remain),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(the_first_1000_changes_are_kept),
        cmocka_unit_test(reports_are_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
