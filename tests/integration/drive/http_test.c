#include "support.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "drive/http.h"
#include "server.h"
#include "sys/clock.h"

enum { REPLY_LIMIT = 100000, BIG_BODY = 8 * 1024 * 1024, LONGEST_TURN_MS = 100 };

typedef struct Fixture {
    Server *server;
    Loop *loop;
    Resolver *resolver;
    Http *http;
} Fixture;

// What a reply said, and what to do in its callback.
typedef struct Reply {
    bool done;
    int status;
    bool written;
    char content_type[64];
    char request_id[64];
    char retry_after[16];
    char error[256];
    char body[64];
    HttpCall *to_cancel;
} Reply;

static void copy(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
}

static void on_reply(void *context, const HttpReply *reply)
{
    Reply *kept = context;
    assert_false(kept->done);
    kept->done = true;
    kept->status = reply->status;
    kept->written = reply->written;
    copy(kept->content_type, sizeof(kept->content_type), reply->content_type);
    copy(kept->request_id, sizeof(kept->request_id), reply->request_id);
    copy(kept->retry_after, sizeof(kept->retry_after), reply->retry_after);
    copy(kept->error, sizeof(kept->error), reply->error);
    if (reply->body.size > 0 && reply->body.size < sizeof(kept->body)) {
        memcpy(kept->body, reply->body.data, reply->body.size);
        kept->body[reply->body.size] = '\0';
    }
    if (kept->to_cancel != NULL) {
        http_cancel(kept->to_cancel);
    }
}

static int set_up(void **state)
{
    Fixture *f = alloc_zeroed(1, sizeof(*f));
    f->server = server_start();
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop);
    HttpOptions options = {
        .base_url = server_url(f->server),
        .ca_file = "",
        .user_agent = "drive-test",
        .connect_timeout_ms = 2000,
        .request_timeout_ms = 1500,
        .max_reply_bytes = REPLY_LIMIT,
        .max_connections = 4,
    };
    Error err = ERROR_INIT;
    f->http = http_new(f->loop, f->resolver, &options, &err);
    *state = f;
    return f->http == NULL;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    int64_t longest_ms = loop_longest_turn_ms(f->loop);
    http_free(f->http);
    resolver_free(f->resolver);
    loop_free(f->loop);
    server_stop(f->server);
    free(f);
    if (longest_ms > LONGEST_TURN_MS) {
        print_error("the loop was blocked for %d ms\n", (int)longest_ms);
    }
    return longest_ms > LONGEST_TURN_MS;
}

static void exchange(Fixture *f, const char *method, const char *path, Reply *ret_reply)
{
    HttpRequest request = {.method = method, .path = path};
    if (strcmp(method, "POST") == 0) {
        request.body = bytes_of("{\"project\":{}}");
    }
    *ret_reply = (Reply){.done = false};
    http_send(f->http, &request, on_reply, ret_reply);
    assert_false(ret_reply->done);
    test_await_flag(f->loop, &ret_reply->done);
}

static void a_reply_comes_with_its_headers_and_body(void **state)
{
    Fixture *f = *state;
    Reply reply;
    exchange(f, "GET", "/status/423", &reply);
    assert_int_equal(reply.status, 423);
    assert_true(reply.written);
    assert_string_equal(reply.content_type, "application/json");
    assert_string_equal(reply.request_id, "req-1");
    assert_string_equal(reply.retry_after, "7");
    assert_string_equal(reply.body, "{\"fine\":true}");
    assert_string_equal(reply.error, "");
}

static void a_request_carries_its_key_id_and_body(void **state)
{
    Fixture *f = *state;
    Secret key = SECRET_INIT;
    secret_set_text(&key, "napi_key");
    Reply reply = {.done = false};
    HttpRequest request = {.method = "PATCH",
                           .path = "/ok",
                           .body = bytes_of("{}"),
                           .bearer = &key,
                           .request_id = "id-7"};
    http_send(f->http, &request, on_reply, &reply);
    secret_clear(&key);
    test_await_flag(f->loop, &reply.done);
    ServerRequest seen;
    assert_true(server_last(f->server, &seen));
    assert_string_equal(seen.method, "PATCH");
    assert_int_equal(seen.body_bytes, 2);
    assert_non_null(strstr(seen.head, "\r\nAuthorization: Bearer napi_key\r\n"));
    assert_non_null(strstr(seen.head, "\r\nX-Request-ID: id-7\r\n"));
    assert_non_null(strstr(seen.head, "\r\nContent-Type: application/json\r\n"));
    assert_null(strcasestr(seen.head, "\r\nExpect:"));
}

