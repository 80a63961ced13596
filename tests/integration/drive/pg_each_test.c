#include "pg_fixture.h"

#include <string.h>

enum { STATEMENTS = 4 };

typedef struct Answers {
    bool done;
    int count;
    Error err;
    char states[STATEMENTS][6]; // SQLSTATE of each; "" = it worked
} Answers;

static void on_answers(void *context, PGresult *const *results, int count, const Error *err)
{
    Answers *answers = context;
    answers->done = true;
    answers->count = count;
    answers->err = *err;
    for (int i = 0; i < count; i++) {
        const char *state = PQresultErrorField(results[i], PG_DIAG_SQLSTATE);
        strncpy(answers->states[i], state != NULL ? state : "", sizeof answers->states[i] - 1);
    }
}

static void run_each(PgFixture *f, const PgStatement *statements, int count, Answers *ret_answers)
{
    *ret_answers = (Answers){.done = false};
    pg_run_each(f->pg, statements, count, 0, on_answers, ret_answers);
    test_await_flag(f->loop, &ret_answers->done);
}

static void a_statement_that_fails_by_itself_leaves_the_others(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    const PgStatement statements[] = {{.sql = "CREATE TEMP TABLE kept (n int)"},
                                      {.sql = "SELECT 1 / 0"},
                                      {.sql = "INSERT INTO kept VALUES (1)"},
                                      {.sql = "SELECT x FROM missing"}};
    Answers answers;
    run_each(f, statements, 4, &answers);
    assert_int_equal(answers.err.kind, ERROR_NONE);
    assert_int_equal(answers.count, 4);
    assert_string_equal(answers.states[0], "");
    assert_string_equal(answers.states[1], "22012");
    assert_string_equal(answers.states[2], "");
    assert_string_equal(answers.states[3], "42P01");
    PgAnswer answer;
    assert_string_equal(pg_fixture_value(f, "SELECT count(*) FROM kept", &answer), "1");
}

static void a_database_is_created_among_others(void **state)
{
    PgFixture *f = *state;
    f->options.statement_timeout_ms = 30000;
    pg_fixture_open(f);
    const PgStatement statements[] = {
        {.sql = "SELECT 1"},
        {.sql = "CREATE DATABASE drive_pg_each_test TEMPLATE template0"},
        {.sql = "CREATE DATABASE drive_pg_each_test TEMPLATE template0"},
        {.sql = "DROP DATABASE drive_pg_each_test"}};
    Answers answers;
    run_each(f, statements, 4, &answers);
    assert_string_equal(answers.states[1], "");
    assert_string_equal(answers.states[2], "42P04");
    assert_string_equal(answers.states[3], "");
}

static void a_transaction_left_open_is_ended_behind_them(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    const PgStatement statements[] = {
        {.sql = "CREATE TEMP TABLE gone (n int)"},
        {.sql = "BEGIN"},
        {.sql = "INSERT INTO gone VALUES (1)"},
    };
    Answers answers;
    run_each(f, statements, 3, &answers);
    PgAnswer answer;
    assert_string_equal(pg_fixture_value(f, "SELECT count(*) FROM gone", &answer), "0");
}

static void what_comes_behind_the_end_of_the_session_is_lost(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    const PgStatement statements[] = {{.sql = "SELECT 1"},
                                      {.sql = "SELECT pg_terminate_backend(pg_backend_pid())"},
                                      {.sql = "SELECT 2"}};
    Answers answers;
    run_each(f, statements, 3, &answers);
    assert_int_equal(answers.err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(answers.err.code, "CONNECTION_LOST");
    assert_true(answers.count < 3);
}

static void a_session_s_own_options_win(void **state)
{
    PgFixture *f = *state;
    f->options.session_options = "-c lock_timeout=1234 -c search_path=pg_catalog,pg_temp "
                                 "-c default_transaction_isolation=read\\ committed";
    pg_fixture_open(f);
    PgAnswer answer;
    assert_string_equal(pg_fixture_value(f, "SHOW lock_timeout", &answer), "1234ms");
    assert_string_equal(pg_fixture_value(f, "SHOW search_path", &answer), "pg_catalog,pg_temp");
    assert_string_equal(pg_fixture_value(f, "SHOW default_transaction_isolation", &answer),
                        "read committed");
    assert_string_equal(pg_fixture_value(f, "SHOW statement_timeout", &answer), "2s");
}

static void a_job_has_the_limit_it_is_given(void **state)
{
    PgFixture *f = *state;
    f->options.job_timeout_ms = 200;
    pg_fixture_open(f);
    PgAnswer answer;
    pg_fixture_run(f, "SELECT pg_sleep(1)", &answer);
    assert_int_equal(answer.err.kind, ERROR_UNAVAILABLE);
    assert_non_null(strstr(answer.err.text, "no answer within 200 ms"));
}

int main(void)
{
    int status = 0;
    if (!test_has_neighbour("PROVISION_TEST_LEDGER", &status)) {
        return status;
    }
#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, pg_set_up, pg_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(a_statement_that_fails_by_itself_leaves_the_others),
        WITH_LEDGER(a_database_is_created_among_others),
        WITH_LEDGER(a_transaction_left_open_is_ended_behind_them),
        WITH_LEDGER(what_comes_behind_the_end_of_the_session_is_lost),
        WITH_LEDGER(a_session_s_own_options_win),
        WITH_LEDGER(a_job_has_the_limit_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
