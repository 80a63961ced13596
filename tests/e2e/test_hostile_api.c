// Whoever answers for Neon's API may be hostile: a command ends or waits as documented, the worker
// keeps turning within its memory, and the key it was called with is told to nobody.
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/memory.h"
#include "support/probe.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
#define ECHO "\x01" // stands for the request's own head, and so for the key
#define REJECTED "CommandRejected"
#define FAILED "CommandFailed"

enum { TALKS_MAX = 2000, PACE_MS = 20, TURN_LIMIT_MS = 1000, HEAD_BYTES = 4096 };

typedef struct Answer {
    const char *name;
    const char *first;
    const char *again; // without an end; NULL: hangs up
    bool slowly;
    const char *type; // of the outcome
    const char *code;
} Answer;

static _Atomic(const Answer *) answer;
static atomic_int asked; // requests that were read whole
static int server_fd = -1;
static int port;
static pthread_t server_thread;

static bool put(int fd, const char *text)
{
    size_t size = strlen(text);
    return send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool read_head(int fd, char head[HEAD_BYTES])
{
    size_t size = 0;
    while (size + 1 < HEAD_BYTES && recv(fd, head + size, 1, 0) == 1) {
        head[++size] = '\0';
        if (size >= 4 && strcmp(head + size - 4, "\r\n\r\n") == 0) {
            return true;
        }
    }
    return false;
}

// An error's text may hold no line breaks; the key stands in the second half of the head.
static void put_first(int fd, const char *first, char *head)
{
    const char *echo = strchr(first, ECHO[0]);
    char text[2 * HEAD_BYTES];
    char *key = strcasestr(head, "Bearer ");
    key[strcspn(key, "\r\n")] = '\0';
    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(echo - first), first, key, echo + 1);
    (void)put(fd, text);
}

static void *serve_one(void *argument)
{
    int fd = *(const int *)argument;
    char head[HEAD_BYTES] = "";
    const Answer *a = answer;
    if (read_head(fd, head)) {
        asked++;
        if (strchr(a->first, ECHO[0]) != NULL) {
            put_first(fd, a->first, head);
        } else {
            (void)put(fd, a->first);
        }
        struct pollfd wait = {.fd = fd, .events = POLLRDHUP};
        while (a->again != NULL && poll(&wait, 1, a->slowly ? PACE_MS : 0) == 0 &&
               put(fd, a->again)) {
        }
    }
    (void)close(fd);
    return NULL;
}

static void *serve(void *argument)
{
    static int fds[TALKS_MAX];
    size_t count = 0;
    while (count < TALKS_MAX && (fds[count] = accept(server_fd, NULL, NULL)) >= 0) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, serve_one, &fds[count++]), 0);
        (void)pthread_detach(thread);
    }
    return argument;
}

static void start_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    server_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server_fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server_fd, TALKS_MAX), 0);
    assert_int_equal(getsockname(server_fd, (struct sockaddr *)&address, &size), 0);
    port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server_thread, NULL, serve, NULL), 0);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    memory_use_release();
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    start_server();
    const char *const settings[] = {box_text("neon.api_url=http://127.0.0.1:%d/api/v2", port),
                                    "environments.check_login=off",
                                    "commands.max_wait=3s",
                                    "neon.send_window=1s",
                                    "neon.request_timeout=1s",
                                    "neon.listing_lag=0s",
                                    NULL};
    (void)worker_start(*state, "one", settings);
    return 0;
}

static int end(void **state)
{
    (void)shutdown(server_fd, SHUT_RDWR);
    (void)pthread_join(server_thread, NULL);
    (void)close(server_fd);
    return world_end(state);
}

static void what_it_answers_ends_as_documented(void **state)
{
    static const Answer ANSWERS[] = {
        {"an endless body", HEAD "\r\n", "0123456789abcdef", false, REJECTED, "NEON_UNAVAILABLE"},
        {"endless headers", HEAD, "X-Filler: x\r\n", false, REJECTED, "NEON_UNAVAILABLE"},
        {"a slow drip", HEAD "\r\n", " ", true, REJECTED, "NEON_UNAVAILABLE"},
        {"a hang-up", "", NULL, false, REJECTED, "NEON_UNAVAILABLE"},
        {"a redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\n\r\n", NULL, false,
         REJECTED, "NEON_REFUSED"},
        {"JSON that is deeper and deeper", HEAD "\r\n{\"a\":", "[[[[[[[[", false, REJECTED,
         "NEON_UNAVAILABLE"},
        {"a number out of range", HEAD "\r\n{\"account_id\":1e999}", NULL, false, REJECTED,
         "NEON_UNAVAILABLE"},
        {"invalid UTF-8", HEAD "\r\n{\"account_id\":\"\xff\xfe\"}", NULL, false, REJECTED,
         "NEON_UNAVAILABLE"},
        {"a NUL", HEAD "\r\n{\"account_id\":\"a\\u0000b\"}", NULL, false, REJECTED,
         "NEON_UNAVAILABLE"},
        {"an id that is none", HEAD "\r\n{\"account_id\":\"../x\",\"auth_method\":\"api_key_org\"}",
         NULL, false, REJECTED, "UNEXPECTED_REPLY"},
        {"the key as an error",
         "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
         "{\"code\":\"\",\"message\":\"what is " ECHO "?\"}",
         NULL, false, REJECTED, "NEON_REFUSED"},
        {"the key as an id",
         HEAD "\r\n{\"account_id\":\"" ECHO "\",\"auth_method\":\"api_key_org\"}", NULL, false,
         REJECTED, "UNEXPECTED_REPLY"},
        {"the key as a refusal's id",
         "HTTP/1.1 401 No\r\nContent-Type: application/json\r\nConnection: close\r\n"
         "x-neon-ret-request-id: " ECHO "\r\n\r\n{\"message\":\"no\"}",
         NULL, false, REJECTED, "API_KEY_REJECTED"},
    };
    World *world = *state;
    int others = 0; // that ended in another way
    for (size_t i = 0; i < sizeof(ANSWERS) / sizeof(ANSWERS[0]); i++) {
        answer = &ANSWERS[i];
        asked = 0;
        const char *id = command_connect(world, "shop", world_fresh("account"), world->api_key);
        const Seen *seen = reader_await_outcome(world->reader, id, WORLD_SECONDS);
        const char *part =
            strcmp(seen_type(seen), FAILED) == 0 ? "commandFailed" : "commandRejected";
        print_message("%s: %s %s: %s\n", ANSWERS[i].name, seen_type(seen),
                      seen_text(seen, box_text("%s.code", part)),
                      seen_text(seen, box_text("%s.message", part)));
        others += strcmp(seen_text(seen, box_text("%s.code", part)), ANSWERS[i].code) != 0 ||
                  strcmp(seen_type(seen), ANSWERS[i].type) != 0;
        assert_true(asked >= 1);
    }
    assert_int_equal(others, 0);
}

static void the_loop_went_on_turning_within_its_memory(void **state)
{
    World *world = *state;
    Process *worker = &world->workers[0];
    double longest_s = probe_metric(worker, "provision_loop_turn_seconds_max");
    print_message("longest turn: %.3f s\n", longest_s);
    assert_true(longest_s >= 0 && longest_s * 1000 < TURN_LIMIT_MS);
    memory_expect_bounded(worker);
}

static void the_key_is_found_nowhere(void **state)
{
    secrets_search(*state);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_answers_ends_as_documented),
        cmocka_unit_test(the_loop_went_on_turning_within_its_memory),
        cmocka_unit_test(the_key_is_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
