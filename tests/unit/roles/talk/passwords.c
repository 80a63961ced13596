#include "script.h"

#define OPEN_TWO "lock cluster; pad; verifiers [\"svc_a\",\"svc_b\"]; cluster; databases; logins"
#define AGAIN_TWO "verifiers [\"svc_a\",\"svc_b\"]; cluster; databases; logins"

enum { VERIFIERS = 2 }; // where they are in OPEN_TWO

#define NOT_SET "the role isn't there, or can't log in, or nobody may see what it logs in with"

static const char TWO_VERIFIERS[] = "svc_a|SCRAM-a\nsvc_b|SCRAM-b\nstranger|SCRAM-s";
static const char ALTER_A[] = "change|ALTER ROLE svc_a|password differs|svc_a|svc_a";

static bool is_to_set(const Script *script, const char *role)
{
    json_t *parameter = json_loads(script->parameter, 0, NULL);
    const json_t *roles = json_object_get(parameter, "set");
    bool found = false;
    for (size_t i = 0; i < json_array_size(roles); i++) {
        found = found || strcmp(json_string_value(json_array_get(roles, i)), role) == 0;
    }
    json_decref(parameter);
    return found;
}

static void passwords_that_are_set_are_left_alone_and_told(void **state)
{
    Script *script = *state;
    script_know(script, 2);
    script->rows[ROLES_QUERY_VERIFIERS] = TWO_VERIFIERS;
    script_begin(script, NULL);
    script_assert_answer(script, OPEN_TWO);
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.check_count, 2);
    assert_string_equal(next.checks[1].verifier, "SCRAM-b");
    script_verify(script, ROLES_VERIFIED_EQUAL);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(json_array_size(script_report(script)->passwords_set), 2);
    assert_int_equal(script->report.count, 0);
}

static void a_password_that_differs_is_set_and_compared_again(void **state)
{
    Script *script = *state;
    script_know(script, 2);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|SCRAM-a";
    script_begin(script, NULL);
    script_answer(script);
    assert_false(is_to_set(script, "svc_a"));
    script_verify(script, ROLES_VERIFIED_DIFFERENT);
    script->rows[ROLES_QUERY_CLUSTER] = ALTER_A;
    script_assert_answer(script, "cluster; databases; logins");
    assert_true(is_to_set(script, "svc_a"));
    assert_null(strstr(script->parameter, "password-of"));
    script->rows[ROLES_QUERY_CLUSTER] = NULL;
    script_assert_answer(
        script, "BEGIN; stage ALTER ROLE svc_a = password-of-svc_a; run; COMMIT; " AGAIN_TWO);
    assert_false(is_to_set(script, "svc_a"));
    script_verify(script, ROLES_VERIFIED_EQUAL);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(json_array_size(script_report(script)->passwords_set), 1);
    script_assert_change(script, 0, "|svc_a|ALTER ROLE svc_a|password differs");
}

static void a_role_without_a_verifier_gets_one(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|-";
    script_begin(script, NULL);
    script_answer(script);
    script_assert_answer(script, "cluster; databases; logins");
    assert_true(is_to_set(script, "svc_a"));
}

static void a_verifier_of_another_kind_is_replaced_once(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|md5-something";
    script_begin(script, NULL);
    script_answer(script);
    script_verify(script, ROLES_VERIFIED_UNKNOWN);
    script->rows[ROLES_QUERY_CLUSTER] = ALTER_A;
    script_answer(script);
    script->rows[ROLES_QUERY_CLUSTER] = NULL;
    script_answer(script);
    script_verify(script, ROLES_VERIFIED_UNKNOWN);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(json_array_size(script_report(script)->passwords_set), 1);
}

static void where_verifiers_are_hidden_the_caller_says_what_is_set(void **state)
{
    Script *script = *state;
    script_know(script, 2);
    script->secrets[0].set = true;
    script_begin(script, NULL);
    script->fails_at = VERIFIERS;
    script_assert_answer(script, OPEN_TWO);
    script->fails_at = -1;
    script->rows[ROLES_QUERY_CLUSTER] = ALTER_A;
    script_assert_answer(script, "cluster; databases; logins");
    assert_true(is_to_set(script, "svc_a"));
    assert_false(is_to_set(script, "svc_b"));
    script->rows[ROLES_QUERY_CLUSTER] = NULL;
    script_assert_answer(script, "BEGIN; stage ALTER ROLE svc_a = password-of-svc_a; run; COMMIT; "
                                 "cluster; databases; logins");
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(json_array_size(script_report(script)->passwords_set), 1);
}

