#include "drive/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

enum { LARGE_HEADER_BYTES = ADMIN_CONNECTION_BYTES * 3 };
enum { RECEIVED_BYTES = 4096, LARGE_BYTES = 2 * 1024 * 1024, TICK_MS = 20, MANY = 40 };

typedef struct Client {
    int socket;
    char received[RECEIVED_BYTES];
    size_t size;
    bool ended; // the server has closed it
} Client;

static Loop *loop;
static LoopTimer *ticker;
static Admin *admin;

static void on_tick(void *context)
{
    (void)context;
    loop_timer_start(ticker, TICK_MS); // a turn, in which the condition is looked at
}

static void on_request(void *context, const char *path, AdminReply *reply)
{
    (void)context;
    if (strcmp(path, "/page") == 0) {
        reply->status = 200;
        text_append(&reply->body, "a page\n");
    } else if (strcmp(path, "/away") == 0) {
        reply->status = 503;
        text_append(&reply->body, "not now\n");
    } else if (strcmp(path, "/large") == 0) {
        reply->status = 200;
        for (int i = 0; i < LARGE_BYTES / 64; i++) {
            text_printf(&reply->body, "%063d\n", i);
        }
    } else if (strcmp(path, "/endless") == 0) {
        reply->status = 200;
        while (text_ok(&reply->body)) {
            text_append(&reply->body, "0123456789012345678901234567890123456789");
        }
    }
}

static int begin(void **state)
{
    (void)state;
    Error err = ERROR_INIT;
    loop = loop_new();
    ticker = loop_timer_new(loop, on_tick, NULL);
    loop_timer_start(ticker, TICK_MS);
    admin = admin_open(loop, "127.0.0.1:0", on_request, NULL, &err);
    return admin != NULL && admin_port(admin) > 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    bool quick = test_loop_was_quick(loop);
    admin_free(admin);
    loop_timer_free(ticker);
    loop_free(loop);
    return quick ? 0 : -1;
}

static void client_open(Client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)admin_port(admin)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    *client = (Client){.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(client->socket >= 0);
    assert_int_equal(connect(client->socket, (const struct sockaddr *)&address, sizeof address), 0);
}

static void client_send(const Client *client, const char *text)
{
    // a server that has closed already is no failure of the test
    (void)send(client->socket, text, strlen(text), MSG_NOSIGNAL);
}

static bool has_ended(void *context)
{
    Client *client = context;
    char ignored[RECEIVED_BYTES];
    ssize_t got = 0;
    while (!client->ended) {
        bool fits = client->size < RECEIVED_BYTES - 1;
        got = recv(client->socket, fits ? client->received + client->size : ignored,
                   fits ? RECEIVED_BYTES - 1 - client->size : sizeof ignored, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return false;
        }
        client->ended = got <= 0;
        client->size += fits && got > 0 ? (size_t)got : 0;
    }
    return true;
}

static void client_await_end(Client *client)
{
    test_await(loop, has_ended, client);
}

static void client_close(Client *client)
{
    close(client->socket);
}

static void assert_answer(const char *request, const char *status, const char *part)
{
    Client client;
    client_open(&client);
    client_send(&client, request);
    client_await_end(&client);
    client_close(&client);
    if (strncmp(client.received, status, strlen(status)) != 0 ||
        strstr(client.received, part) == NULL) {
        fail_msg("%s\nis answered\n%s", request, client.received);
    }
}