static void a_post_without_a_body_says_so(void **state)
{
    Fixture *f = *state;
    Reply reply = {.done = false};
    HttpRequest request = {.method = "POST", .path = "/ok"};
    http_send(f->http, &request, on_reply, &reply);
    test_await_flag(f->loop, &reply.done);
    ServerRequest seen;
    assert_true(server_last(f->server, &seen));
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(seen.head, "\r\nContent-Length: 0\r\n"));
}

static void a_connection_is_kept(void **state)
{
    Fixture *f = *state;
    Reply reply;
    for (int i = 0; i < 3; i++) {
        exchange(f, i == 1 ? "DELETE" : "POST", "/ok", &reply);
        assert_int_equal(reply.status, 200);
    }
    assert_int_equal(server_connections(f->server), 1);
}

static void a_post_on_a_kept_connection_that_dies_is_not_sent_again(void **state)
{
    Fixture *f = *state;
    Reply reply;
    exchange(f, "POST", "/ok", &reply);
    exchange(f, "POST", "/lost", &reply);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_string_not_equal(reply.error, "");
    test_pass(f->loop, 200);
    assert_int_equal(server_count(f->server, "/lost"), 1);
}

static void neither_is_one_without_a_body(void **state)
{
    Fixture *f = *state;
    Reply reply;
    exchange(f, "GET", "/ok", &reply);
    exchange(f, "DELETE", "/lost", &reply);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_int_equal(server_count(f->server, "/lost"), 1);
}

static void a_get_is_sent_again(void **state)
{
    Fixture *f = *state;
    Reply reply;
    exchange(f, "GET", "/ok", &reply);
    exchange(f, "GET", "/lost", &reply);
    assert_int_equal(reply.status, 0);
    assert_int_equal(server_count(f->server, "/lost"), 2);
}

static void a_redirect_is_not_followed(void **state)
{
    Fixture *f = *state;
    Reply reply;
    exchange(f, "GET", "/redirect", &reply);
    assert_int_equal(reply.status, 302);
    assert_int_equal(server_count(f->server, "/ok"), 0);
}

static void a_reply_without_end_is_cut_off(void **state)
{
    Fixture *f = *state;
    Reply reply;
    exchange(f, "GET", "/endless", &reply);
    assert_int_equal(reply.status, 0);
    assert_string_equal(reply.error, "the reply is larger than the limit");
}

static void a_slow_reply_ends_at_the_timeout(void **state)
{
    Fixture *f = *state;
    Reply reply;
    int64_t started_ms = clock_boot_ms();
    exchange(f, "POST", "/drip", &reply);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_in_range(clock_boot_ms() - started_ms, 1400, 10000);
}

static void send_big(Fixture *f, const char *path, int64_t limit_ms, Reply *reply)
{
    uint8_t *body = alloc_zeroed(1, BIG_BODY);
    HttpRequest request = {.method = "POST",
                           .path = path,
                           .body = {body, BIG_BODY},
                           .send_limit_boot_ms = clock_boot_ms() + limit_ms};
    http_send(f->http, &request, on_reply, reply);
    free(body);
}

