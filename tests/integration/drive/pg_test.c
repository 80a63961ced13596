#include "pg_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/clock.h"

enum { JOBS = 50, BIG_TEXT = 16 * 1024 * 1024 };

static void the_statements_of_a_job_are_one_transaction(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    const char *const params[] = {"41"};
    PgStatement statements[] = {
        {.sql = "CREATE TEMP TABLE one (n int)"},
        {.sql = "INSERT INTO one VALUES ($1::int + 1)", .param_count = 1, .params = params},
        {.sql = "SELECT n, txid_current() FROM one"}};
    PgAnswer answer = {.done = false};
    pg_run(f->pg, statements, 3, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_int_equal(answer.count, 3);
    assert_string_equal(answer.value, "42");
}

static void an_error_in_the_middle_rolls_all_back(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    PgAnswer answer;
    pg_fixture_value(f, "CREATE TEMP TABLE two (n int)", &answer);
    PgStatement statements[] = {{.sql = "INSERT INTO two VALUES (1)"},
                                {.sql = "SELECT 1 / 0"},
                                {.sql = "INSERT INTO two VALUES (2)"}};
    answer.done = false;
    pg_run(f->pg, statements, 3, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_INTERNAL);
    assert_string_equal(answer.err.code, "22012");
    assert_int_equal(answer.count, 1);
    assert_string_equal(pg_fixture_value(f, "SELECT count(*) FROM two", &answer), "0");
}

static void a_transaction_left_open_is_ended_before_the_next_job(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    PgAnswer answer;
    pg_fixture_value(f, "CREATE TEMP TABLE three (n int)", &answer);
    PgStatement statements[] = {{.sql = "BEGIN"},
                                {.sql = "INSERT INTO three VALUES (1)"},
                                {.sql = "SELECT 'x'::int"},
                                {.sql = "COMMIT"}};
    answer.done = false;
    pg_run(f->pg, statements, 4, pg_on_answer, &answer);
    PgAnswer next = {.done = false};
    PgStatement count = {.sql = "SELECT count(*) FROM three"};
    pg_run(f->pg, &count, 1, pg_on_answer, &next);
    test_await_flag(f->loop, &next.done);
    assert_string_equal(answer.err.code, "22P02");
    assert_int_equal(next.err.kind, ERROR_NONE);
    assert_string_equal(next.value, "0");
}

static void jobs_run_in_order(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    PgAnswer answers[JOBS] = {0};
    PgStatement create = {.sql = "CREATE TEMP SEQUENCE four"};
    PgAnswer created = {.done = false};
    pg_run(f->pg, &create, 1, pg_on_answer, &created);
    PgStatement next = {.sql = "SELECT nextval('four')"};
    for (int i = 0; i < JOBS; i++) {
        pg_run(f->pg, &next, 1, pg_on_answer, &answers[i]);
    }
    assert_int_equal(pg_waiting(f->pg), JOBS + 1);
    for (int i = 0; i < JOBS; i++) {
        test_await_flag(f->loop, &answers[i].done);
        assert_int_equal(strtol(answers[i].value, NULL, 10), i + 1);
    }
    assert_int_equal(pg_waiting(f->pg), 0);
}

static void a_statement_that_takes_too_long_is_cancelled(void **state)
{
    PgFixture *f = *state;
    f->options.statement_timeout_ms = 200;
    pg_fixture_open(f);
    PgAnswer answer;
    pg_fixture_run(f, "SELECT pg_sleep(20)", &answer);
    assert_string_equal(answer.err.code, "57014");
    assert_string_equal(pg_fixture_value(f, "SELECT 1", &answer), "1");
    assert_string_equal(pg_fixture_value(f, "SHOW lock_timeout", &answer), "100ms");
}

static void hostile_texts_pass_through_arrays(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    const char *const params[] = {"{\"a\\\"b\",\"'; DROP TABLE x; --\",\"{}\\\\,\",NULL,\"ü\\n\"}",
                                  NULL};
    PgStatement statement = {.sql = "SELECT array_to_string($1::text[], '|', '?') || "
                                    "coalesce($2::text, '-')",
                             .param_count = 2,
                             .params = params};
    PgAnswer answer = {.done = false};
    pg_run(f->pg, &statement, 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_string_equal(answer.value, "a\"b|'; DROP TABLE x; --|{}\\,|?|ün-");
}

static void a_prepared_statement_is_parsed_once_for_each_connection(void **state)
{
    static const char SQL[] = "SELECT $1::int + 1";
    static const char COUNT[] =
        "SELECT count(*) || ' ' || max(generic_plans + custom_plans) "
        "FROM pg_prepared_statements WHERE statement = 'SELECT $1::int + 1'";
    PgFixture *f = *state;
    const char *const params[] = {"41"};
    const PgStatement twice[] = {
        {.sql = SQL, .param_count = 1, .params = params, .is_prepared = true},
        {.sql = SQL, .param_count = 1, .params = params, .is_prepared = true},
    };
    for (int connection = 0; connection < 2; connection++) {
        pg_fixture_open(f);
        for (int i = 0; i < 2; i++) {
            PgAnswer answer = {.done = false};
            pg_run(f->pg, twice, 2, pg_on_answer, &answer);
            test_await_flag(f->loop, &answer.done);
            assert_int_equal(answer.err.kind, ERROR_NONE);
            assert_int_equal(answer.count, 2);
            assert_string_equal(answer.value, "42");
        }
        PgAnswer answer;
        assert_string_equal(pg_fixture_value(f, COUNT, &answer), "1 4");
        pg_close(f->pg);
        f->pg = NULL;
    }
}

static void what_failed_to_be_prepared_is_prepared_later(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    const PgStatement statements[] = {{.sql = "SELECT 1 / (SELECT count(*) - 1 FROM seven)"},
                                      {.sql = "SELECT n FROM seven", .is_prepared = true}};
    PgAnswer answer;
    pg_fixture_value(f, "CREATE TEMP TABLE seven AS SELECT 7 AS n", &answer);
    answer.done = false;
    pg_run(f->pg, statements, 2, pg_on_answer, &answer); // the first keeps the second from it
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.err.code, "22012");
    pg_fixture_value(f, "DROP TABLE seven", &answer);
    answer.done = false;
    pg_run(f->pg, &statements[1], 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.err.code, "42P01");
    pg_fixture_value(f, "CREATE TEMP TABLE seven AS SELECT 7 AS n", &answer);
    answer.done = false;
    pg_run(f->pg, &statements[1], 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_string_equal(answer.value, "7");
}

static void a_statement_whose_plan_was_lost_is_prepared_by_the_next_connection(void **state)
{
    PgFixture *f = *state;
    f->options.reconnect = true;
    pg_fixture_open(f);
    const PgStatement statement = {.sql = "SELECT * FROM drive_test_eight", .is_prepared = true};
    PgAnswer answer;
    pg_fixture_value(f, "CREATE TABLE drive_test_eight AS SELECT 8 AS n", &answer);
    answer.done = false;
    pg_run(f->pg, &statement, 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.value, "8");
    pg_fixture_value(f, "ALTER TABLE drive_test_eight ALTER n TYPE text USING 'eight'", &answer);
    answer.done = false;
    pg_run(f->pg, &statement, 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
    answer.done = false;
    pg_run(f->pg, &statement, 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    PgAnswer dropped;
    pg_fixture_value(f, "DROP TABLE drive_test_eight", &dropped);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_string_equal(answer.value, "eight");
}

static void notices_are_silent_and_copy_ends_the_connection(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    PgAnswer answer;
    pg_fixture_run(f, "DO $$ BEGIN RAISE WARNING 'loud'; END $$", &answer);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    pg_fixture_run(f, "COPY (SELECT 1) TO STDOUT", &answer);
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
}

static void a_callback_may_close(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    PgAnswer first = {.to_close = f->pg};
    PgAnswer second = {.done = false};
    PgStatement statement = {.sql = "SELECT 1"};
    pg_run(f->pg, &statement, 1, pg_on_answer, &first);
    pg_run(f->pg, &statement, 1, pg_on_answer, &second);
    f->pg = NULL;
    test_await_flag(f->loop, &first.done);
    test_pass(f->loop, 50);
    assert_false(second.done);
}

static void big_answers_and_big_parameters_pass(void **state)
{
    PgFixture *f = *state;
    f->options.statement_timeout_ms = 20000;
    pg_fixture_open(f);
    char *text = alloc_bytes(BIG_TEXT + 1);
    memset(text, 'x', BIG_TEXT);
    text[BIG_TEXT] = '\0';
    const char *const params[] = {text};
    PgStatement statements[] = {{.sql = "SELECT $1::text", .param_count = 1, .params = params},
                                {.sql = "SELECT length($1)", .param_count = 1, .params = params}};
    PgAnswer answer = {.done = false};
    pg_run(f->pg, statements, 2, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    free(text);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_int_equal(strtol(answer.value, NULL, 10), BIG_TEXT);
}

static void what_missed_its_send_limit_is_not_sent(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    test_await(f->loop, pg_fixture_is_ready, f);
    PgAnswer answer = {.done = false};
    PgStatement statement = {.sql = "CREATE TEMP TABLE five ()"};
    pg_run_until(f->pg, &statement, 1, clock_boot_ms() - 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.err.code, "SEND_LIMIT");
    pg_fixture_run(f, "SELECT * FROM five", &answer);
    assert_string_equal(answer.err.code, "42P01");
    answer.done = false;
    pg_run_until(f->pg, &statement, 1, clock_boot_ms() + 10000, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_NONE);
}

// The server doesn't read while it sleeps, so that the second parameter stays with us.
static void what_was_written_in_part_by_its_send_limit_is_rolled_back(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    PgAnswer answer;
    pg_fixture_value(f, "DROP TABLE IF EXISTS drive_test_six", &answer);
    char *text = alloc_bytes(BIG_TEXT + 1);
    memset(text, 'x', BIG_TEXT);
    text[BIG_TEXT] = '\0';
    const char *const params[] = {text};
    PgStatement statements[] = {{.sql = "CREATE TABLE drive_test_six ()"},
                                {.sql = "SELECT pg_sleep(1)"},
                                {.sql = "SELECT length($1)", .param_count = 1, .params = params}};
    answer.done = false;
    pg_run_until(f->pg, statements, 3, clock_boot_ms() + 300, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    free(text);
    assert_string_equal(answer.err.code, "SEND_LIMIT");
    pg_close(f->pg);
    pg_fixture_open(f);
    assert_string_equal(
        pg_fixture_value(f, "SELECT to_regclass('drive_test_six') IS NULL", &answer), "t");
}

int main(void)
{
    int status = 0;
    if (!test_has_neighbour("PROVISION_TEST_LEDGER", &status)) {
        return status;
    }
#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, pg_set_up, pg_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(the_statements_of_a_job_are_one_transaction),
        WITH_LEDGER(an_error_in_the_middle_rolls_all_back),
        WITH_LEDGER(a_transaction_left_open_is_ended_before_the_next_job),
        WITH_LEDGER(jobs_run_in_order),
        WITH_LEDGER(a_statement_that_takes_too_long_is_cancelled),
        WITH_LEDGER(hostile_texts_pass_through_arrays),
        WITH_LEDGER(a_prepared_statement_is_parsed_once_for_each_connection),
        WITH_LEDGER(what_failed_to_be_prepared_is_prepared_later),
        WITH_LEDGER(a_statement_whose_plan_was_lost_is_prepared_by_the_next_connection),
        WITH_LEDGER(notices_are_silent_and_copy_ends_the_connection),
        WITH_LEDGER(a_callback_may_close),
        WITH_LEDGER(big_answers_and_big_parameters_pass),
        WITH_LEDGER(what_missed_its_send_limit_is_not_sent),
        WITH_LEDGER(what_was_written_in_part_by_its_send_limit_is_rolled_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
