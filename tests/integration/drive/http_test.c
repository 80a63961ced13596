#include "http_fixture.h"

#include <curl/curl.h>
#include <string.h>

#include "drive/http_pool.h"
#include "sys/clock.h"

static void a_reply_comes_with_its_headers_and_body(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    http_exchange(f, "GET", "/status/423", &reply);
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
    HttpFixture *f = *state;
    Secret key = SECRET_INIT;
    secret_set_text(&key, "napi_key");
    HttpSeen reply = {.done = false};
    HttpRequest request = {.method = "PATCH",
                           .path = "/ok",
                           .body = bytes_of("{}"),
                           .bearer = &key,
                           .request_id = "id-7"};
    http_send(f->http, &request, http_on_reply, &reply);
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
    HttpFixture *f = *state;
    HttpSeen reply = {.done = false};
    HttpRequest request = {.method = "POST", .path = "/ok"};
    http_send(f->http, &request, http_on_reply, &reply);
    test_await_flag(f->loop, &reply.done);
    ServerRequest seen;
    assert_true(server_last(f->server, &seen));
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(seen.head, "\r\nContent-Length: 0\r\n"));
}

static void a_connection_is_kept(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    for (int i = 0; i < 3; i++) {
        http_exchange(f, i == 1 ? "DELETE" : "POST", "/ok", &reply);
        assert_int_equal(reply.status, 200);
    }
    assert_int_equal(server_connections(f->server), 1);
}

static void a_redirect_is_not_followed(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    http_exchange(f, "GET", "/redirect", &reply);
    assert_int_equal(reply.status, 302);
    assert_int_equal(server_count(f->server, "/ok"), 0);
}

static void a_reply_without_end_is_cut_off(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    http_exchange(f, "GET", "/endless", &reply);
    assert_int_equal(reply.status, 0);
    assert_string_equal(reply.error, "the reply is larger than the limit");
}

static void replies_share_a_budget_which_each_gives_back(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    Error err = ERROR_INIT;
    HttpOptions options = {.base_url = server_url(f->server),
                           .ca_file = "",
                           .user_agent = "drive-test",
                           .connect_timeout_ms = 2000,
                           .request_timeout_ms = 1500,
                           .max_reply_bytes = (size_t)64 * 1024 * 1024,
                           .max_replies_bytes = (size_t)100 * 1024,
                           .max_connections = 4};
    Http *first = f->http;
    f->http = http_new(f->loop, f->resolver, &options, &err);
    for (int i = 0; i < 2; i++) {
        http_exchange(f, "GET", "/endless", &reply);
        assert_int_equal(reply.status, 0);
        assert_string_equal(reply.error,
                            "the replies under way are together larger than the limit");
        http_exchange(f, "POST", "/ok", &reply);
        assert_int_equal(reply.status, 200);
    }
    http_free(f->http);
    f->http = first;
}

static void a_slow_reply_ends_at_the_timeout(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    int64_t started_ms = clock_boot_ms();
    http_exchange(f, "POST", "/drip", &reply);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_in_range(clock_boot_ms() - started_ms, 1400, 10000);
}

static void a_callback_may_cancel_another_call(void **state)
{
    HttpFixture *f = *state;
    HttpSeen first = {.done = false};
    HttpSeen second = {.done = false};
    HttpRequest request = {.method = "GET", .path = "/silent"};
    first.to_cancel = http_send(f->http, &request, http_on_reply, &second);
    request.path = "/ok";
    http_send(f->http, &request, http_on_reply, &first);
    assert_int_equal(http_in_flight(f->http), 2);
    test_await_flag(f->loop, &first.done);
    test_pass(f->loop, 100);
    assert_false(second.done);
    assert_int_equal(http_in_flight(f->http), 0);
}

