#include "pg_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/clock.h"

static void end_session(PgFixture *f, const char *pid)
{
    Pg *other = pg_open(f->loop, f->resolver, &f->options, pg_on_state, f);
    const char *const params[] = {pid};
    PgStatement statement = {
        .sql = "SELECT pg_terminate_backend($1::int)", .param_count = 1, .params = params};
    PgAnswer answer = {.done = false};
    pg_run(other, &statement, 1, pg_on_answer, &answer);
    test_await_flag(f->loop, &answer.done);
    assert_string_equal(answer.value, "t");
    pg_close(other);
}

// Puts `with` in the place of the `length` characters from `at` on.
static void replace_in_uri(PgFixture *f, const char *at, size_t length, const char *with)
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
static void set_password(PgFixture *f, const char *password)
{
    const char *at = strchr(strstr(secret_reveal(&f->uri), "//"), ':') + 1;
    replace_in_uri(f, at, strcspn(at, "@"), password);
}

static void a_lost_connection_is_made_again(void **state)
{
    PgFixture *f = *state;
    f->options.reconnect = true;
    pg_fixture_open(f);
    PgAnswer pid;
    pg_fixture_value(f, "SELECT pg_backend_pid()", &pid);
    PgStatement slow = {.sql = "SELECT pg_sleep(1)"};
    PgStatement next = {.sql = "SELECT pg_backend_pid()"};
    PgAnswer lost = {.done = false};
    PgAnswer after = {.done = false};
    pg_run(f->pg, &slow, 1, pg_on_answer, &lost);
    pg_run(f->pg, &next, 1, pg_on_answer, &after);
    test_pass(f->loop, 50);
    end_session(f, pid.value);
    test_await_flag(f->loop, &lost.done);
    assert_string_equal(lost.err.code, "CONNECTION_LOST");
    assert_int_equal(lost.err.kind, ERROR_UNAVAILABLE);
    test_await_flag(f->loop, &after.done);
    assert_int_equal(after.err.kind, ERROR_NONE);
    assert_string_not_equal(after.value, pid.value);
}

static void on_stale_event(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events;
}

// Whoever forgot to say that he closed a socket must not end the process.
static void a_socket_whose_number_is_still_watched_fails_and_is_tried_again(void **state)
{
    PgFixture *f = *state;
    f->options.reconnect = true;
    uv_poll_t stale;
    int number = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(uv_poll_init(loop_uv(f->loop), &stale, number), 0);
    uv_poll_start(&stale, UV_READABLE, on_stale_event);
    test_pass(f->loop, 10);
    assert_int_equal(close(number), 0);
    pg_fixture_open(f);
    test_await(f->loop, pg_fixture_has_failed, f);
    assert_string_equal(f->failure.code, "CONNECT_FAILED");
    assert_non_null(strstr(f->failure.text, "can't be watched"));
    uv_close((uv_handle_t *)&stale, NULL);
    test_await(f->loop, pg_fixture_is_ready, f);
}

static void the_loss_of_an_idle_connection_is_noticed(void **state)
{
    PgFixture *f = *state;
    pg_fixture_open(f);
    PgAnswer pid;
    pg_fixture_value(f, "SELECT pg_backend_pid()", &pid);
    end_session(f, pid.value);
    test_await(f->loop, pg_fixture_has_failed, f);
    assert_int_equal(f->failure.kind, ERROR_UNAVAILABLE);
    PgAnswer late;
    pg_fixture_run(f, "SELECT 1", &late);
    assert_string_equal(late.err.code, "CONNECTION_LOST");
}

static void a_refused_login_says_why(void **state)
{
    PgFixture *f = *state;
    set_password(f, "hunter2-wrong");
    pg_fixture_open(f);
    PgAnswer answer;
    pg_fixture_run(f, "SELECT 1", &answer);
    assert_int_equal(f->state, PG_FAILED);
    assert_string_equal(f->failure.code, "28P01");
    assert_int_equal(f->failure.kind, ERROR_DENIED);
    assert_null(strstr(f->failure.text, "hunter2"));
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
}