static void pages_are_served_to_get_only(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *status;
        const char *part;
    } CASES[] = {
        {"GET /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\na page\n"},
        {"GET /page?a=b HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\na page\n"},
        {"GET /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "\r\nConnection: close\r\n"},
        {"GET /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
         "\r\nContent-Type: text/plain; charset=utf-8\r\n"},
        {"GET /away HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 503 ", "\r\n\r\nnot now\n"},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", "/livez"},
        {"GET /page/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", "/livez"},
        {"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 500 ", "\r\nContent-Length: 0\r\n"},
        {"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 405 ",
         "\r\nAllow: GET\r\n"},
        {"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nabc", "HTTP/1.1 405 ",
         "\r\nAllow: GET\r\n"},
        {"DELETE /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", "\r\nAllow: GET\r\n"},
        {"HEAD /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", "\r\nAllow: GET\r\n"},
        {"GET /page HTTP/9.9\r\nHost: x\r\n\r\n", "", ""},
        {"\x16\x03\x01\x02 no http at all\r\n\r\n", "", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_answer(CASES[i].request, CASES[i].status, CASES[i].part);
    }
}

static void a_request_that_is_too_large_is_refused(void **state)
{
    (void)state;
    char *request = malloc(LARGE_HEADER_BYTES + 128);
    assert_non_null(request);
    int length = snprintf(request, 64, "GET /page HTTP/1.1\r\nHost: x\r\nX: ");
    memset(request + length, 'x', LARGE_HEADER_BYTES);
    request[length + LARGE_HEADER_BYTES] = '\0';
    Client client;
    client_open(&client);
    client_send(&client, request);
    client_await_end(&client);
    client_close(&client);
    free(request);
    assert_null(strstr(client.received, " 200 "));
}

static void a_large_page_arrives_whole(void **state)
{
    (void)state;
    Client client;
    client_open(&client);
    client_send(&client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    client_await_end(&client);
    client_close(&client);
    char length[64];
    (void)snprintf(length, sizeof length, "\r\nContent-Length: %d\r\n", LARGE_BYTES);
    assert_non_null(strstr(client.received, length));
}

// More than there is room for, each of which sends nothing, half a request, or never reads.
static void who_dawdles_is_cut_off_and_others_are_served(void **state)
{
    (void)state;
    static const char *const BEGINNINGS[] = {"", "GET /pa", "GET /page HTTP/1.1\r\nHost: x\r\n",
                                             "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"};
    static Client dawdlers[MANY];
    for (size_t i = 0; i < MANY; i++) {
        client_open(&dawdlers[i]);
        client_send(&dawdlers[i], BEGINNINGS[i % 4]);
    }
    // behind all of them in the kernel's queue
    assert_answer("GET /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "a page\n");
    for (size_t i = 0; i < MANY; i++) {
        client_await_end(&dawdlers[i]);
        client_close(&dawdlers[i]);
    }
}

// Nothing wakes the daemon any more but those that wait in the kernel's queue.
static void after_more_idle_connections_than_there_is_room_for_all_goes_on(void **state)
{
    (void)state;
    static Client idle[MANY];
    for (size_t i = 0; i < MANY; i++) {
        client_open(&idle[i]);
    }
    for (size_t i = 0; i < MANY; i++) {
        client_await_end(&idle[i]);
        client_close(&idle[i]);
    }
    assert_answer("GET /page HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "a page\n");
}

typedef struct Dripping {
    Client client;
    LoopTimer *timer;
} Dripping;

static void on_drip(void *context)
{
    Dripping *dripping = context;
    client_send(&dripping->client, "x");
    loop_timer_start(dripping->timer, 200);
}

static void a_byte_now_and_then_buys_no_time(void **state)
{
    (void)state;
    Dripping dripping;
    client_open(&dripping.client);
    client_send(&dripping.client, "GET /page HTTP/1.1\r\nX: ");
    dripping.timer = loop_timer_new(loop, on_drip, &dripping);
    loop_timer_start(dripping.timer, 0);
    uint64_t began_ns = uv_hrtime();
    client_await_end(&dripping.client);
    uint64_t took_ms = (uv_hrtime() - began_ns) / 1000000;
    loop_timer_free(dripping.timer);
    client_close(&dripping.client);
    assert_in_range(took_ms, ADMIN_CONNECTION_MS - 500, ADMIN_CONNECTION_MS + 5000);
}

static void clients_that_are_there_at_the_end_are_no_hindrance(void **state)
{
    (void)state;
    Client *client = malloc(sizeof *client);
    assert_non_null(client);
    client_open(client);
    client_send(client, "GET /pa");
    test_pass(loop, 100);
    admin_free(admin);
    admin = NULL;
    test_await(loop, has_ended, client);
    client_close(client);
    free(client);
}

static void what_can_not_be_listened_on_is_an_error(void **state)
{
    (void)state;
    char taken[32];
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%d", admin_port(admin));
    const struct {
        const char *address;
        ErrorKind kind;
        const char *code;
    } CASES[] = {
        {taken, ERROR_UNAVAILABLE, "ADMIN_ADDRESS_IN_USE"},
        {"127.0.0.1", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"127.0.0.1:", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"127.0.0.1:65536", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"127.0.0.1:-1", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"127.0.0.1:80x", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {":9464", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"localhost:9464", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"[::1:9464", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"[127.0.0.1]:0", ERROR_INVALID, "ADMIN_ADDRESS_INVALID"},
        {"0123456789012345678901234567890123456789012345678901234567890123:1", ERROR_INVALID,
         "ADMIN_ADDRESS_INVALID"},
        {"192.0.2.1:0", ERROR_INVALID, "ADMIN_ADDRESS_REFUSED"}, // RFC 5737: nobody's
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Error err = ERROR_INIT;
        assert_null(admin_open(loop, CASES[i].address, on_request, NULL, &err));
        assert_string_equal(err.code, CASES[i].code);
        assert_int_equal(err.kind, CASES[i].kind);
    }
}

static void both_kinds_of_addresses_are_taken(void **state)
{
    (void)state;
    Error err = ERROR_INIT;
    Admin *other = admin_open(loop, "[::1]:0", on_request, NULL, &err);
    if (other == NULL && strcmp(err.code, "ADMIN_ADDRESS_REFUSED") == 0) {
        print_message("this machine has no IPv6\n");
        skip();
    }
    assert_non_null(other);
    assert_in_range(admin_port(other), 1, 65535);
    admin_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_served_to_get_only),
        cmocka_unit_test(a_request_that_is_too_large_is_refused),
        cmocka_unit_test(a_large_page_arrives_whole),
        cmocka_unit_test(who_dawdles_is_cut_off_and_others_are_served),
        cmocka_unit_test(after_more_idle_connections_than_there_is_room_for_all_goes_on),
        cmocka_unit_test(a_byte_now_and_then_buys_no_time),
        cmocka_unit_test(what_can_not_be_listened_on_is_an_error),
        cmocka_unit_test(both_kinds_of_addresses_are_taken),
        cmocka_unit_test(clients_that_are_there_at_the_end_are_no_hindrance),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