static void where_verifiers_are_hidden_none_is_set_twice(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->secrets[0].set = true;
    script->rows[ROLES_QUERY_DATABASES] = "change|CREATE DATABASE d|database is missing|d|-";
    script_begin(script, NULL);
    script->fails_at = VERIFIERS;
    script_answer(script);
    script->fails_at = -1;
    script->rows[ROLES_QUERY_CLUSTER] = ALTER_A;
    script_answer(script);
    script->rows[ROLES_QUERY_CLUSTER] = NULL;
    script_answer(script);
    script->fails_at = 0;
    script_assert_answer(script, "CREATE DATABASE d");
    script->fails_at = -1;
    roles_talk_waited(script->talk);
    script_assert_sent(script, "cluster; databases; logins");
    assert_false(is_to_set(script, "svc_a"));
}

static void a_password_is_told_once(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|SCRAM-a";
    script->rows[ROLES_QUERY_CLUSTER] = "change|ALTER ROLE x INHERIT|attributes differ|x|-";
    script_begin(script, NULL);
    script_answer(script);
    script_verify(script, ROLES_VERIFIED_EQUAL);
    script->rows[ROLES_QUERY_CLUSTER] = NULL;
    script_answer(script);
    script_verify(script, ROLES_VERIFIED_EQUAL);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(json_array_size(script_report(script)->passwords_set), 1);
}

static void where_verifiers_are_hidden_and_none_is_asked_for_none_is_set(void **state)
{
    Script *script = *state;
    script_know(script, 2);
    script_begin(script, NULL);
    script->fails_at = VERIFIERS;
    script_answer(script);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_null(script_report(script)->passwords_set);
}

static void a_plan_compares_and_sets_nothing(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PLAN;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|SCRAM-a";
    script_begin(script, NULL);
    script_assert_answer(script,
                         "share cluster; verifiers [\"svc_a\"]; cluster; databases; logins");
    script_verify(script, ROLES_VERIFIED_DIFFERENT);
    script->rows[ROLES_QUERY_CLUSTER] = ALTER_A;
    script_answer(script);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_null(script_report(script)->passwords_set);
    script_assert_change(script, 0, "|svc_a|ALTER ROLE svc_a|password differs");
}

static void a_plan_tells_of_a_password_that_is_the_wanted_one(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PLAN;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|SCRAM-a";
    script_begin(script, NULL);
    script_answer(script);
    script_verify(script, ROLES_VERIFIED_EQUAL);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(json_array_size(script_report(script)->passwords_set), 1);
}

static void secrets_without_a_password_are_not_compared(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->secrets[0].password = NULL;
    script_begin(script, NULL);
    script_assert_sent(script, "lock cluster; cluster; databases; logins");
}

static void a_rotation_sets_passwords_and_nothing_else(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PASSWORDS;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|SCRAM-a";
    script_begin(script, NULL);
    script_assert_answer(script, "lock cluster; pad; verifiers [\"svc_a\"]; cluster");
    script_verify(script, ROLES_VERIFIED_DIFFERENT);
    script->rows[ROLES_QUERY_CLUSTER] =
        "change|COMMENT ON ROLE encore_platform|mark differs|encore_platform|-\n"
        "frame|SET LOCAL ROLE encore_platform||-|-\n"
        "change|ALTER ROLE svc_a|password differs|svc_a|svc_a\n"
        "change|ALTER ROLE svc_b|password differs|svc_b|svc_b\n"
        "change|GRANT x TO svc_a|membership is missing|x|-\n"
        "change|ALTER ROLE encore_platform|password differs|encore_platform|encore_platform\n"
        "change|CREATE ROLE svc_a|role is missing|svc_a|svc_a\n"
        "finding||worth knowing|x|-";
    script_answer(script);
    script_assert_answer(script, "BEGIN; COMMENT ON ROLE encore_platform; "
                                 "SET LOCAL ROLE encore_platform; "
                                 "stage ALTER ROLE svc_a = password-of-svc_a; run; COMMIT; "
                                 "verifiers [\"svc_a\"]; cluster");
    script->rows[ROLES_QUERY_CLUSTER] = NULL;
    script_verify(script, ROLES_VERIFIED_DIFFERENT); // somebody else was faster
    script->rows[ROLES_QUERY_CLUSTER] = "change|GRANT x TO svc_a|membership is missing|x|-\n"
                                        "finding||worth knowing|x|-";
    script_answer(script);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(script_report(script)->count, 3);
    assert_true(script->report.remains);
    script_assert_change(script, 2, "!|svc_a||" NOT_SET);
    script_assert_change(script, 0,
                         "|encore_platform|COMMENT ON ROLE encore_platform|mark differs");
    script_assert_change(script, 1, "|svc_a|ALTER ROLE svc_a|password differs");
    assert_null(script->report.passwords_set);
}

