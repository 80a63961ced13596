// A PostgreSQL that Neon's reply has named may be anybody's: what it sends must not keep the loop
// from turning, nor take more memory than was allowed.
#include <string.h>
#include <sys/socket.h>

#include "base/unconst.h"
#include "hostile_pg.h"
#include "pg_fixture.h"

enum { CONNECT_LIMIT_MS = 1500 };

typedef struct Case {
    const char *name;
    HostilePg pg;
    const char *code;   // of the login's end, or the job's
    const char *reason; // part of its text
} Case;

static TlsServer *serve(PgFixture *f, const Case *c)
{
    TlsServer *server = tls_server_start(&(TlsServerOptions){.prologue = hostile_pg_agree_to_tls,
                                                             .script = hostile_pg_talk,
                                                             .context = unconst(&c->pg)});
    f->options = (PgOptions){
        .host = "tls.localhost",
        .port = tls_server_port(server),
        .database = "neondb",
        .user = "neondb_owner",
        .password = &f->uri, // any secret
        .ca_file = tls_server_ca_file(server),
        .connect_timeout_ms = CONNECT_LIMIT_MS,
        .statement_timeout_ms = 1000,
        .job_timeout_ms = CONNECT_LIMIT_MS,
        .application_name = "drive-test",
    };
    return server;
}

typedef struct Expected {
    PgFixture *f;
    PgAnswer *answer;
} Expected;

static bool has_ended(void *context)
{
    const Expected *expected = context;
    return expected->f->state == PG_FAILED && expected->answer->done;
}

static const Case CASES[] = {
    {"2^31 - 1 iterations", .pg.before = hostile_pg_ask_iterations, .pg.iterations = "2147483647",
     .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"one iteration too many", .pg.before = hostile_pg_ask_iterations, .pg.iterations = "32769",
     .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"more than a number holds", .pg.before = hostile_pg_ask_iterations,
     .pg.iterations = "99999999999999999999", .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"2^33 + 4096, cut to 4096", .pg.before = hostile_pg_ask_iterations,
     .pg.iterations = "8589938688", .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"a sign", .pg.before = hostile_pg_ask_iterations, .pg.iterations = "+9",
     .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"a byte a record", .pg.before = hostile_pg_ask_split, .pg.iterations = "2147483647",
     .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"around a session ticket", .pg.before = hostile_pg_ask_around_ticket,
     .pg.iterations = "2147483647", .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"as the exchange's last message", .pg.before = hostile_pg_ask_iterations, .pg.as_last = true,
     .pg.iterations = "2147483647", .code = "SERVER_REFUSED", .reason = "SCRAM"},
    {"as many as are computed", .pg.before = hostile_pg_ask_iterations, .pg.iterations = "32768",
     .code = "CONNECT_FAILED", .reason = "connection"},
    {"an authentication request of a GiB", .pg.before = hostile_pg_send_giant_request,
     .code = "SERVER_REFUSED", .reason = "too long"},
    {"an error of a GiB", .pg.before = hostile_pg_send_giant_error, .code = "SERVER_REFUSED",
     .reason = "too long"},
    {"an error, a byte now and then", .pg.before = hostile_pg_drip, .code = "CONNECT_TIMEOUT",
     .reason = "1500 ms"},
    {"nothing", .pg.before = hostile_pg_be_silent, .code = "CONNECT_TIMEOUT", .reason = "1500 ms"},
    {"a hang-up", .pg.before = hostile_pg_hang_up, .code = "CONNECT_FAILED",
     .reason = "connection"},
    {"notices without end", .pg.during = hostile_pg_send_notices, .code = "SERVER_REFUSED",
     .reason = "more than is taken"},
    {"parameters without end", .pg.during = hostile_pg_send_parameters, .code = "SERVER_REFUSED",
     .reason = "parameters"},
    {"login without end", .pg.during = hostile_pg_be_silent, .code = "CONNECT_TIMEOUT",
     .reason = "1500 ms"},
    {"an answer of notices", .pg.after = hostile_pg_send_notices, .code = "CONNECTION_LOST",
     .reason = "more than is taken"},
    {"an answer of rows", .pg.after = hostile_pg_send_rows, .code = "CONNECTION_LOST",
     .reason = "more than is taken"},
    {"an answer of one row", .pg.after = hostile_pg_send_giant_row, .code = "CONNECTION_LOST",
     .reason = "too long"},
    {"an answer of parameters", .pg.after = hostile_pg_send_parameters, .code = "CONNECTION_LOST",
     .reason = "parameters"},
    {"an answer of an error", .pg.after = hostile_pg_send_giant_error, .code = "CONNECTION_LOST",
     .reason = "too long"},
    {"no answer", .pg.after = hostile_pg_be_silent, .code = "CONNECTION_LOST",
     .reason = "no answer within 1500 ms"},
};