static void more_requests_than_connections_wait(void **state)
{
    HttpFixture *f = *state;
    enum { COUNT = 20 };
    HttpSeen replies[COUNT] = {0};
    HttpRequest request = {.method = "GET", .path = "/ok"};
    for (int i = 0; i < COUNT; i++) {
        http_send(f->http, &request, http_on_reply, &replies[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        test_await_flag(f->loop, &replies[i].done);
        assert_int_equal(replies[i].status, 200);
    }
    assert_in_range(server_connections(f->server), 1, 4);
}

static Http *open_with(const HttpFixture *f, uint32_t connections)
{
    Error err = ERROR_INIT;
    HttpOptions options = {.base_url = server_url(f->server),
                           .ca_file = "",
                           .user_agent = "drive-test",
                           .connect_timeout_ms = 2000,
                           .request_timeout_ms = 5000,
                           .max_reply_bytes = 1000,
                           .max_connections = connections};
    Http *http = http_new(f->loop, f->resolver, &options, &err);
    assert_non_null(http);
    return http;
}

// More than one curl handle has, and all of them may be used.
static void many_connections_are_used_before_a_request_waits(void **state)
{
    HttpFixture *f = *state;
    enum { COUNT = 40 };
    HttpSeen silent[COUNT] = {0};
    HttpSeen reply = {.done = false};
    HttpRequest request = {.method = "GET", .path = "/silent"};
    Http *http = open_with(f, COUNT + 1);
    for (int i = 0; i < COUNT; i++) {
        http_send(http, &request, http_on_reply, &silent[i]);
    }
    request.path = "/ok";
    http_send(http, &request, http_on_reply, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_int_equal(reply.status, 200);
    assert_int_equal(http_in_flight(http), COUNT);
    http_free(http);
}

static void few_of_many_connections_are_opened(void **state)
{
    HttpFixture *f = *state;
    enum { COUNT = 100, CONNECTIONS = 40, ROUNDS = 3 };
    HttpRequest request = {.method = "GET", .path = "/ok"};
    Http *http = open_with(f, CONNECTIONS);
    for (int round = 0; round < ROUNDS; round++) {
        HttpSeen replies[COUNT] = {0};
        for (int i = 0; i < COUNT; i++) {
            http_send(http, &request, http_on_reply, &replies[i]);
        }
        for (int i = 0; i < COUNT; i++) {
            test_await_flag(f->loop, &replies[i].done);
            assert_int_equal(replies[i].status, 200);
        }
        assert_in_range(server_connections(f->server), 1, CONNECTIONS);
    }
    http_free(http);
}

static void freeing_cancels_what_is_under_way(void **state)
{
    HttpFixture *f = *state;
    HttpSeen replies[2] = {0};
    HttpRequest request = {.method = "GET", .path = "/silent"};
    http_send(f->http, &request, http_on_reply, &replies[0]);
    test_pass(f->loop, 100);
    http_send(f->http, &request, http_on_reply, &replies[1]);
    http_free(f->http);
    f->http = NULL;
    test_pass(f->loop, 20);
    assert_false(replies[0].done);
    assert_false(replies[1].done);
}

static void http_goes_only_to_loopback(void **state)
{
    HttpFixture *f = *state;
    static const char *const REFUSED[] = {"http://example.com", "ftp://localhost", "not a url",
                                          "http://localhost.example.com", ""};
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
        Error err = ERROR_INIT;
        HttpOptions options = {.base_url = REFUSED[i], .ca_file = "", .user_agent = "x"};
        assert_null(http_new(f->loop, f->resolver, &options, &err));
        assert_string_equal(err.code, "HTTP_SETUP");
    }
}

static void on_nothing(void *context)
{
    (void)context;
}

static void on_no_end(void *context, CURL *easy, CURLcode result)
{
    (void)context, (void)easy, (void)result;
}

// Many requests may begin before the first one's name is known.
static void a_place_is_taken_before_its_request_is_added(void **state)
{
    static const HttpPoolHandler HANDLER = {on_nothing, on_no_end, on_nothing};
    enum { POOL = 32 };
    const HttpFixture *f = *state;
    HttpPools *pools = http_pools_new(f->loop, 2 * POOL, &HANDLER, NULL);
    HttpPool *first = http_pools_take(pools);
    for (int i = 1; i < POOL; i++) {
        assert_ptr_equal(http_pools_take(pools), first);
    }
    for (int i = 0; i < POOL; i++) {
        assert_ptr_not_equal(http_pools_take(pools), first);
    }
    http_pool_give(first);
    assert_ptr_equal(http_pools_take(pools), first);
    http_pools_free(pools);
}

int main(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, http_set_up, http_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_reply_comes_with_its_headers_and_body),
        WITH_SERVER(a_request_carries_its_key_id_and_body),
        WITH_SERVER(a_post_without_a_body_says_so),
        WITH_SERVER(a_connection_is_kept),
        WITH_SERVER(a_redirect_is_not_followed),
        WITH_SERVER(a_reply_without_end_is_cut_off),
        WITH_SERVER(replies_share_a_budget_which_each_gives_back),
        WITH_SERVER(a_slow_reply_ends_at_the_timeout),
        WITH_SERVER(a_callback_may_cancel_another_call),
        WITH_SERVER(more_requests_than_connections_wait),
        WITH_SERVER(many_connections_are_used_before_a_request_waits),
        WITH_SERVER(few_of_many_connections_are_opened),
        WITH_SERVER(freeing_cancels_what_is_under_way),
        WITH_SERVER(http_goes_only_to_loopback),
        WITH_SERVER(a_place_is_taken_before_its_request_is_added),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
