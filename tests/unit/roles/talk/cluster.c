#include "script.h"

#define LOOK "cluster; databases; logins"
#define APPLY_ONE "BEGIN; ALTER ROLE \"x\" INHERIT; COMMIT; " LOOK

static const char ALTER[] = "change|ALTER ROLE \"x\" INHERIT|attributes differ|x|-";

static void a_converged_branch_is_only_looked_at(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_LOGINS] = "svc_a\nencore_platform";
    script_begin(script, NULL);
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_true(next.batch.each);
    assert_false(next.batch.changes);
    script_assert_answer(script, "lock cluster; " LOOK);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(roles_talk_look_for(script->talk, "main"), ROLES_DATABASE_READY);
    const RolesReport *report = script_report(script);
    assert_int_equal(report->count, 0);
    assert_false(report->remains);
    assert_int_equal(json_array_size(report->managed_logins), 2);
    roles_talk_end(script->talk);
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
}

static void who_holds_asks_for_something_now_and_then(void **state)
{
    Script *script = *state;
    script_begin(script, NULL);
    script_answer(script);
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_HOLD);
    assert_int_equal(next.wait_ms, 10000);
    roles_talk_waited(script->talk);
    script_assert_answer(script, "SELECT 1");
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
}

static void a_plan_takes_a_shared_lock_and_changes_nothing(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PLAN;
    script->rows[ROLES_QUERY_CLUSTER] = ALTER;
    script->rows[ROLES_QUERY_DATABASES] = "frame|SET ROLE p||-|-\n"
                                          "change|CREATE DATABASE main|database is missing|main|-";
    script_begin(script, NULL);
    assert_int_equal(roles_talk_look_for(script->talk, "main"), ROLES_DATABASE_LATER);
    script_assert_answer(script, "share cluster; " LOOK);
    assert_null(strstr(script->parameter, "br-one"));
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(roles_talk_look_for(script->talk, "main"), ROLES_DATABASE_MISSING);
    assert_int_equal(roles_talk_look_for(script->talk, "other"), ROLES_DATABASE_READY);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 0, "|x|ALTER ROLE \"x\" INHERIT|attributes differ");
    script_assert_change(script, 1, "|main|CREATE DATABASE main|database is missing");
}

static void changes_are_one_transaction_and_looked_at_in_the_same_round_trip(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_CLUSTER] = "frame|SET LOCAL ROLE p||-|-\n"
                                        "change|CREATE ROLE g|role is missing|g|g\n"
                                        "blocked||role exists|svc_b|-\n"
                                        "change|ALTER ROLE \"x\" INHERIT|attributes differ|x|-";
    script_begin(script, NULL);
    script_answer(script);
    assert_non_null(strstr(script->parameter, "br-one"));
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_false(next.batch.each);
    assert_true(next.batch.changes);
    script_assert_sent(script, "BEGIN; SET LOCAL ROLE p; stage CREATE ROLE g = random; run; "
                               "ALTER ROLE \"x\" INHERIT; COMMIT; " LOOK);
    script->rows[ROLES_QUERY_CLUSTER] = "blocked||role exists|svc_b|-";
    script_answer(script);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 0, "|g|CREATE ROLE g|role is missing");
    script_assert_change(script, 1, "|x|ALTER ROLE \"x\" INHERIT|attributes differ");
    script_assert_change(script, 2, "!|svc_b||role exists");
    assert_null(script->report.passwords_set); // that of a group is nobody's
}

static void what_is_planned_again_and_again_is_given_up(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_CLUSTER] = ALTER;
    script_begin(script, NULL);
    script_answer(script);
    for (int i = 0; i < 3; i++) {
        script_assert_answer(script, APPLY_ONE);
    }
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_true(script_report(script)->remains);
    assert_int_equal(script->report.count, 4);
    script_assert_change(script, 3,
                         "!|x|ALTER ROLE \"x\" INHERIT|it was executed, and is planned again");
}

