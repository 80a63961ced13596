#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "drive/pg.h"
#include "sys/clock.h"

enum { LONGEST_TURN_MS = 100, JOBS = 50, BIG_TEXT = 16 * 1024 * 1024 };

typedef struct Fixture {
    Loop *loop;
    Resolver *resolver;
    Secret uri;
    PgOptions options;
    Pg *pg;
    PgState state;
    int ready; // how often it became so
    Error failure;
    bool close_on_failure;
} Fixture;

typedef struct Answer {
    bool done;
    int count;
    Error err;
    char value[512]; // first column of the last result
    Pg *to_close;
} Answer;

static void on_state(void *context, PgState state, const Error *err)
{
    Fixture *f = context;
    f->state = state;
    if (state == PG_READY) {
        f->ready++;
    } else if (state == PG_FAILED) {
        f->failure = *err;
        if (f->close_on_failure) {
            pg_close(f->pg);
            f->pg = NULL;
        }
    }
}

static void on_answer(void *context, PGresult *const *results, int count, const Error *err)
{
    Answer *answer = context;
    assert_false(answer->done);
    answer->done = true;
    answer->count = count;
    answer->err = *err;
    if (count > 0 && PQntuples(results[count - 1]) > 0) {
        const char *value = PQgetvalue(results[count - 1], 0, 0);
        size_t length = strnlen(value, sizeof(answer->value) - 1);
        memcpy(answer->value, value, length);
        answer->value[length] = '\0';
    }
    if (answer->to_close != NULL) {
        pg_close(answer->to_close);
    }
}

static int set_up(void **state)
{
    const char *uri = getenv("PROVISION_TEST_LEDGER");
    Fixture *f = alloc_zeroed(1, sizeof(*f));
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop);
    secret_set_text(&f->uri, uri);
    f->options = (PgOptions){
        .uri = &f->uri,
        .connect_timeout_ms = 5000,
        .statement_timeout_ms = 2000,
        .application_name = "drive-test",
    };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    int64_t longest_ms = loop_longest_turn_ms(f->loop);
    pg_close(f->pg);
    resolver_free(f->resolver);
    loop_free(f->loop);
    secret_clear(&f->uri);
    free(f);
    if (longest_ms > LONGEST_TURN_MS) {
        print_error("the loop was blocked for %d ms\n", (int)longest_ms);
    }
    return longest_ms > LONGEST_TURN_MS;
}

static void open_pg(Fixture *f)
{
    f->state = PG_CONNECTING;
    f->pg = pg_open(f->loop, f->resolver, &f->options, on_state, f);
}

static bool is_ready(void *context)
{
    const Fixture *f = context;
    return f->state == PG_READY;
}

static bool has_failed(void *context)
{
    const Fixture *f = context;
    return f->state == PG_FAILED;
}

static void run_sql(Fixture *f, const char *sql, Answer *ret_answer)
{
    PgStatement statement = {.sql = sql};
    *ret_answer = (Answer){.done = false};
    pg_run(f->pg, &statement, 1, on_answer, ret_answer);
    assert_false(ret_answer->done);
    test_await_flag(f->loop, &ret_answer->done);
}

static const char *value_of(Fixture *f, const char *sql, Answer *answer)
{
    run_sql(f, sql, answer);
    assert_int_equal(answer->err.kind, ERROR_NONE);
    return answer->value;
}

