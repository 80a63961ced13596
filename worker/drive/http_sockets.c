#include "drive/http_sockets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

typedef struct Socket {
    uv_poll_t poll;
    HttpSockets *sockets;
    curl_socket_t fd;
    int wanted; // by curl, of UV_READABLE and UV_WRITABLE
    int polled;
} Socket;

struct HttpSockets {
    Loop *loop;
    HttpSocketEvent *on_event;
    void *context;
    Socket **by_fd;
    size_t room;
};

HttpSockets *http_sockets_new(Loop *loop, HttpSocketEvent *on_event, void *context)
{
    HttpSockets *sockets = alloc_zeroed(1, sizeof(*sockets));
    *sockets = (HttpSockets){.loop = loop, .on_event = on_event, .context = context};
    return sockets;
}

void http_sockets_free(HttpSockets *sockets)
{
    free(sockets->by_fd);
    free(sockets);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    Socket *sock = poll->data;
    int flags = status != 0 ? CURL_CSELECT_ERR : 0;
    if (sock->wanted == 0) { // closed by the server between two requests: curl finds out
        uv_poll_stop(&sock->poll);
        sock->polled = 0;
        return;
    }
    if ((events & UV_READABLE) != 0) {
        flags |= CURL_CSELECT_IN;
    }
    if ((events & UV_WRITABLE) != 0) {
        flags |= CURL_CSELECT_OUT;
    }
    sock->sockets->on_event(sock->sockets->context, sock->fd, flags);
}

static Socket *find(const HttpSockets *sockets, curl_socket_t fd)
{
    return (size_t)fd < sockets->room ? sockets->by_fd[fd] : NULL;
}

static Socket *add(HttpSockets *sockets, curl_socket_t fd)
{
    Socket *sock = alloc_zeroed(1, sizeof(*sock));
    if (uv_poll_init(loop_uv(sockets->loop), &sock->poll, fd) != 0) {
        free(sock);
        return NULL;
    }
    size_t room = sockets->room;
    if ((size_t)fd >= room) {
        sockets->room = 2 * (size_t)fd + 1;
        sockets->by_fd = alloc_resize(sockets->by_fd, sockets->room * sizeof(Socket *));
        memset(sockets->by_fd + room, 0, (sockets->room - room) * sizeof(Socket *));
    }
    sock->sockets = sockets;
    sock->fd = fd;
    sock->poll.data = sock;
    sockets->by_fd[fd] = sock;
    return sock;
}

static void poll_for(Socket *sock, int events)
{
    if (sock->polled != events) {
        sock->polled = events;
        uv_poll_start(&sock->poll, events, on_poll);
    }
}

void http_sockets_want(HttpSockets *sockets, curl_socket_t fd, int what)
{
    Socket *sock = find(sockets, fd);
    if (sock == NULL && what == CURL_POLL_REMOVE) {
        return; // the number may be another socket's by now
    }
    if (sock == NULL) {
        sock = add(sockets, fd);
    }
    if (sock == NULL) {
        return; // it can't be watched: its request runs into its time limit
    }
    sock->wanted = 0;
    if (what != CURL_POLL_REMOVE) {
        sock->wanted = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                       ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    }
    poll_for(sock, sock->wanted != 0 ? sock->wanted : UV_READABLE);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int http_sockets_close(HttpSockets *sockets, curl_socket_t fd)
{
    Socket *sock = find(sockets, fd);
    if (sock != NULL) {
        sockets->by_fd[fd] = NULL;
        uv_close((uv_handle_t *)&sock->poll, on_closed);
    }
    return close(fd);
}
