#include "server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

enum { SERVER_CONNECTIONS = 64, SERVER_REQUESTS = 256, DRIP_MS = 50, SMALL_RECEIVE_BUFFER = 4096 };

typedef struct Connection {
    Server *server;
    int number;
    int fd;
    pthread_t thread;
} Connection;

struct Server {
    int fd;
    char url[64];
    pthread_t thread;
    pthread_mutex_t mutex;
    bool stopping;
    Connection connections[SERVER_CONNECTIONS];
    int connection_count;
    ServerRequest requests[SERVER_REQUESTS];
    size_t request_count;
};

static void note_request(Server *server, const ServerRequest *request)
{
    pthread_mutex_lock(&server->mutex);
    if (server->request_count < SERVER_REQUESTS) {
        server->requests[server->request_count++] = *request;
    }
    pthread_mutex_unlock(&server->mutex);
}

static bool send_text(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        text += sent;
        left -= (size_t)sent;
    }
    return true;
}

static bool read_head(int fd, ServerRequest *request)
{
    size_t size = 0;
    while (size + 1 < sizeof(request->head)) {
        ssize_t got = recv(fd, request->head + size, 1, 0);
        if (got <= 0) {
            return false;
        }
        size++;
        request->head[size] = '\0';
        if (size >= 4 && strcmp(request->head + size - 4, "\r\n\r\n") == 0) {
            return sscanf(request->head, "%15s %127s", request->method, request->path) == 2;
        }
    }
    return false;
}

static void read_body(int fd, ServerRequest *request)
{
    const char *header = strcasestr(request->head, "\r\nContent-Length:");
    size_t size = header != NULL ? strtoul(header + 17, NULL, 10) : 0;
    char bytes[65536];
    while (request->body_bytes < size) {
        size_t wanted = size - request->body_bytes;
        ssize_t got = recv(fd, bytes, wanted < sizeof(bytes) ? wanted : sizeof(bytes), 0);
        if (got <= 0) {
            return;
        }
        request->body_bytes += (size_t)got;
    }
    request->whole = true;
}

// Until the client hangs up.
static void wait_for_hangup(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLRDHUP};
    poll(&wait, 1, -1);
}

static void send_endless(int fd, bool slowly)
{
    if (!send_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n")) {
        return;
    }
    struct pollfd wait = {.fd = fd, .events = POLLRDHUP};
    while (poll(&wait, 1, slowly ? DRIP_MS : 0) == 0) {
        if (!send_text(fd, slowly ? "1\r\nx\r\n" : "10\r\n0123456789abcdef\r\n")) {
            return;
        }
    }
}

static bool send_reply(int fd, int status, const char *header)
{
    char reply[512];
    snprintf(reply, sizeof(reply),
             "HTTP/1.1 %d Some Reason\r\nContent-Type: application/json\r\n%s"
             "Content-Length: 13\r\n\r\n{\"fine\":true}",
             status, header);
    return send_text(fd, reply);
}

// False: the connection ends.
static bool answer(int fd, const ServerRequest *request)
{
    const char *path = request->path;
    if (strcmp(path, "/ok") == 0) {
        return send_reply(fd, 200, "");
    }
    if (strncmp(path, "/status/", 8) == 0) {
        return send_reply(fd, (int)strtol(path + 8, NULL, 10),
                          "Retry-After: 7\r\nX-Neon-Ret-Request-Id: req-1\r\n");
    }
    if (strcmp(path, "/redirect") == 0) {
        return send_reply(fd, 302, "Location: /ok\r\n");
    }
    if (strcmp(path, "/silent") == 0) {
        wait_for_hangup(fd);
    } else if (strcmp(path, "/lost") != 0) {
        send_endless(fd, strcmp(path, "/drip") == 0);
    }
    return false;
}

static void *serve_connection(void *argument)
{
    Connection *connection = argument;
    bool goes_on = true;
    while (goes_on) {
        ServerRequest request = {.connection = connection->number};
        goes_on = read_head(connection->fd, &request);
        if (!goes_on) {
            break;
        }
        if (strcmp(request.path, "/deaf") == 0) {
            note_request(connection->server, &request);
            wait_for_hangup(connection->fd);
            break;
        }
        read_body(connection->fd, &request);
        note_request(connection->server, &request);
        goes_on = request.whole && answer(connection->fd, &request);
    }
    shutdown(connection->fd, SHUT_RDWR);
    return NULL;
}

static bool take_connection(Server *server, int fd)
{
    pthread_mutex_lock(&server->mutex);
    bool taken = !server->stopping && server->connection_count < SERVER_CONNECTIONS;
    if (taken) {
        Connection *connection = &server->connections[server->connection_count++];
        *connection = (Connection){.server = server, .number = server->connection_count, .fd = fd};
        pthread_create(&connection->thread, NULL, serve_connection, connection);
    }
    pthread_mutex_unlock(&server->mutex);
    return taken;
}

static void *serve(void *argument)
{
    Server *server = argument;
    int fd = -1;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        if (!take_connection(server, fd)) {
            close(fd);
        }
    }
    return NULL;
}

Server *server_start(void)
{
    Server *server = alloc_zeroed(1, sizeof(*server));
    pthread_mutex_init(&server->mutex, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    int small = SMALL_RECEIVE_BUFFER; // so that /deaf stops a sender soon
    setsockopt(server->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int failed = bind(server->fd, (struct sockaddr *)&address, size);
    failed |= listen(server->fd, SERVER_CONNECTIONS);
    failed |= getsockname(server->fd, (struct sockaddr *)&address, &size);
    assert(failed == 0);
    (void)failed;
    snprintf(server->url, sizeof(server->url), "http://api.localhost:%d", ntohs(address.sin_port));
    pthread_create(&server->thread, NULL, serve, server);
    return server;
}

void server_stop(Server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    pthread_mutex_unlock(&server->mutex);
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (int i = 0; i < server->connection_count; i++) {
        shutdown(server->connections[i].fd, SHUT_RDWR);
        pthread_join(server->connections[i].thread, NULL);
        close(server->connections[i].fd);
    }
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

const char *server_url(const Server *server)
{
    return server->url;
}

size_t server_count(Server *server, const char *path)
{
    size_t count = 0;
    pthread_mutex_lock(&server->mutex);
    for (size_t i = 0; i < server->request_count; i++) {
        const ServerRequest *request = &server->requests[i];
        if (request->whole && strcmp(request->path, path) == 0) {
            count++;
        }
    }
    pthread_mutex_unlock(&server->mutex);
    return count;
}

bool server_last(Server *server, ServerRequest *ret_request)
{
    pthread_mutex_lock(&server->mutex);
    bool any = server->request_count > 0;
    if (any) {
        *ret_request = server->requests[server->request_count - 1];
    }
    pthread_mutex_unlock(&server->mutex);
    return any;
}

int server_connections(Server *server)
{
    pthread_mutex_lock(&server->mutex);
    int count = server->connection_count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}
