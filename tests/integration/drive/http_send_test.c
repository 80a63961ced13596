#include "http_fixture.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/clock.h"

enum { BIG_BODY = 8 * 1024 * 1024 };

static void a_post_on_a_kept_connection_that_dies_is_not_sent_again(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    http_exchange(f, "POST", "/ok", &reply);
    http_exchange(f, "POST", "/lost", &reply);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_string_not_equal(reply.error, "");
    test_pass(f->loop, 200);
    assert_int_equal(server_count(f->server, "/lost"), 1);
}

static void neither_is_one_without_a_body(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    http_exchange(f, "GET", "/ok", &reply);
    http_exchange(f, "DELETE", "/lost", &reply);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_int_equal(server_count(f->server, "/lost"), 1);
}

static void a_get_is_sent_again(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply;
    http_exchange(f, "GET", "/ok", &reply);
    http_exchange(f, "GET", "/lost", &reply);
    assert_int_equal(reply.status, 0);
    assert_int_equal(server_count(f->server, "/lost"), 2);
}

static void send_big(HttpFixture *f, const char *path, int64_t limit_ms, HttpSeen *reply)
{
    uint8_t *body = alloc_zeroed(1, BIG_BODY);
    HttpRequest request = {.method = "POST",
                           .path = path,
                           .body = {body, BIG_BODY},
                           .send_limit_boot_ms = clock_boot_ms() + limit_ms};
    http_send(f->http, &request, http_on_reply, reply);
    free(body);
}

static void what_is_not_written_by_its_limit_is_aborted(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply = {.done = false};
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
    HttpFixture *f = *state;
    HttpSeen reply = {.done = false};
    send_big(f, "/ok", -1, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_int_equal(reply.status, 0);
    assert_false(reply.written);
    assert_int_equal(server_connections(f->server), 0);
}

static void what_was_written_in_time_may_wait_for_its_reply(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply = {.done = false};
    HttpRequest request = {.method = "POST",
                           .path = "/silent",
                           .body = bytes_of("{}"),
                           .send_limit_boot_ms = clock_boot_ms() + 300};
    int64_t started_ms = clock_boot_ms();
    http_send(f->http, &request, http_on_reply, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_int_equal(reply.status, 0);
    assert_true(reply.written);
    assert_in_range(clock_boot_ms() - started_ms, 1400, 10000);
}

static void a_written_big_body_is_answered(void **state)
{
    HttpFixture *f = *state;
    HttpSeen reply = {.done = false};
    send_big(f, "/ok", 10000, &reply);
    test_await_flag(f->loop, &reply.done);
    assert_int_equal(reply.status, 200);
}

int main(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, http_set_up, http_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_post_on_a_kept_connection_that_dies_is_not_sent_again),
        WITH_SERVER(neither_is_one_without_a_body),
        WITH_SERVER(a_get_is_sent_again),
        WITH_SERVER(what_is_not_written_by_its_limit_is_aborted),
        WITH_SERVER(a_limit_that_passed_before_sending_sends_nothing),
        WITH_SERVER(what_was_written_in_time_may_wait_for_its_reply),
        WITH_SERVER(a_written_big_body_is_answered),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
