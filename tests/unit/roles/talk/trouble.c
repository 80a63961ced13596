#include "script.h"

static const char TWO[] = "frame|SET LOCAL ROLE p||-|-\n"
                          "change|ALTER ROLE good|attributes differ|good|-\n"
                          "change|CREATE ROLE bad|role is missing|bad|svc_a";

static void wait_and_go_on(Script *script)
{
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_WAIT);
    assert_true(next.wait_ms >= 50 && next.wait_ms <= 3000);
    assert_int_equal(roles_talk_next(script->talk, UINT32_MAX).wait_ms, next.wait_ms);
    roles_talk_waited(script->talk);
}

static void a_lock_that_is_held_for_long_is_asked_for_again(void **state)
{
    Script *script = *state;
    script_begin(script, "main");
    uint32_t longest_ms = 0;
    for (int i = 0; i < 8; i++) {
        script_refuse(script, "55P03");
        script_assert_answer(script, "others database; end others database");
        longest_ms = roles_talk_next(script->talk, 0).wait_ms;
        wait_and_go_on(script);
        script_assert_sent(script, "lock database; owner; privileges");
    }
    script_refuse(script, "55P03");
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_FAILED);
    assert_true(longest_ms >= 1500);
    assert_int_equal(next.err->kind, ERROR_BUSY);
    assert_string_equal(next.err->code, "ROLES_BUSY");
    assert_string_equal(next.err->text, "55P03: refused");
}

static void who_holds_the_lock_and_can_not_be_ended_is_named(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PLAN;
    script->holder = "svc_a, pid 12";
    script_begin(script, NULL);
    for (int i = 0; i < 8; i++) {
        script_refuse(script, "55P03");
        script->fails_at = i == 1 ? 0 : -1; // a holder that can't be read isn't named
        script_assert_answer(script, "others cluster");
        wait_and_go_on(script);
    }
    script_refuse(script, "55P03");
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_FAILED);
    assert_string_equal(next.err->text,
                        "55P03: refused; the lock is held by svc_a, pid 12; end that session");
}

static void the_cluster_s_lock_is_asked_for_again_too(void **state)
{
    Script *script = *state;
    script_begin(script, NULL);
    script->fails_at = 0;
    script_answer(script);
    wait_and_go_on(script);
    script->fails_at = -1;
    script_assert_answer(script, "lock cluster; cluster; databases; logins");
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
}

static void a_lost_race_is_run_again_from_a_new_look(void **state)
{
    static const char *const STATES[] = {"23505", "42710", "42P04", "XX000",
                                         "40P01", "55P03", "57P01"};
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        Script *script = *state;
        script->rows[ROLES_QUERY_CLUSTER] = TWO;
        script_begin(script, NULL);
        script_answer(script);
        script_refuse(script, STATES[i]);
        wait_and_go_on(script);
        script->rows[ROLES_QUERY_CLUSTER] = NULL;
        script_assert_answer(script, "cluster; databases; logins");
        assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    }
}

#define TRY(statement) "stage " statement "; try; why; "

static void what_fails_as_a_whole_is_tried_one_by_one(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->rows[ROLES_QUERY_CLUSTER] = TWO;
    script_begin(script, NULL);
    script_answer(script);
    script_assert_sent(script, "BEGIN; SET LOCAL ROLE p; ALTER ROLE good; "
                               "stage CREATE ROLE bad = password-of-svc_a; run; COMMIT; "
                               "verifiers [\"svc_a\"]; cluster; databases; logins");
    script_refuse(script, "42501");
    script->wrong = "CREATE ROLE bad";
    script_assert_answer(
        script, "BEGIN; SET LOCAL ROLE p; " TRY("ALTER ROLE good")
                    TRY("CREATE ROLE bad = password-of-svc_a") "COMMIT; verifiers [\"svc_a\"]; "
                                                               "cluster; databases; logins");
    assert_int_equal(script_action(script), ROLES_TALK_SEND); // `good` is planned again: once more
    script_assert_sent(script, "BEGIN; SET LOCAL ROLE p; ALTER ROLE good; COMMIT; "
                               "verifiers [\"svc_a\"]; cluster; databases; logins");
    script->rows[ROLES_QUERY_CLUSTER] = "change|CREATE ROLE bad|role is missing|bad|svc_a";
    script_answer(script);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 2, "!|bad|CREATE ROLE bad|42501 permission denied");
    assert_null(script->report.passwords_set);
}

static void what_failed_by_itself_is_not_tried_again(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_CLUSTER] =
        "change|COMMENT ON ROLE encore_platform|mark differs|encore_platform|-\n"
        "change|ALTER ROLE good|attributes differ|good|-";
    script_begin(script, NULL);
    script_answer(script);
    script_refuse(script, "42501");
    script->wrong = "COMMENT ON";
    script_answer(script);
    script_assert_sent(script, "BEGIN; ALTER ROLE good; COMMIT; cluster; databases; logins");
}

