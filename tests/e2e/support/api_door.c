#include "support/api_door.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/cmocka.h"

enum {
    BACKLOG = 512,
    PACE_MS = 20,
    HEAD_BYTES = 8192,
    CALL_BYTES = 256 * 1024,
    REPLY_BYTES = 4 * 1024 * 1024,
};

#define PLACE ".localhost:"

struct ApiDoor {
    int fd;
    int port;
    int sandbox_port;
    pthread_t thread;
    _Atomic(const ApiDoorRule *) rule;
    atomic_int met;
    atomic_int postgres_port;
    atomic_int talks; // under way
};

typedef struct Talk {
    ApiDoor *door;
    int fd;
    char *call; // the whole of it
    size_t call_bytes;
} Talk;

static bool put(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool put_text(int fd, const char *text)
{
    return put(fd, text, strlen(text));
}

static size_t body_bytes(const char *call)
{
    const char *length = strcasestr(call, "\r\nContent-Length:");
    return length == NULL ? 0 : strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

// False: the client has gone before it had said all.
static bool read_call(Talk *talk)
{
    size_t size = 0;
    size_t wanted = CALL_BYTES;
    talk->call = alloc_zeroed(CALL_BYTES + 1, 1);
    while (size < wanted) {
        ssize_t got = recv(talk->fd, talk->call + size, CALL_BYTES - size, 0);
        if (got <= 0) {
            return false;
        }
        size += (size_t)got;
        const char *end = strstr(talk->call, "\r\n\r\n");
        if (end != NULL && wanted == CALL_BYTES) {
            wanted = (size_t)(end + 4 - talk->call) + body_bytes(talk->call);
            assert(wanted <= CALL_BYTES);
        }
    }
    talk->call_bytes = size;
    return true;
}

// ---- passing on

static int connect_sandbox(const ApiDoor *door)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)door->sandbox_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

// The sandbox's reply, whole, of an HTTP/1.0 call: neither chunks nor a connection that stays.
static char *ask_sandbox(const Talk *talk)
{
    char *reply = alloc_zeroed(REPLY_BYTES + 1, 1);
    char *version = strstr(talk->call, "HTTP/1.1");
    int fd = connect_sandbox(talk->door);
    size_t size = 0;
    ssize_t got = 0;
    if (version != NULL) {
        version[strlen("HTTP/1.")] = '0';
    }
    bool sent = fd >= 0 && put(fd, talk->call, talk->call_bytes);
    while (sent && size < REPLY_BYTES &&
           (got = recv(fd, reply + size, REPLY_BYTES - size, 0)) > 0) {
        size += (size_t)got;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return reply;
}

// Puts the port behind every host of a branch.
static void put_body(int fd, const char *body, int port)
{
    char digits[16];
    (void)snprintf(digits, sizeof(digits), "%d", port);
    const char *found = NULL;
    while (port != 0 && (found = strstr(body, PLACE)) != NULL) {
        found += strlen(PLACE);
        (void)put(fd, body, (size_t)(found - body));
        (void)put_text(fd, digits);
        body = found + strspn(found, "0123456789");
    }
    (void)put_text(fd, body);
}

// Without the body's length, which may have changed: it ends with the connection.
static void pass_reply(const Talk *talk, const char *reply)
{
    const char *end = strstr(reply, "\r\n\r\n");
    const char *line = reply;
    while (end != NULL && line < end) {
        size_t size = (size_t)(strstr(line, "\r\n") + 2 - line);
        if (strncasecmp(line, "Content-Length:", strlen("Content-Length:")) != 0 &&
            strncasecmp(line, "Connection:", strlen("Connection:")) != 0) {
            (void)put(talk->fd, line, size);
        }
        line += size;
    }
    if (end != NULL) {
        (void)put_text(talk->fd, "Connection: close\r\n\r\n");
        put_body(talk->fd, end + 4, talk->door->postgres_port);
    }
}

// ---- the rule

static bool is_met(const ApiDoorRule *rule, const char *call)
{
    const char *path = strchr(call, ' ');
    if (rule == NULL || path == NULL) {
        return false;
    }
    bool is_method =
        rule->method == NULL || (strncmp(call, rule->method, strlen(rule->method)) == 0 &&
                                 call[strlen(rule->method)] == ' ');
    const char *found = rule->part == NULL ? path : strstr(path, rule->part);
    return is_method && found != NULL && found < path + strcspn(path + 1, " \r");
}

static void put_first(const Talk *talk, const char *first)
{
    const char *echo = strchr(first, API_DOOR_ECHO[0]);
    const char *key = strcasestr(talk->call, "Bearer ");
    if (echo == NULL || key == NULL) {
        (void)put_text(talk->fd, first);
        return;
    }
    (void)put(talk->fd, first, (size_t)(echo - first));
    (void)put(talk->fd, key, strcspn(key, "\r\n"));
    (void)put_text(talk->fd, echo + 1);
}

static void meet(const Talk *talk, const ApiDoorRule *rule)
{
    talk->door->met++;
    if (rule->takes_effect) {
        free(ask_sandbox(talk));
    }
    put_first(talk, rule->first);
    struct pollfd wait = {.fd = talk->fd, .events = POLLRDHUP};
    while (rule->again != NULL && poll(&wait, 1, rule->slowly ? PACE_MS : 0) == 0 &&
           put_text(talk->fd, rule->again)) {
    }
}

static void *serve_one(void *argument)
{
    Talk *talk = argument;
    if (read_call(talk)) {
        const ApiDoorRule *rule = talk->door->rule;
        if (is_met(rule, talk->call)) {
            meet(talk, rule);
        } else {
            char *reply = ask_sandbox(talk);
            pass_reply(talk, reply);
            free(reply);
        }
    }
    (void)shutdown(talk->fd, SHUT_RDWR);
    (void)close(talk->fd);
    talk->door->talks--;
    free(talk->call);
    free(talk);
    return NULL;
}

static void *serve(void *argument)
{
    ApiDoor *door = argument;
    int fd = -1;
    while ((fd = accept(door->fd, NULL, NULL)) >= 0) {
        Talk *talk = alloc_zeroed(1, sizeof(*talk));
        pthread_t thread;
        *talk = (Talk){.door = door, .fd = fd};
        door->talks++;
        assert_int_equal(pthread_create(&thread, NULL, serve_one, talk), 0);
        (void)pthread_detach(thread);
    }
    return NULL;
}

ApiDoor *api_door_open(const char *api_url)
{
    static const char LOOPBACK[] = "http://127.0.0.1:";
    ApiDoor *door = alloc_zeroed(1, sizeof(*door));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    assert_int_equal(strncmp(api_url, LOOPBACK, strlen(LOOPBACK)), 0);
    door->sandbox_port = (int)strtol(api_url + strlen(LOOPBACK), NULL, 10);
    door->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(door->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(door->fd, BACKLOG), 0);
    assert_int_equal(getsockname(door->fd, (struct sockaddr *)&address, &size), 0);
    door->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&door->thread, NULL, serve, door), 0);
    return door;
}

int api_door_port(const ApiDoor *door)
{
    return door->port;
}

// Its clients have ended, so that its talks do.
void api_door_close(ApiDoor *door)
{
    (void)shutdown(door->fd, SHUT_RDWR);
    (void)pthread_join(door->thread, NULL);
    (void)close(door->fd);
    if (door->talks == 0) {
        free(door);
    } // else the process ends with them
}

void api_door_set_rule(ApiDoor *door, const ApiDoorRule *rule)
{
    door->met = 0;
    door->rule = rule;
}

int api_door_met(const ApiDoor *door)
{
    return door->met;
}

void api_door_set_postgres(ApiDoor *door, int port)
{
    door->postgres_port = port;
}
