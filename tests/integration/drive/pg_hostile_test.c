// A PostgreSQL that Neon's reply has named may be anybody's: what it sends must not keep the loop
// from turning, nor take more memory than was allowed.
#include <string.h>
#include <sys/socket.h>

#include "base/unconst.h"
#include "drive/pg_scan.h"
#include "pg_fixture.h"
#include "sys/clock.h"
#include "tls_server.h"

enum { NONCE_BYTES_MAX = 128, CONNECT_LIMIT_MS = 1500, PACE_MS = 50 };

typedef struct Case Case;
typedef void Act(TlsTalk *talk, const Case *c);

struct Case {
    const char *name;
    Act *before;            // instead of letting in; or:
    Act *during;            // the login, after it is granted; or:
    Act *after;             // the first statement
    const char *iterations; // that are asked for
    bool as_last;           // ... under the code of the exchange's last message
    const char *code;       // of the login's end, or the job's
    const char *reason;     // part of its text
};

static bool send_message(TlsTalk *talk, char type, const void *body, size_t size)
{
    uint8_t head[PG_SCAN_HEAD_BYTES] = {(uint8_t)type, (uint8_t)((size + 4) >> 24),
                                        (uint8_t)((size + 4) >> 16), (uint8_t)((size + 4) >> 8),
                                        (uint8_t)(size + 4)};
    return tls_write(talk, head, sizeof(head)) && (size == 0 || tls_write(talk, body, size));
}

// SSLRequest is answered with yes.
static bool agree_to_tls(TlsTalk *talk)
{
    char request[8];
    return recv(talk->fd, request, sizeof(request), MSG_WAITALL) == sizeof(request) &&
           send(talk->fd, "S", 1, MSG_NOSIGNAL) == 1;
}

static bool read_message(TlsTalk *talk, bool has_type, char *ret_body, size_t room)
{
    uint8_t head[PG_SCAN_HEAD_BYTES];
    size_t head_bytes = has_type ? 5 : 4;
    if (!tls_read(talk, head, head_bytes)) {
        return false;
    }
    const uint8_t *length = head + head_bytes - 4;
    size_t size = ((size_t)length[2] << 8 | length[3]) - 4;
    assert_true(size < room);
    ret_body[size] = '\0';
    return tls_read(talk, ret_body, size);
}

static void send_split(TlsTalk *talk, const char *message, size_t size)
{
    for (size_t i = 0; i < size && tls_write(talk, message + i, 1); i++) {
    }
}

// OpenSSL reads a ticket in between by itself.
static void send_around_ticket(TlsTalk *talk, const char *message, size_t size)
{
    (void)tls_write(talk, message, 3);
    (void)SSL_new_session_ticket(talk->ssl);
    (void)tls_write(talk, message + 3, size - 3);
}

static void send_whole(TlsTalk *talk, const char *message, size_t size)
{
    (void)tls_write(talk, message, size);
}

// AuthenticationSASL, the client's nonce, AuthenticationSASLContinue with our iteration count.
static void ask_in(TlsTalk *talk, const Case *c, void (*put)(TlsTalk *, const char *, size_t))
{
    char body[1024];
    char text[1024];
    if (!send_message(talk, 'R', "\0\0\0\012SCRAM-SHA-256\0", 19) ||
        !read_message(talk, true, body, sizeof(body))) {
        return;
    }
    const char *nonce = strstr(body + strlen(body) + 5, "r="); // mechanism, length, message
    int size = snprintf(text, sizeof(text), "R%c%c%c%c%c%c%c%c%sserver,s=c2FsdHNhbHRzYWx0,i=%s", 0,
                        0, 0, 0, 0, 0, 0, 11, nonce, c->iterations);
    text[4] = (char)(size - 1);
    put(talk, text, (size_t)size);
    (void)read_message(talk, true, body, sizeof(body));
}

static void ask_iterations(TlsTalk *talk, const Case *c)
{
    ask_in(talk, c, send_whole);
}

static void ask_split(TlsTalk *talk, const Case *c)
{
    ask_in(talk, c, send_split);
}