static void a_later_apply_keeps_everything_from_being_changed(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_CLUSTER] = "fenced||a later apply was here|12|-\n"
                                        "change|ALTER ROLE \"x\" INHERIT|attributes differ|x|-";
    script_begin(script, NULL);
    script_answer(script);
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_FAILED);
    assert_int_equal(next.err->kind, ERROR_CONFLICT);
    assert_string_equal(next.err->code, "ROLES_FENCED");
    assert_int_equal(script_report(script)->fence_seen, 12);
}

#define CREATE(name) "change|CREATE DATABASE " name "|database is missing|" name "|-\n"
#define FRAMED(list) "frame|SET ROLE p||-|-\n" list "frame|RESET ROLE||-|-"

static void databases_are_created_a_few_at_once(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_DATABASES] =
        FRAMED(CREATE("d1") CREATE("d2") CREATE("d3") CREATE("d4") CREATE("d5"));
    script_begin(script, NULL);
    script_answer(script);
    assert_int_equal(roles_talk_look_for(script->talk, "main"), ROLES_DATABASE_READY);
    assert_int_equal(roles_talk_look_for(script->talk, "d1"), ROLES_DATABASE_LATER);
    assert_true(roles_talk_next(script->talk, 0).batch.each);
    script_assert_answer(script, "SET ROLE p; CREATE DATABASE d1; CREATE DATABASE d2; "
                                 "CREATE DATABASE d3; CREATE DATABASE d4; RESET ROLE");
    assert_int_equal(roles_talk_look_for(script->talk, "d4"), ROLES_DATABASE_READY);
    assert_int_equal(roles_talk_look_for(script->talk, "d5"), ROLES_DATABASE_LATER);
    script_assert_answer(script, "SET ROLE p; CREATE DATABASE d5; RESET ROLE");
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(script_report(script)->count, 5);
    assert_false(script->report.remains);
    script_assert_change(script, 4, "|d5|CREATE DATABASE d5|database is missing");
}

static void a_database_that_can_not_be_created_is_reported(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_DATABASES] = FRAMED(CREATE("d1") CREATE("d2"));
    script_begin(script, NULL);
    script_answer(script);
    script->fails_at = 1;
    script_assert_answer(script, "SET ROLE p; CREATE DATABASE d1; CREATE DATABASE d2; RESET ROLE");
    script->fails_at = -1;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(script_action(script), ROLES_TALK_WAIT);
        roles_talk_waited(script->talk);
        script_assert_answer(script, LOOK);
        script->fails_at = 1;
        script_assert_answer(script, "SET ROLE p; CREATE DATABASE d1; RESET ROLE");
        script->fails_at = -1;
    }
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(roles_talk_look_for(script->talk, "d1"), ROLES_DATABASE_MISSING);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 0, "|d2|CREATE DATABASE d2|database is missing");
    script_assert_change(script, 1, "!|d1|CREATE DATABASE d1|no message");
}

static void an_owner_s_run_only_takes_the_lock(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_OWNER;
    script_know(script, 1);
    script_begin(script, NULL);
    script_assert_answer(script, "lock cluster");
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(roles_talk_look_for(script->talk, "main"), ROLES_DATABASE_READY);
}

static void a_row_that_no_plan_has_fails_the_run(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_CLUSTER] = "nonsense|||x|-";
    script_begin(script, NULL);
    script_answer(script);
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_FAILED);
    assert_string_equal(next.err->code, "ROLES_ROW_INVALID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPT_TEST(a_converged_branch_is_only_looked_at),
        SCRIPT_TEST(who_holds_asks_for_something_now_and_then),
        SCRIPT_TEST(a_plan_takes_a_shared_lock_and_changes_nothing),
        SCRIPT_TEST(changes_are_one_transaction_and_looked_at_in_the_same_round_trip),
        SCRIPT_TEST(what_is_planned_again_and_again_is_given_up),
        SCRIPT_TEST(a_later_apply_keeps_everything_from_being_changed),
        SCRIPT_TEST(databases_are_created_a_few_at_once),
        SCRIPT_TEST(a_database_that_can_not_be_created_is_reported),
        SCRIPT_TEST(an_owner_s_run_only_takes_the_lock),
        SCRIPT_TEST(a_row_that_no_plan_has_fails_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