static void a_rotation_of_a_role_that_is_blocked_says_why(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PASSWORDS;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|SCRAM-a";
    script_begin(script, NULL);
    script_answer(script);
    script->rows[ROLES_QUERY_CLUSTER] = "blocked||not that one|svc_b|-\n"
                                        "blocked||role exists|svc_a|-";
    script_verify(script, ROLES_VERIFIED_DIFFERENT);
    script_answer(script);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_int_equal(script_report(script)->count, 1);
    script_assert_change(script, 0, "!|svc_a||role exists");
    assert_null(script->report.passwords_set);
}

static void a_rotation_of_a_role_that_is_missing_is_reported(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PASSWORDS;
    script_know(script, 2);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_b|SCRAM-b";
    script_begin(script, NULL);
    script_answer(script);
    script_verify(script, ROLES_VERIFIED_EQUAL);
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_true(script_report(script)->remains);
    assert_int_equal(script->report.count, 1);
    script_assert_change(script, 0, "!|svc_a||" NOT_SET);
}

static void a_rotation_that_does_not_hold_is_reported(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PASSWORDS;
    script_know(script, 1);
    script->rows[ROLES_QUERY_VERIFIERS] = "svc_a|-";
    script->rows[ROLES_QUERY_CLUSTER] = ALTER_A;
    script_begin(script, NULL);
    script_answer(script);
    script_answer(script);
    for (int i = 0; i < 3; i++) {
        script_answer(script);
        script_answer(script);
    }
    assert_int_equal(script_action(script), ROLES_TALK_HOLD);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 3,
                         "!|svc_a|ALTER ROLE svc_a|it was executed, and is planned again");
}

static void no_parameter_is_a_password(void **state)
{
    Script *script = *state;
    script_know(script, 2);
    script->rows[ROLES_QUERY_CLUSTER] = "change|CREATE ROLE svc_a|role is missing|svc_a|svc_a\n"
                                        "change|CREATE ROLE svc_b|role is missing|svc_b|svc_b";
    secret_set_text(&script->passwords[1], secret_reveal(&script->passwords[0]));
    script_begin(script, NULL);
    script_answer(script);
    RolesBatch batch = roles_talk_next(script->talk, 0).batch;
    for (int i = 0; i < batch.count; i++) {
        for (int p = 0; p < batch.statements[i].param_count; p++) {
            assert_null(strstr(batch.statements[i].params[p], "password-of"));
        }
    }
    // not even equal ones can be told to be equal
    assert_string_equal(batch.statements[1].params[2], "svc_a");
    assert_string_equal(batch.statements[3].params[2], "svc_b");
    assert_string_not_equal(batch.statements[1].params[1], batch.statements[3].params[1]);
}

static void a_session_without_a_pad_sets_no_password(void **state)
{
    static const char *const PADS[] = {"", "0011", SCRIPT_PAD "00",
                                       "zz112233445566778899aabbccddeeff"
                                       "00112233445566778899aabbccddeeff"};
    for (size_t i = 0; i < sizeof PADS / sizeof PADS[0]; i++) {
        Script *script = *state;
        script_know(script, 1);
        script->pad = PADS[i];
        script_begin(script, NULL);
        script_answer(script);
        RolesTalkNext next = roles_talk_next(script->talk, 0);
        assert_int_equal(next.action, ROLES_TALK_FAILED);
        assert_string_equal(next.err->code, "ROLES_ROW_INVALID");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPT_TEST(passwords_that_are_set_are_left_alone_and_told),
        SCRIPT_TEST(a_password_that_differs_is_set_and_compared_again),
        SCRIPT_TEST(a_role_without_a_verifier_gets_one),
        SCRIPT_TEST(a_verifier_of_another_kind_is_replaced_once),
        SCRIPT_TEST(where_verifiers_are_hidden_the_caller_says_what_is_set),
        SCRIPT_TEST(where_verifiers_are_hidden_none_is_set_twice),
        SCRIPT_TEST(a_password_is_told_once),
        SCRIPT_TEST(where_verifiers_are_hidden_and_none_is_asked_for_none_is_set),
        SCRIPT_TEST(a_plan_compares_and_sets_nothing),
        SCRIPT_TEST(a_plan_tells_of_a_password_that_is_the_wanted_one),
        SCRIPT_TEST(secrets_without_a_password_are_not_compared),
        SCRIPT_TEST(a_rotation_sets_passwords_and_nothing_else),
        SCRIPT_TEST(a_rotation_of_a_role_that_is_blocked_says_why),
        SCRIPT_TEST(a_rotation_of_a_role_that_is_missing_is_reported),
        SCRIPT_TEST(a_rotation_that_does_not_hold_is_reported),
        SCRIPT_TEST(no_parameter_is_a_password),
        SCRIPT_TEST(a_session_without_a_pad_sets_no_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