static void ask_around_ticket(TlsTalk *talk, const Case *c)
{
    ask_in(talk, c, send_around_ticket);
}

static void repeat(TlsTalk *talk, char type, const char *body, size_t size)
{
    static char messages[8192];
    size_t used = 0;
    uint8_t head[PG_SCAN_HEAD_BYTES] = {(uint8_t)type, 0, 0, (uint8_t)((size + 4) >> 8),
                                        (uint8_t)(size + 4)};
    while (used + sizeof(head) + size <= sizeof(messages)) {
        memcpy(messages + used, head, sizeof(head));
        memcpy(messages + used + sizeof(head), body, size);
        used += sizeof(head) + size;
    }
    while (tls_write(talk, messages, used)) {
    }
}

// A message that says it is a GiB long, and its body.
static void send_giant(TlsTalk *talk, char type)
{
    static const char body[8192] = "SERROR";
    const char head[PG_SCAN_HEAD_BYTES] = {type, 0x40, 0, 0, 0};
    if (tls_write(talk, head, sizeof(head))) {
        while (tls_write(talk, body, sizeof(body))) {
        }
    }
}

static void wait_for_hangup(TlsTalk *talk)
{
    char byte;
    while (tls_read(talk, &byte, 1)) {
    }
}

static void be_silent(TlsTalk *talk, const Case *c)
{
    (void)c;
    wait_for_hangup(talk);
}

static void hang_up(TlsTalk *talk, const Case *c)
{
    (void)talk, (void)c;
}

static void drip(TlsTalk *talk, const Case *c)
{
    (void)c;
    (void)tls_write(talk, "E\0\0\100\0SERROR", 11);
    while (tls_pause(talk, PACE_MS) && tls_write(talk, "X", 1)) {
    }
}

static void send_giant_request(TlsTalk *talk, const Case *c)
{
    (void)c;
    send_giant(talk, 'R');
}

static void send_giant_error(TlsTalk *talk, const Case *c)
{
    (void)c;
    send_giant(talk, 'E');
}

static void send_notices(TlsTalk *talk, const Case *c)
{
    static const char NOTICE[] = "SNOTICE\0C00000\0Mhello\0";
    (void)c;
    repeat(talk, 'N', NOTICE, sizeof(NOTICE));
}

static void send_parameters(TlsTalk *talk, const Case *c)
{
    static const char STATUS[] = "client_encoding\0UTF8";
    (void)c;
    repeat(talk, 'S', STATUS, sizeof(STATUS));
}

static void begin_rows(TlsTalk *talk)
{
    // one column, a text
    static const char COLUMN[] = "\0\001"
                                 "x\0"
                                 "\0\0\0\0"
                                 "\0\0"
                                 "\0\0\0\031"
                                 "\377\377"
                                 "\377\377\377\377"
                                 "\0\0";
    (void)send_message(talk, '1', NULL, 0);
    (void)send_message(talk, '2', NULL, 0);
    (void)send_message(talk, 'T', COLUMN, sizeof(COLUMN) - 1);
}

static void send_rows(TlsTalk *talk, const Case *c)
{
    (void)c;
    begin_rows(talk);
    repeat(talk, 'D', "\0\001\377\377\377\377", 6);
}

static void send_giant_row(TlsTalk *talk, const Case *c)
{
    (void)c;
    begin_rows(talk);
    send_giant(talk, 'D');
}

static void be_hostile(TlsTalk *talk)
{
    const Case *c = talk->context;
    char body[1024];
    if (!read_message(talk, false, body, sizeof(body))) {
        return;
    }
    if (c->before != NULL) {
        c->before(talk, c);
    } else if (send_message(talk, 'R', "\0\0\0\0", 4)) {
        if (c->during != NULL) {
            c->during(talk, c);
        } else if (send_message(talk, 'Z', "I", 1) &&
                   read_message(talk, true, body, sizeof(body))) {
            c->after(talk, c);
        }
    }
}

