#include "script.h"

#include "base/text.h"

enum { CHUNK = 300, ROWS_LIMIT = 65536 };

static const char GRANT[] = "frame|SET LOCAL ROLE db_main_admin||-|-\n"
                            "change|GRANT USAGE ON SCHEMA s TO r|schema acl|s|-";

#define APPLY_GRANT                                                                                \
    "BEGIN; SET LOCAL lock_timeout = '3s'; SET LOCAL ROLE db_main_admin; "                         \
    "GRANT USAGE ON SCHEMA s TO r; COMMIT; owner; privileges"

static void a_converged_database_takes_one_round_trip(void **state)
{
    Script *script = *state;
    script_know(script, 2);
    script_begin(script, "main");
    assert_false(roles_talk_next(script->talk, 0).batch.each);
    script_assert_answer(script, "lock database; owner; privileges");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_int_equal(script_report(script)->count, 0);
}

static void a_plan_only_reads(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PLAN;
    script->rows[ROLES_QUERY_OWNER] = "owner||2 objects|legacy|-";
    script->rows[ROLES_QUERY_PRIVILEGES] = GRANT;
    script_begin(script, "main");
    script_assert_answer(script, "share database; owner; privileges");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_int_equal(json_array_size(script_report(script)->owners), 1);
    script_assert_change(script, 0, "!main|legacy||2 objects");
    script_assert_change(script, 1, "main|s|GRANT USAGE ON SCHEMA s TO r|schema acl");
}

static void a_plan_lists_extensions_where_that_is_asked_for(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PLAN;
    script->task.lists_extensions = true;
    script->rows[ROLES_QUERY_EXTENSIONS] = "plpgsql\npostgis";
    script_begin(script, "main");
    script_assert_answer(script, "share database; owner; privileges; extensions");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    const json_t *extensions = script_report(script)->extensions;
    assert_int_equal(json_array_size(extensions), 2);
    assert_string_equal(json_string_value(json_array_get(extensions, 1)), "postgis");
}

static void privileges_are_one_transaction(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_PRIVILEGES] = GRANT;
    script_begin(script, "main");
    script_answer(script);
    script->rows[ROLES_QUERY_PRIVILEGES] = "finding||PUBLIC has SELECT|t|-";
    script_assert_answer(script, APPLY_GRANT);
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_false(script_report(script)->remains);
    script_assert_change(script, 0, "main|s|GRANT USAGE ON SCHEMA s TO r|schema acl");
    script_assert_change(script, 1, "!main|t||PUBLIC has SELECT");
}

static void privileges_that_do_not_hold_are_given_up(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_PRIVILEGES] = GRANT;
    script_begin(script, "main");
    script_answer(script);
    for (int i = 0; i < 3; i++) {
        script_assert_answer(script, APPLY_GRANT);
    }
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_true(script_report(script)->remains);
}

static void add_objects(Text *rows, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        text_printf(rows, "change|ALTER TABLE t%d OWNER TO db_main_admin|owner|t%d|-\n", i, i);
    }
}

static void objects_are_handed_over_chunk_by_chunk(void **state)
{
    Script *script = *state;
    CLEANUP(text_clear) Text first = TEXT_INIT(ROWS_LIMIT);
    CLEANUP(text_clear) Text second = TEXT_INIT(ROWS_LIMIT);
    text_append(&first, "temporary|GRANT legacy TO me|temporary|legacy|-\n");
    add_objects(&first, 0, CHUNK);
    add_objects(&second, CHUNK, 2);
    script->rows[ROLES_QUERY_OWNER] = text_get(&first);
    script->rows[ROLES_QUERY_PRIVILEGES] = GRANT;
    script_begin(script, "main");
    script_answer(script);
    script->rows[ROLES_QUERY_OWNER] = text_get(&second);
    const char *sent = script_answer(script);
    assert_non_null(strstr(sent, "; GRANT legacy TO me; ALTER TABLE t0 "));
    assert_non_null(strstr(sent, "; ALTER TABLE t299 OWNER TO db_main_admin; COMMIT; owner"));
    assert_null(strstr(sent, "privileges")); // there is more
    script->rows[ROLES_QUERY_OWNER] = NULL;
    script_assert_answer(script, "BEGIN; SET LOCAL lock_timeout = '3s'; "
                                 "ALTER TABLE t300 OWNER TO db_main_admin; "
                                 "ALTER TABLE t301 OWNER TO db_main_admin; COMMIT; "
                                 "owner; privileges");
    script->rows[ROLES_QUERY_PRIVILEGES] = NULL;
    script_assert_answer(script, APPLY_GRANT);
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_int_equal(script_report(script)->count, CHUNK + 2 + 1);
}