static void a_look_that_loses_a_race_compares_passwords_again(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|SCRAM-a";
    script_begin(script, NULL);
    script_answer(script);
    script_verify(script, ROLES_VERIFIED_DIFFERENT);
    script_assert_sent(script, "cluster; databases; logins");
    script_refuse(script, "XX000");
    wait_and_go_on(script);
    script_assert_sent(script, "verifiers [\"svc_a\"]; cluster; databases; logins");
}

static void what_loses_three_races_is_tried_one_by_one(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_OWNER] = "change|ALTER TABLE t|owner|t|-";
    script_begin(script, "main");
    script_answer(script);
    for (int i = 0; i < 3; i++) {
        script_assert_sent(script, "BEGIN; SET LOCAL lock_timeout = '3s'; ALTER TABLE t; COMMIT; "
                                   "owner; privileges");
        script_refuse(script, "55P03");
        wait_and_go_on(script);
        script_assert_answer(script, "owner; privileges");
    }
    script->wrong = "ALTER TABLE t";
    script_assert_answer(script, "BEGIN; SET LOCAL lock_timeout = '1s'; " TRY(
                                     "ALTER TABLE t") "COMMIT; owner; privileges");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_int_equal(script_report(script)->count, 1);
    script_assert_change(script, 0, "!main|t|ALTER TABLE t|42501 permission denied");
}

static void a_cluster_that_refuses_even_that_fails_the_run(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_CLUSTER] = TWO;
    script_begin(script, NULL);
    script_answer(script);
    script_refuse(script, "42501");
    script_refuse(script, "42501");
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_FAILED);
    assert_int_equal(next.err->kind, ERROR_CONFLICT);
    assert_string_equal(next.err->code, "ROLES_FAILED");
    assert_string_equal(next.err->text, "42501: refused");
}

static void a_database_that_refuses_is_reported(void **state)
{
    Script *script = *state;
    script_begin(script, "main");
    script_refuse(script, "42501");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 0, "!main|main||42501: refused");
}

static void a_lost_session_fails_the_run(void **state)
{
    Script *script = *state;
    script_begin(script, "main");
    script_lose(script);
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_FAILED);
    assert_string_equal(next.err->code, "CONNECTION_LOST");
}

static void refuse_login(Script *script, const char *code)
{
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, code, "no login");
    roles_talk_refused(script->talk, &err);
}

static void a_login_that_is_refused_for_good_is_reported(void **state)
{
    Script *script = *state;
    script_begin(script, "main");
    refuse_login(script, "42501");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 0, "!main|main||42501: no login");
}

static void an_owner_that_may_not_log_in_has_nothing_there(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_OWNER;
    script_begin(script, "main");
    refuse_login(script, "42501");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_int_equal(script_report(script)->count, 0);
}

static void other_refusals_fail_the_run(void **state)
{
    Script *script = *state;
    script_begin(script, "main");
    refuse_login(script, "53300");
    assert_int_equal(script_action(script), ROLES_TALK_FAILED);
    script_begin(script, NULL);
    refuse_login(script, "42501");
    assert_int_equal(script_action(script), ROLES_TALK_FAILED);
}

static void nothing_to_free_is_fine(void **state)
{
    (void)state;
    roles_talk_free(NULL);
    roles_talks_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPT_TEST(a_lock_that_is_held_for_long_is_asked_for_again),
        SCRIPT_TEST(who_holds_the_lock_and_can_not_be_ended_is_named),
        SCRIPT_TEST(the_cluster_s_lock_is_asked_for_again_too),
        SCRIPT_TEST(a_lost_race_is_run_again_from_a_new_look),
        SCRIPT_TEST(what_fails_as_a_whole_is_tried_one_by_one),
        SCRIPT_TEST(what_failed_by_itself_is_not_tried_again),
        SCRIPT_TEST(a_look_that_loses_a_race_compares_passwords_again),
        SCRIPT_TEST(what_loses_three_races_is_tried_one_by_one),
        SCRIPT_TEST(a_cluster_that_refuses_even_that_fails_the_run),
        SCRIPT_TEST(a_database_that_refuses_is_reported),
        SCRIPT_TEST(a_lost_session_fails_the_run),
        SCRIPT_TEST(a_login_that_is_refused_for_good_is_reported),
        SCRIPT_TEST(an_owner_that_may_not_log_in_has_nothing_there),
        SCRIPT_TEST(other_refusals_fail_the_run),
        SCRIPT_TEST(nothing_to_free_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
