// What answers for Neon's API may be anybody: its key must reach nobody else, and what is sent back
// must not keep the loop from turning, nor take more memory than was allowed.
#include <curl/curl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "http_fixture.h"
#include "tls_server.h"

#define KEY "napi_theKeyThatMustStayHere0123456789abcdef"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

// Of 8 bytes, 16 at once.
#define CHUNK "8\r\n01234567\r\n"
#define CHUNKS_4 CHUNK CHUNK CHUNK CHUNK
#define CHUNKS CHUNKS_4 CHUNKS_4 CHUNKS_4 CHUNKS_4

enum { REPLY_LIMIT = 100000, REQUEST_LIMIT_MS = 1500, PACE_MS = 50 };

typedef struct Case {
    const char *name;
    const char *first; // what is sent, and then:
    const char *again; // this without an end, NULL: hangs up
    bool slowly;
    const char *reason; // part of the call's error
} Case;

typedef struct HostileFixture {
    Loop *loop;
    Resolver *resolver;
    TlsServer *server;
    Http *http;
    uint32_t limit_ms; // of a request
} HostileFixture;

static atomic_int requests; // that reached a server, with the key

static bool read_request(TlsTalk *talk)
{
    char tail[4] = "";
    while (memcmp(tail, "\r\n\r\n", sizeof(tail)) != 0) {
        memmove(tail, tail + 1, sizeof(tail) - 1);
        if (!tls_read(talk, tail + 3, 1)) {
            return false;
        }
    }
    requests++;
    return true;
}

static void be_hostile(TlsTalk *talk)
{
    const Case *c = talk->context;
    if (!read_request(talk) || !tls_write(talk, c->first, strlen(c->first))) {
        return;
    }
    while (c->again != NULL && (!c->slowly || tls_pause(talk, PACE_MS)) &&
           tls_write(talk, c->again, strlen(c->again))) {
    }
}

static void begin(HostileFixture *f, const TlsServerOptions *options)
{
    char url[64];
    f->server = tls_server_start(options);
    (void)snprintf(url, sizeof(url), "https://tls.localhost:%d", tls_server_port(f->server));
    HttpOptions http = {
        .base_url = url,
        .ca_file = tls_server_ca_file(f->server),
        .user_agent = "drive-test",
        .connect_timeout_ms = f->limit_ms,
        .request_timeout_ms = f->limit_ms,
        .max_reply_bytes = REPLY_LIMIT,
        .max_connections = 4,
    };
    Error err = ERROR_INIT;
    f->http = http_new(f->loop, f->resolver, &http, &err);
    assert_non_null(f->http);
}

static void end(HostileFixture *f)
{
    http_free(f->http);
    tls_server_stop(f->server);
}

static void exchange(HostileFixture *f, HttpSeen *ret_reply)
{
    Secret key = SECRET_INIT;
    secret_set_text(&key, KEY);
    *ret_reply = (HttpSeen){.done = false};
    HttpRequest request = {.method = "GET", .path = "/projects", .bearer = &key};
    http_send(f->http, &request, http_on_reply, ret_reply);
    secret_clear(&key);
    test_await_flag(f->loop, &ret_reply->done);
    assert_null(strstr(ret_reply->error, KEY));
}

static int set_up(void **state)
{
    HostileFixture *f = alloc_zeroed(1, sizeof(*f));
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop);
    f->limit_ms = TEST_DEADLINE_MS;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    HostileFixture *f = *state;
    bool was_quick = test_loop_was_quick(f->loop);
    resolver_free(f->resolver);
    loop_free(f->loop);
    free(f);
    return was_quick ? 0 : 1;
}

static void what_it_answers_ends_at_a_limit(void **state)
{
    static const Case CASES[] = {
        {"headers", HEAD, "X-Filler: 0123456789abcdef\r\n", false, "headers are larger"},
        {"a header", HEAD "X-Filler: ", "0123456789abcdef", false, ""},
        {"headers, slowly", HEAD, "X: y\r\n", true, "timed out"},
        {"interim responses", "", "HTTP/1.1 100 Continue\r\n\r\n", false, "headers are larger"},
        {"a status line", "HTTP/1.1 200 ", "OK ", false, ""},
        {"a body", HEAD "\r\n", "0123456789abcdef", false, "larger than the limit"},
        {"a body of a TiB", HEAD "Content-Length: 1099511627776\r\n\r\n", "0123456789abcdef", false,
         "larger than the limit"},
        {"a body, slowly", HEAD "Content-Length: 1000\r\n\r\n", "x", true, "timed out"},
        {"chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n", CHUNKS, false,
         "larger than the limit"},
        {"small chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", false, ""},
        {"a chunk's extension", HEAD "Transfer-Encoding: chunked\r\n\r\n1;", "x=y;", false,
         "timed out"},
        {"a chunk's size", HEAD "Transfer-Encoding: chunked\r\n\r\n", "0", false, ""},
        {"trailers", HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", "X-Filler: 0123\r\n",
         false, "headers are larger"},
        {"a hang-up", "", NULL, false, ""},
        {"a hang-up in the status line", "HTTP/1.1 2", NULL, false, ""},
        {"a hang-up in the headers", HEAD "Content-Le", NULL, false, ""},
        {"a hang-up in the body", HEAD "Content-Length: 10\r\n\r\n12345", NULL, false, ""},
        {"a hang-up in a chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n12", NULL, false, ""},
        {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", NULL, false, ""},
        {"an odd length", HEAD "Content-Length: -1\r\n\r\n", NULL, false, ""},
    };
    HostileFixture *f = *state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        HttpSeen reply;
        print_message("%s\n", CASES[i].name);
        bool is_limit = strstr(CASES[i].reason, "larger") != NULL; // it is to be reached in time
        f->limit_ms = is_limit ? TEST_DEADLINE_MS : REQUEST_LIMIT_MS;
        begin(f, &(TlsServerOptions){.script = be_hostile, .context = unconst(&CASES[i])});
        exchange(f, &reply);
        print_message("    %s\n", reply.error);
        assert_int_equal(reply.status, 0);
        assert_string_not_equal(reply.error, "");
        assert_non_null(strstr(reply.error, CASES[i].reason));
        end(f);
    }
}