static void privileges_are_given_after_any_number_of_chunks(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_OWNER] = "change|ALTER TABLE t0|owner|t0|-";
    script->rows[ROLES_QUERY_PRIVILEGES] = GRANT;
    script_begin(script, "main");
    script_answer(script);
    script->rows[ROLES_QUERY_OWNER] = "change|ALTER TABLE t1|owner|t1|-";
    script_answer(script);
    script->rows[ROLES_QUERY_OWNER] = "change|ALTER TABLE t2|owner|t2|-";
    script_answer(script);
    script->rows[ROLES_QUERY_OWNER] = NULL;
    script_answer(script);
    script_assert_sent(script, APPLY_GRANT);
}

static void a_database_s_plan_hears_of_no_password(void **state)
{
    Script *script = *state;
    script_know(script, 1);
    script->secrets[0].set = true;
    script_begin(script, "main");
    (void)script_sent(script);
    assert_null(strstr(script->parameter, "svc_a"));
}

static void a_full_chunk_that_was_the_last_is_followed_by_a_whole_look(void **state)
{
    Script *script = *state;
    CLEANUP(text_clear) Text rows = TEXT_INIT(ROWS_LIMIT);
    add_objects(&rows, 0, CHUNK);
    script->rows[ROLES_QUERY_OWNER] = text_get(&rows);
    script_begin(script, "main");
    script_answer(script);
    script->rows[ROLES_QUERY_OWNER] = NULL;
    script_answer(script);
    script_assert_answer(script, "owner; privileges");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
}

static void an_owner_that_comes_back_is_not_chased(void **state)
{
    Script *script = *state;
    CLEANUP(text_clear) Text rows = TEXT_INIT(ROWS_LIMIT);
    add_objects(&rows, 0, 1);
    script->rows[ROLES_QUERY_OWNER] = text_get(&rows);
    script_begin(script, "main");
    script_answer(script);
    script_answer(script);
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    assert_true(script_report(script)->remains);
    script_assert_change(script, 1,
                         "!main|t0|ALTER TABLE t0 OWNER TO db_main_admin|"
                         "it was executed, and is planned again");
}

static void an_owner_hands_over_and_gives_what_it_will_make(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_OWNER;
    script->rows[ROLES_QUERY_CREATOR] = "change|ALTER DEFAULT PRIVILEGES|default acl|legacy|-";
    script_begin(script, "main");
    script_assert_answer(script, "lock database; owner; creator");
    script->rows[ROLES_QUERY_CREATOR] = NULL;
    script_assert_answer(script, "BEGIN; SET LOCAL lock_timeout = '3s'; "
                                 "ALTER DEFAULT PRIVILEGES; COMMIT; owner; creator");
    assert_int_equal(script_action(script), ROLES_TALK_DONE);
    script_report(script);
    script_assert_change(script, 0, "main|legacy|ALTER DEFAULT PRIVILEGES|default acl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPT_TEST(a_converged_database_takes_one_round_trip),
        SCRIPT_TEST(a_plan_only_reads),
        SCRIPT_TEST(a_plan_lists_extensions_where_that_is_asked_for),
        SCRIPT_TEST(privileges_are_one_transaction),
        SCRIPT_TEST(privileges_that_do_not_hold_are_given_up),
        SCRIPT_TEST(objects_are_handed_over_chunk_by_chunk),
        SCRIPT_TEST(privileges_are_given_after_any_number_of_chunks),
        SCRIPT_TEST(a_database_s_plan_hears_of_no_password),
        SCRIPT_TEST(a_full_chunk_that_was_the_last_is_followed_by_a_whole_look),
        SCRIPT_TEST(an_owner_that_comes_back_is_not_chased),
        SCRIPT_TEST(an_owner_hands_over_and_gives_what_it_will_make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