static void a_database_that_is_not_there_says_so(void **state)
{
    PgFixture *f = *state;
    const char *database = strrchr(secret_reveal(&f->uri), '/');
    replace_in_uri(f, database, strlen(database), "/nowhere");
    pg_fixture_open(f);
    test_await(f->loop, pg_fixture_has_failed, f);
    assert_string_equal(f->failure.code, "3D000");
    assert_int_equal(f->failure.kind, ERROR_UNAVAILABLE);
}

static void what_cannot_be_parsed_is_not_quoted(void **state)
{
    PgFixture *f = *state;
    static const char *const BAD[] = {"postgresql://u:hunter2%zz@localhost/x", "hunter2",
                                      "host=a,b password=hunter2", "postgresql://u:hunter2@a,b/x"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        secret_set_text(&f->uri, BAD[i]);
        pg_fixture_open(f);
        test_await(f->loop, pg_fixture_has_failed, f);
        assert_string_equal(f->failure.code, "CONNECT_FAILED");
        assert_null(strstr(f->failure.text, "hunter2"));
        pg_close(f->pg);
    }
    f->pg = NULL;
}

static void an_unknown_host_is_tried_again(void **state)
{
    PgFixture *f = *state;
    secret_set_text(&f->uri, "postgresql://u:p@nothing.invalid/x");
    f->options.reconnect = true;
    pg_fixture_open(f);
    for (int i = 0; i < 2; i++) {
        test_await(f->loop, pg_fixture_has_failed, f);
        assert_string_equal(f->failure.code, "NAME_NOT_RESOLVED");
        f->state = PG_CONNECTING;
    }
}

static void a_closed_port_is_told(void **state)
{
    PgFixture *f = *state;
    secret_set_text(&f->uri, "postgresql://u:p@ep-x.localhost:1/x");
    f->close_on_failure = true;
    pg_fixture_open(f);
    test_await(f->loop, pg_fixture_has_failed, f);
    assert_string_equal(f->failure.code, "CONNECT_FAILED");
    assert_null(f->pg);
}

static void a_host_without_tls_is_refused(void **state)
{
    PgFixture *f = *state;
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
    pg_fixture_open(f);
    secret_clear(&password);
    test_await(f->loop, pg_fixture_has_failed, f);
    assert_string_equal(f->failure.code, "CONNECT_FAILED");
    assert_non_null(strstr(f->failure.text, "SSL"));
}

static void a_job_without_an_answer_ends_with_its_connection(void **state)
{
    PgFixture *f = *state;
    f->options.statement_timeout_ms = 100;
    pg_fixture_open(f);
    PgAnswer answer;
    // The server's own limit is switched off for this session.
    pg_fixture_value(f, "SET statement_timeout = 0", &answer);
    int64_t started_ms = clock_boot_ms();
    pg_fixture_run(f, "SELECT pg_sleep(20)", &answer);
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
    assert_int_equal(answer.err.kind, ERROR_UNAVAILABLE);
    assert_in_range(clock_boot_ms() - started_ms, 5000, 15000);
    assert_int_equal(f->state, PG_FAILED);
}

int main(void)
{
    int status = 0;
    if (!test_has_neighbour("PROVISION_TEST_LEDGER", &status)) {
        return status;
    }
#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, pg_set_up, pg_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(a_job_without_an_answer_ends_with_its_connection),
        WITH_LEDGER(a_lost_connection_is_made_again),
        WITH_LEDGER(a_socket_whose_number_is_still_watched_fails_and_is_tried_again),
        WITH_LEDGER(the_loss_of_an_idle_connection_is_noticed),
        WITH_LEDGER(a_refused_login_says_why),
        WITH_LEDGER(a_database_that_is_not_there_says_so),
        WITH_LEDGER(what_cannot_be_parsed_is_not_quoted),
        WITH_LEDGER(an_unknown_host_is_tried_again),
        WITH_LEDGER(a_closed_port_is_told),
        WITH_LEDGER(a_host_without_tls_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