static void what_it_sends_ends_at_a_limit(void **state)
{
    PgFixture *f = *state;
    secret_set_text(&f->uri, "hunter2");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        static const PgStatement SELECT = {.sql = "SELECT 1"};
        PgAnswer answer = {.done = false};
        Expected expected = {f, &answer};
        print_message("%s\n", CASES[i].name);
        TlsServer *server = serve(f, &CASES[i]);
        pg_fixture_open(f);
        pg_run(f->pg, &SELECT, 1, pg_on_answer, &answer);
        test_await(f->loop, has_ended, &expected);
        const Error *err = f->ready > 0 ? &answer.err : &f->failure;
        print_message("    %s: %s\n", err->code, err->text);
        assert_string_equal(err->code, CASES[i].code);
        assert_non_null(strstr(err->text, CASES[i].reason));
        assert_int_equal(err->kind, ERROR_UNAVAILABLE);
        assert_null(strstr(f->failure.text, "hunter2"));
        pg_close(f->pg);
        f->pg = NULL;
        f->ready = 0;
        tls_server_stop(server);
    }
}

// What another connection holds leaves no room for all of it; what it had is given back.
static void connections_share_room_for_their_answers(void **state)
{
    static const Case CASE = {.pg.after = hostile_pg_send_rows};
    static const PgStatement SELECT = {.sql = "SELECT 1"};
    PgFixture *f = *state;
    secret_set_text(&f->uri, "hunter2");
    PgAnswer answer = {.done = false};
    Expected expected = {f, &answer};
    PgAnswers answers = {.bytes = 1000000, .bytes_max = 1100000};
    TlsServer *server = serve(f, &CASE);
    f->options.max_answer_bytes = 500000;
    f->options.answers = &answers;
    pg_fixture_open(f);
    pg_run(f->pg, &SELECT, 1, pg_on_answer, &answer);
    test_await(f->loop, has_ended, &expected);
    assert_string_equal(answer.err.code, "CONNECTION_LOST");
    assert_non_null(strstr(answer.err.text, "no room"));
    assert_int_equal(answers.bytes, 1000000);
    tls_server_stop(server);
}

static bool refuse_tls(TlsTalk *talk)
{
    static const char text[] = "EEndless";
    char request[8];
    if (recv(talk->fd, request, sizeof(request), MSG_WAITALL) == sizeof(request)) {
        while (send(talk->fd, text, strlen(text), MSG_NOSIGNAL) > 0) {
        }
    }
    return false;
}

static void an_endless_refusal_of_tls_is_not_read(void **state)
{
    static const Case CASE = {.pg.before = hostile_pg_be_silent};
    PgFixture *f = *state;
    TlsServer *server = serve(f, &CASE);
    TlsServer *refusing = tls_server_start(&(TlsServerOptions){.prologue = refuse_tls});
    f->options.port = tls_server_port(refusing);
    pg_fixture_open(f);
    test_await(f->loop, pg_fixture_has_failed, f);
    assert_string_equal(f->failure.code, "CONNECT_FAILED");
    assert_non_null(strstr(f->failure.text, "SSL"));
    tls_server_stop(refusing);
    tls_server_stop(server);
}

static void a_certificate_with_a_flaw_gets_no_login(void **state)
{
    static const Case CASE = {.pg.before = hostile_pg_be_silent};
    static const TlsFlaw FLAWS[] = {TLS_OTHER_NAME, TLS_EXPIRED, TLS_SELF_SIGNED};
    PgFixture *f = *state;
    for (size_t i = 0; i < sizeof(FLAWS) / sizeof(FLAWS[0]); i++) {
        TlsServer *flawless = serve(f, &CASE);
        TlsServer *server =
            tls_server_start(&(TlsServerOptions){.flaw = FLAWS[i],
                                                 .prologue = hostile_pg_agree_to_tls,
                                                 .script = hostile_pg_wait_for_hangup});
        f->options.port = tls_server_port(server);
        f->options.ca_file = tls_server_ca_file(server);
        pg_fixture_open(f);
        test_await(f->loop, pg_fixture_has_failed, f);
        assert_string_equal(f->failure.code, "CONNECT_FAILED");
        pg_close(f->pg);
        f->pg = NULL;
        tls_server_stop(server);
        tls_server_stop(flawless);
    }
}

int main(void)
{
#define HOSTILE(test) cmocka_unit_test_setup_teardown(test, pg_set_up_alone, pg_tear_down)
    const struct CMUnitTest tests[] = {
        HOSTILE(what_it_sends_ends_at_a_limit),
        HOSTILE(connections_share_room_for_their_answers),
        HOSTILE(an_endless_refusal_of_tls_is_not_read),
        HOSTILE(a_certificate_with_a_flaw_gets_no_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