static void a_redirect_takes_the_key_nowhere(void **state)
{
    static const int STATUSES[] = {301, 302, 303, 307, 308};
    HostileFixture *f = *state;
    for (size_t i = 0; i < sizeof(STATUSES) / sizeof(STATUSES[0]); i++) {
        static const Case NONE = {.first = ""};
        char first[256];
        HttpSeen reply;
        TlsServer *other =
            tls_server_start(&(TlsServerOptions){.script = be_hostile, .context = unconst(&NONE)});
        (void)snprintf(first, sizeof(first),
                       "HTTP/1.1 %d Elsewhere\r\nLocation: https://tls.localhost:%d/projects\r\n"
                       "Content-Length: 0\r\n\r\n",
                       STATUSES[i], tls_server_port(other));
        Case redirect = {.first = first};
        begin(f, &(TlsServerOptions){.script = be_hostile, .context = &redirect});
        exchange(f, &reply);
        assert_int_equal(reply.status, STATUSES[i]);
        test_pass(f->loop, 100);
        assert_int_equal(tls_server_accepted(other), 0);
        end(f);
        tls_server_stop(other);
    }
}

static void a_certificate_with_a_flaw_gets_no_key(void **state)
{
    static const TlsFlaw FLAWS[] = {TLS_OTHER_NAME, TLS_EXPIRED, TLS_SELF_SIGNED};
    static const Case FINE = {
        .first = HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: x\r\n\r\n"};
    HostileFixture *f = *state;
    HttpSeen reply;
    requests = 0;
    for (size_t i = 0; i < sizeof(FLAWS) / sizeof(FLAWS[0]); i++) {
        begin(f, &(TlsServerOptions){
                     .flaw = FLAWS[i], .script = be_hostile, .context = unconst(&FINE)});
        exchange(f, &reply);
        print_message("    %s\n", reply.error);
        assert_int_equal(reply.status, 0);
        assert_int_equal(tls_server_accepted(f->server), 1);
        end(f);
        assert_int_equal(requests, 0);
    }
    begin(f, &(TlsServerOptions){.script = be_hostile, .context = unconst(&FINE)});
    exchange(f, &reply);
    assert_int_equal(reply.status, 200);
    end(f);
    assert_int_equal(requests, 1);
}

// A small body that unpacks to a large one stays as it is.
static void what_is_packed_is_not_unpacked(void **state)
{
    static const Case PACKED = {
        .first = HEAD "Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\n\x1f\x8b\x08xyz"};
    HostileFixture *f = *state;
    HttpSeen reply;
    begin(f, &(TlsServerOptions){.script = be_hostile, .context = unconst(&PACKED)});
    exchange(f, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "\x1f\x8b\x08xyz");
    end(f);
}

static bool say_something_else(TlsTalk *talk)
{
    static const char TEXT[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    return send(talk->fd, TEXT, strlen(TEXT), MSG_NOSIGNAL) < 0;
}

static bool stay_silent(TlsTalk *talk)
{
    char bytes[512];
    while (recv(talk->fd, bytes, sizeof(bytes), 0) > 0) {
    }
    return false;
}

static bool hang_up(TlsTalk *talk)
{
    (void)talk;
    return false;
}

static void without_tls_nothing_is_sent(void **state)
{
    static TlsPrologue *const PROLOGUES[] = {say_something_else, stay_silent, hang_up};
    HostileFixture *f = *state;
    f->limit_ms = REQUEST_LIMIT_MS;
    for (size_t i = 0; i < sizeof(PROLOGUES) / sizeof(PROLOGUES[0]); i++) {
        HttpSeen reply;
        begin(f, &(TlsServerOptions){.prologue = PROLOGUES[i], .script = be_hostile});
        exchange(f, &reply);
        assert_int_equal(reply.status, 0);
        assert_false(reply.written);
        assert_string_not_equal(reply.error, "");
        end(f);
    }
}

int main(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
#define HOSTILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        HOSTILE(what_it_answers_ends_at_a_limit),       HOSTILE(a_redirect_takes_the_key_nowhere),
        HOSTILE(a_certificate_with_a_flaw_gets_no_key), HOSTILE(what_is_packed_is_not_unpacked),
        HOSTILE(without_tls_nothing_is_sent),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