static void what_is_not_written_by_its_limit_is_aborted(void **state)
{
    Fixture *f = *state;
    Reply reply = {.done = false};
    int64_t started_ms = clock_boot_ms();
    send_big(f, "/deaf", 300, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_in_range(clock_boot_ms() - started_ms, 290, 1200);
    assert_int_equal(reply.status, 0);
    assert_false(reply.written);
    ServerRequest seen;
    assert_true(server_last(f->server, &seen));
    assert_string_equal(seen.path, "/deaf");
}

static void a_limit_that_passed_before_sending_sends_nothing(void **state)
{
    Fixture *f = *state;
    Reply reply = {.done = false};
    send_big(f, "/ok", -1, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_int_equal(reply.status, 0);
    assert_false(reply.written);
    assert_int_equal(server_connections(f->server), 0);
}

static void what_was_written_in_time_may_wait_for_its_reply(void **state)
{
    Fixture *f = *state;
    Reply reply = {.done = false};
    HttpRequest request = {.method = "POST",
                           .path = "/silent",
                           .body = bytes_of("{}"),
                           .send_limit_boot_ms = clock_boot_ms() + 300};
    int64_t started_ms = clock_boot_ms();
    http_send(f->http, &request, on_reply, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_in_range(clock_boot_ms() - started_ms, 1400, 10000);
}

static void a_written_big_body_is_answered(void **state)
{
    Fixture *f = *state;
    Reply reply = {.done = false};
    send_big(f, "/ok", 10000, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_int_equal(reply.status, 200);
}

static void a_callback_may_cancel_another_call(void **state)
{
    Fixture *f = *state;
    Reply first = {.done = false};
    Reply second = {.done = false};
    HttpRequest request = {.method = "GET", .path = "/silent"};
    first.to_cancel = http_send(f->http, &request, on_reply, &second);
    request.path = "/ok";
    http_send(f->http, &request, on_reply, &first);
    assert_int_equal(http_in_flight(f->http), 2);
    test_await_flag(f->loop, &first.done);
    test_pass(f->loop, 100);
    assert_false(second.done);
    assert_int_equal(http_in_flight(f->http), 0);
}

static void more_requests_than_connections_wait(void **state)
{
    Fixture *f = *state;
    enum { COUNT = 20 };
    Reply replies[COUNT] = {0};
    HttpRequest request = {.method = "GET", .path = "/ok"};
    for (int i = 0; i < COUNT; i++) {
        http_send(f->http, &request, on_reply, &replies[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        test_await_flag(f->loop, &replies[i].done);
        assert_int_equal(replies[i].status, 200);
    }
    assert_in_range(server_connections(f->server), 1, 4);
}

static void freeing_cancels_what_is_under_way(void **state)
{
    Fixture *f = *state;
    Reply replies[2] = {0};
    HttpRequest request = {.method = "GET", .path = "/silent"};
    http_send(f->http, &request, on_reply, &replies[0]);
    test_pass(f->loop, 100);
    http_send(f->http, &request, on_reply, &replies[1]);
    http_free(f->http);
    f->http = NULL;
    test_pass(f->loop, 20);
    assert_false(replies[0].done);
    assert_false(replies[1].done);
}

static void http_goes_only_to_loopback(void **state)
{
    Fixture *f = *state;
    static const char *const REFUSED[] = {"http://example.com", "ftp://localhost", "not a url",
                                          "http://localhost.example.com", ""};
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
        Error err = ERROR_INIT;
        HttpOptions options = {.base_url = REFUSED[i], .ca_file = "", .user_agent = "x"};
        assert_null(http_new(f->loop, f->resolver, &options, &err));
        assert_string_equal(err.code, "HTTP_SETUP");
    }
}

typedef struct Address {
    bool done;
    char text[64];
    char code[64];
} Address;

static void on_address(void *context, const char *address, const Error *err)
{
    Address *kept = context;
    kept->done = true;
    copy(kept->text, sizeof(kept->text), address != NULL ? address : "");
    copy(kept->code, sizeof(kept->code), err->code);
}

static void names_are_resolved(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *name, *address, *code;
    } CASES[] = {{"127.0.0.9", "127.0.0.9", ""},
                 {"::1", "::1", ""},
                 {"localhost", "127.0.0.1", ""},
                 {"ep-a-1.LOCALHOST", "127.0.0.1", ""},
                 {"nothing.invalid", "", "NAME_NOT_RESOLVED"},
                 {"", "", "NAME_NOT_RESOLVED"}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Address answer = {.done = false};
        resolver_ask(f->resolver, CASES[i].name, on_address, &answer);
        assert_false(answer.done);
        test_await_flag(f->loop, &answer.done);
        assert_string_equal(answer.text, CASES[i].address);
        assert_string_equal(answer.code, CASES[i].code);
    }
}

static void a_cancelled_question_is_not_answered(void **state)
{
    Fixture *f = *state;
    Address first = {.done = false};
    Address second = {.done = false};
    ResolverQuery *query = resolver_ask(f->resolver, "localhost", on_address, &first);
    resolver_ask(f->resolver, "localhost", on_address, &second);
    resolver_cancel(query);
    test_await_flag(f->loop, &second.done);
    assert_false(first.done);
}

int main(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_reply_comes_with_its_headers_and_body),
        WITH_SERVER(a_request_carries_its_key_id_and_body),
        WITH_SERVER(a_post_without_a_body_says_so),
        WITH_SERVER(a_connection_is_kept),
        WITH_SERVER(a_post_on_a_kept_connection_that_dies_is_not_sent_again),
        WITH_SERVER(neither_is_one_without_a_body),
        WITH_SERVER(a_get_is_sent_again),
        WITH_SERVER(a_redirect_is_not_followed),
        WITH_SERVER(a_reply_without_end_is_cut_off),
        WITH_SERVER(a_slow_reply_ends_at_the_timeout),
        WITH_SERVER(what_is_not_written_by_its_limit_is_aborted),
        WITH_SERVER(a_limit_that_passed_before_sending_sends_nothing),
        WITH_SERVER(what_was_written_in_time_may_wait_for_its_reply),
        WITH_SERVER(a_written_big_body_is_answered),
        WITH_SERVER(a_callback_may_cancel_another_call),
        WITH_SERVER(more_requests_than_connections_wait),
        WITH_SERVER(freeing_cancels_what_is_under_way),
        WITH_SERVER(http_goes_only_to_loopback),
        WITH_SERVER(names_are_resolved),
        WITH_SERVER(a_cancelled_question_is_not_answered),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