static void the_statements_of_a_job_are_one_transaction(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    const char *const params[] = {"41"};
    PgStatement statements[] = {
        {.sql = "CREATE TEMP TABLE one (n int)"},
        {.sql = "INSERT INTO one VALUES ($1::int + 1)", .param_count = 1, .params = params},
        {.sql = "SELECT n, txid_current() FROM one"}};
    Answer answer = {.done = false};
    pg_run(f->pg, statements, 3, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_int_equal(answer.count, 3);
    assert_string_equal(answer.value, "42");
}

static void an_error_in_the_middle_rolls_all_back(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    Answer answer;
    value_of(f, "CREATE TEMP TABLE two (n int)", &answer);
    PgStatement statements[] = {{.sql = "INSERT INTO two VALUES (1)"},
                                {.sql = "SELECT 1 / 0"},
                                {.sql = "INSERT INTO two VALUES (2)"}};
    answer.done = false;
    pg_run(f->pg, statements, 3, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_INTERNAL);
    assert_string_equal(answer.err.code, "22012");
    assert_int_equal(answer.count, 1);
    assert_string_equal(value_of(f, "SELECT count(*) FROM two", &answer), "0");
}

static void a_transaction_left_open_is_ended_before_the_next_job(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    Answer answer;
    value_of(f, "CREATE TEMP TABLE three (n int)", &answer);
    PgStatement statements[] = {{.sql = "BEGIN"},
                                {.sql = "INSERT INTO three VALUES (1)"},
                                {.sql = "SELECT 'x'::int"},
                                {.sql = "COMMIT"}};
    answer.done = false;
    pg_run(f->pg, statements, 4, on_answer, &answer);
    Answer next = {.done = false};
    PgStatement count = {.sql = "SELECT count(*) FROM three"};
    pg_run(f->pg, &count, 1, on_answer, &next);
    test_await_flag(f->loop, &next.done);
    assert_string_equal(answer.err.code, "22P02");
    assert_int_equal(next.err.kind, ERROR_NONE);
    assert_string_equal(next.value, "0");
}

static void jobs_run_in_order(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    Answer answers[JOBS] = {0};
    PgStatement create = {.sql = "CREATE TEMP SEQUENCE four"};
    Answer created = {.done = false};
    pg_run(f->pg, &create, 1, on_answer, &created);
    PgStatement next = {.sql = "SELECT nextval('four')"};
    for (int i = 0; i < JOBS; i++) {
        pg_run(f->pg, &next, 1, on_answer, &answers[i]);
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
    Fixture *f = *state;
    f->options.statement_timeout_ms = 200;
    open_pg(f);
    Answer answer;
    run_sql(f, "SELECT pg_sleep(20)", &answer);
    assert_string_equal(answer.err.code, "57014");
    assert_string_equal(value_of(f, "SELECT 1", &answer), "1");
    assert_string_equal(value_of(f, "SHOW lock_timeout", &answer), "100ms");
}

static void a_job_without_an_answer_ends_with_its_connection(void **state)
{
    Fixture *f = *state;
    f->options.statement_timeout_ms = 100;
    open_pg(f);
    Answer answer;
    // The server's own limit is switched off for this session.
    value_of(f, "SET statement_timeout = 0", &answer);
    int64_t started_ms = clock_boot_ms();
    run_sql(f, "SELECT pg_sleep(20)", &answer);
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
    assert_int_equal(answer.err.kind, ERROR_UNAVAILABLE);
    assert_in_range(clock_boot_ms() - started_ms, 5000, 15000);
    assert_int_equal(f->state, PG_FAILED);
}

static void end_session(Fixture *f, const char *pid)
{
    Pg *other = pg_open(f->loop, f->resolver, &f->options, on_state, f);
    const char *const params[] = {pid};
    PgStatement statement = {
        .sql = "SELECT pg_terminate_backend($1::int)", .param_count = 1, .params = params};
    Answer answer = {.done = false};
    pg_run(other, &statement, 1, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.value, "t");
    pg_close(other);
}

static void a_lost_connection_is_made_again(void **state)
{
    Fixture *f = *state;
    f->options.reconnect = true;
    open_pg(f);
    Answer pid;
    value_of(f, "SELECT pg_backend_pid()", &pid);
    PgStatement slow = {.sql = "SELECT pg_sleep(1)"};
    PgStatement next = {.sql = "SELECT pg_backend_pid()"};
    Answer lost = {.done = false};
    Answer after = {.done = false};
    pg_run(f->pg, &slow, 1, on_answer, &lost);
    pg_run(f->pg, &next, 1, on_answer, &after);
    test_pass(f->loop, 50);
    end_session(f, pid.value);
    test_await_flag(f->loop, &lost.done);
    assert_string_equal(lost.err.code, "CONNECTION_LOST");
    assert_int_equal(lost.err.kind, ERROR_UNAVAILABLE);
    test_await_flag(f->loop, &after.done);
    assert_int_equal(after.err.kind, ERROR_NONE);
    assert_string_not_equal(after.value, pid.value);
}

static void the_loss_of_an_idle_connection_is_noticed(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    Answer pid;
    value_of(f, "SELECT pg_backend_pid()", &pid);
    end_session(f, pid.value);
    test_await(f->loop, has_failed, f);
    assert_int_equal(f->failure.kind, ERROR_UNAVAILABLE);
    Answer late;
    run_sql(f, "SELECT 1", &late);
    assert_string_equal(late.err.code, "CONNECTION_LOST");
}

// Puts `with` in the place of the `length` characters from `at` on.
static void replace_in_uri(Fixture *f, const char *at, size_t length, const char *with)
{
    const char *uri = secret_reveal(&f->uri);
    Text changed = TEXT_INIT(4096);
    text_append_bytes(&changed, uri, (size_t)(at - uri));
    text_append(&changed, with);
    text_append(&changed, at + length);
    secret_set_text(&f->uri, text_get(&changed));
    text_clear(&changed);
}

// postgresql://user:PASSWORD@host…
static void set_password(Fixture *f, const char *password)
{
    const char *at = strchr(strstr(secret_reveal(&f->uri), "//"), ':') + 1;
    replace_in_uri(f, at, strcspn(at, "@"), password);
}

static void a_refused_login_says_why(void **state)
{
    Fixture *f = *state;
    set_password(f, "hunter2-wrong");
    open_pg(f);
    Answer answer;
    run_sql(f, "SELECT 1", &answer);
    assert_int_equal(f->state, PG_FAILED);
    assert_string_equal(f->failure.code, "28P01");
    assert_int_equal(f->failure.kind, ERROR_DENIED);
    assert_null(strstr(f->failure.text, "hunter2"));
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
}

static void a_database_that_is_not_there_says_so(void **state)
{
    Fixture *f = *state;
    const char *database = strrchr(secret_reveal(&f->uri), '/');
    replace_in_uri(f, database, strlen(database), "/nowhere");
    open_pg(f);
    test_await(f->loop, has_failed, f);
    assert_string_equal(f->failure.code, "3D000");
    assert_int_equal(f->failure.kind, ERROR_UNAVAILABLE);
}

static void what_cannot_be_parsed_is_not_quoted(void **state)
{
    Fixture *f = *state;
    static const char *const BAD[] = {"postgresql://u:hunter2%zz@localhost/x", "hunter2",
                                      "host=a,b password=hunter2", "postgresql://u:hunter2@a,b/x"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        secret_set_text(&f->uri, BAD[i]);
        open_pg(f);
        test_await(f->loop, has_failed, f);
        assert_string_equal(f->failure.code, "CONNECT_FAILED");
        assert_null(strstr(f->failure.text, "hunter2"));
        pg_close(f->pg);
    }
    f->pg = NULL;
}

static void an_unknown_host_is_tried_again(void **state)
{
    Fixture *f = *state;
    secret_set_text(&f->uri, "postgresql://u:p@nothing.invalid/x");
    f->options.reconnect = true;
    open_pg(f);
    for (int i = 0; i < 2; i++) {
        test_await(f->loop, has_failed, f);
        assert_string_equal(f->failure.code, "NAME_NOT_RESOLVED");
        f->state = PG_CONNECTING;
    }
}

static void a_closed_port_is_told(void **state)
{
    Fixture *f = *state;
    secret_set_text(&f->uri, "postgresql://u:p@ep-x.localhost:1/x");
    f->close_on_failure = true;
    open_pg(f);
    test_await(f->loop, has_failed, f);
    assert_string_equal(f->failure.code, "CONNECT_FAILED");
    assert_null(f->pg);
}

static void a_host_without_tls_is_refused(void **state)
{
    Fixture *f = *state;
    Secret password = SECRET_INIT;
    secret_set_text(&password, "hunter2");
    const char *port = strrchr(secret_reveal(&f->uri), ':') + 1;
    f->options.uri = NULL;
    f->options.host = "ep-x.localhost";
    f->options.port = (int)strtol(port, NULL, 10);
    f->options.user = "provision";
    f->options.database = "provision";
    f->options.password = &password;
    f->options.ca_file = "";
    open_pg(f);
    secret_clear(&password);
    test_await(f->loop, has_failed, f);
    assert_string_equal(f->failure.code, "CONNECT_FAILED");
    assert_non_null(strstr(f->failure.text, "SSL"));
}

static void hostile_texts_pass_through_arrays(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    const char *const params[] = {"{\"a\\\"b\",\"'; DROP TABLE x; --\",\"{}\\\\,\",NULL,\"ü\\n\"}",
                                  NULL};
    PgStatement statement = {.sql = "SELECT array_to_string($1::text[], '|', '?') || "
                                    "coalesce($2::text, '-')",
                             .param_count = 2,
                             .params = params};
    Answer answer = {.done = false};
    pg_run(f->pg, &statement, 1, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_string_equal(answer.value, "a\"b|'; DROP TABLE x; --|{}\\,|?|ün-");
}

static void notices_are_silent_and_copy_ends_the_connection(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    Answer answer;
    run_sql(f, "DO $$ BEGIN RAISE WARNING 'loud'; END $$", &answer);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    run_sql(f, "COPY (SELECT 1) TO STDOUT", &answer);
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
}

static void a_callback_may_close(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    Answer first = {.to_close = f->pg};
    Answer second = {.done = false};
    PgStatement statement = {.sql = "SELECT 1"};
    pg_run(f->pg, &statement, 1, on_answer, &first);
    pg_run(f->pg, &statement, 1, on_answer, &second);
    f->pg = NULL;
    test_await_flag(f->loop, &first.done);
    test_pass(f->loop, 50);
    assert_false(second.done);
}

static void big_answers_and_big_parameters_pass(void **state)
{
    Fixture *f = *state;
    f->options.statement_timeout_ms = 20000;
    open_pg(f);
    char *text = alloc_bytes(BIG_TEXT + 1);
    memset(text, 'x', BIG_TEXT);
    text[BIG_TEXT] = '\0';
    const char *const params[] = {text};
    PgStatement statements[] = {{.sql = "SELECT $1::text", .param_count = 1, .params = params},
                                {.sql = "SELECT length($1)", .param_count = 1, .params = params}};
    Answer answer = {.done = false};
    pg_run(f->pg, statements, 2, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    free(text);
    assert_int_equal(answer.err.kind, ERROR_NONE);
    assert_int_equal(strtol(answer.value, NULL, 10), BIG_TEXT);
}

static void what_missed_its_send_limit_is_not_sent(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    test_await(f->loop, is_ready, f);
    Answer answer = {.done = false};
    PgStatement statement = {.sql = "CREATE TEMP TABLE five ()"};
    pg_run_until(f->pg, &statement, 1, clock_boot_ms() - 1, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.err.code, "SEND_LIMIT");
    run_sql(f, "SELECT * FROM five", &answer);
    assert_string_equal(answer.err.code, "42P01");
    answer.done = false;
    pg_run_until(f->pg, &statement, 1, clock_boot_ms() + 10000, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_int_equal(answer.err.kind, ERROR_NONE);
}

// The server doesn't read while it sleeps, so that the second parameter stays with us.
static void what_was_written_in_part_by_its_send_limit_is_rolled_back(void **state)
{
    Fixture *f = *state;
    open_pg(f);
    Answer answer;
    value_of(f, "DROP TABLE IF EXISTS drive_test_six", &answer);
    char *text = alloc_bytes(BIG_TEXT + 1);
    memset(text, 'x', BIG_TEXT);
    text[BIG_TEXT] = '\0';
    const char *const params[] = {text};
    PgStatement statements[] = {{.sql = "CREATE TABLE drive_test_six ()"},
                                {.sql = "SELECT pg_sleep(1)"},
                                {.sql = "SELECT length($1)", .param_count = 1, .params = params}};
    answer.done = false;
    pg_run_until(f->pg, statements, 3, clock_boot_ms() + 300, on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    free(text);
    assert_string_equal(answer.err.code, "SEND_LIMIT");
    pg_close(f->pg);
    open_pg(f);
    assert_string_equal(value_of(f, "SELECT to_regclass('drive_test_six') IS NULL", &answer), "t");
}

int main(void)
{
    int status = 0;
    if (!test_has_neighbour("PROVISION_TEST_LEDGER", &status)) {
        return status;
    }
#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(the_statements_of_a_job_are_one_transaction),
        WITH_LEDGER(an_error_in_the_middle_rolls_all_back),
        WITH_LEDGER(a_transaction_left_open_is_ended_before_the_next_job),
        WITH_LEDGER(jobs_run_in_order),
        WITH_LEDGER(a_statement_that_takes_too_long_is_cancelled),
        WITH_LEDGER(a_job_without_an_answer_ends_with_its_connection),
        WITH_LEDGER(a_lost_connection_is_made_again),
        WITH_LEDGER(the_loss_of_an_idle_connection_is_noticed),
        WITH_LEDGER(a_refused_login_says_why),
        WITH_LEDGER(a_database_that_is_not_there_says_so),
        WITH_LEDGER(what_cannot_be_parsed_is_not_quoted),
        WITH_LEDGER(an_unknown_host_is_tried_again),
        WITH_LEDGER(a_closed_port_is_told),
        WITH_LEDGER(a_host_without_tls_is_refused),
        WITH_LEDGER(hostile_texts_pass_through_arrays),
        WITH_LEDGER(notices_are_silent_and_copy_ends_the_connection),
        WITH_LEDGER(a_callback_may_close),
        WITH_LEDGER(big_answers_and_big_parameters_pass),
        WITH_LEDGER(what_missed_its_send_limit_is_not_sent),
        WITH_LEDGER(what_was_written_in_part_by_its_send_limit_is_rolled_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