static TlsServer *serve(PgFixture *f, const Case *c)
{
    TlsServer *server = tls_server_start(
        &(TlsServerOptions){.prologue = agree_to_tls, .script = be_hostile, .context = unconst(c)});
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

static void what_it_sends_ends_at_a_limit(void **state)
{
    static const Case CASES[] = {
        {"2^31 - 1 iterations", .before = ask_iterations, .iterations = "2147483647",
         .code = "SERVER_REFUSED", .reason = "SCRAM"},
        {"one iteration too many", .before = ask_iterations, .iterations = "32769",
         .code = "SERVER_REFUSED", .reason = "SCRAM"},
        {"more than a number holds", .before = ask_iterations, .iterations = "99999999999999999999",
         .code = "SERVER_REFUSED", .reason = "SCRAM"},
        {"2^33 + 4096, cut to 4096", .before = ask_iterations, .iterations = "8589938688",
         .code = "SERVER_REFUSED", .reason = "SCRAM"},
        {"a sign", .before = ask_iterations, .iterations = "+9", .code = "SERVER_REFUSED",
         .reason = "SCRAM"},
        {"a byte a record", .before = ask_split, .iterations = "2147483647",
         .code = "SERVER_REFUSED", .reason = "SCRAM"},
        {"around a session ticket", .before = ask_around_ticket, .iterations = "2147483647",
         .code = "SERVER_REFUSED", .reason = "SCRAM"},
        {"as the exchange's last message", .before = ask_iterations, .as_last = true,
         .iterations = "2147483647", .code = "SERVER_REFUSED", .reason = "SCRAM"},
        {"as many as are computed", .before = ask_iterations, .iterations = "32768",
         .code = "CONNECT_FAILED", .reason = "connection"},
        {"an authentication request of a GiB", .before = send_giant_request,
         .code = "SERVER_REFUSED", .reason = "too long"},
        {"an error of a GiB", .before = send_giant_error, .code = "SERVER_REFUSED",
         .reason = "too long"},
        {"an error, a byte now and then", .before = drip, .code = "CONNECT_TIMEOUT",
         .reason = "1500 ms"},
        {"nothing", .before = be_silent, .code = "CONNECT_TIMEOUT", .reason = "1500 ms"},
        {"a hang-up", .before = hang_up, .code = "CONNECT_FAILED", .reason = "connection"},
        {"notices without end", .during = send_notices, .code = "SERVER_REFUSED",
         .reason = "more than is taken"},
        {"parameters without end", .during = send_parameters, .code = "SERVER_REFUSED",
         .reason = "parameters"},
        {"login without end", .during = be_silent, .code = "CONNECT_TIMEOUT", .reason = "1500 ms"},
        {"an answer of notices", .after = send_notices, .code = "CONNECTION_LOST",
         .reason = "more than is taken"},
        {"an answer of rows", .after = send_rows, .code = "CONNECTION_LOST",
         .reason = "more than is taken"},
        {"an answer of one row", .after = send_giant_row, .code = "CONNECTION_LOST",
         .reason = "too long"},
        {"an answer of parameters", .after = send_parameters, .code = "CONNECTION_LOST",
         .reason = "parameters"},
        {"an answer of an error", .after = send_giant_error, .code = "CONNECTION_LOST",
         .reason = "too long"},
        {"no answer", .after = be_silent, .code = "CONNECTION_LOST",
         .reason = "no answer within 1500 ms"},
    };
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
    static const Case CASE = {.before = be_silent};
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
    static const Case CASE = {.before = be_silent};
    static const TlsFlaw FLAWS[] = {TLS_OTHER_NAME, TLS_EXPIRED, TLS_SELF_SIGNED};
    PgFixture *f = *state;
    for (size_t i = 0; i < sizeof(FLAWS) / sizeof(FLAWS[0]); i++) {
        TlsServer *flawless = serve(f, &CASE);
        TlsServer *server = tls_server_start(&(TlsServerOptions){
            .flaw = FLAWS[i], .prologue = agree_to_tls, .script = wait_for_hangup});
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
        HOSTILE(an_endless_refusal_of_tls_is_not_read),
        HOSTILE(a_certificate_with_a_flaw_gets_no_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
