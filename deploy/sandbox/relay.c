#include "relay.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

enum {
    RELAY_BACKLOG = 128,
    RELAY_CHUNK_BYTES = 16384,
    RELAY_QUEUE_BYTES = 1 << 20,
    RELAY_PG_PORT = 5432
};

typedef enum PairState { PAIR_WAITING, PAIR_CONNECTING, PAIR_OPEN, PAIR_CLOSING } PairState;

typedef struct Pair Pair;

typedef struct Side {
    uv_tcp_t tcp;
    Pair *pair;
    struct Side *other;
    bool is_opened; /* has a handle to close */
    bool is_paused; /* the other side takes no more for now */
    bool is_ended;  /* read to its end */
} Side;

struct Pair {
    Relay *relay;
    Side client;
    Side server;
    uv_connect_t connect;
    PairState state;
    int handles;
    bool was_retried;
    Pair *prev, *next;
};

struct Relay {
    uv_tcp_t listener;
    uv_loop_t *loop;
    Endpoint *endpoint;
    RelayOwner owner;
    Pair *pairs;
    int count;
    int port;
    bool is_closing;
    bool is_listener_closed;
};

/* A write and the bytes it sends. */
typedef struct Chunk {
    uv_write_t request;
    Side *from;
    char *data;
} Chunk;

static void free_when_done(Relay *relay)
{
    if (relay->is_closing && relay->is_listener_closed && relay->pairs == NULL) {
        free(relay);
    }
}

static void on_side_closed(uv_handle_t *handle)
{
    Pair *pair = ((Side *)handle->data)->pair;
    if (--pair->handles > 0) {
        return;
    }
    Relay *relay = pair->relay;
    DL_DELETE(relay->pairs, pair);
    free(pair);
    free_when_done(relay);
}

static void close_pair(Pair *pair)
{
    if (pair->state == PAIR_CLOSING) {
        return;
    }
    pair->state = PAIR_CLOSING;
    pair->relay->count--;
    pair->relay->endpoint->last_active_ms = text_now_ms();
    Side *sides[] = {&pair->client, &pair->server};
    for (int i = 0; i < 2; i++) {
        if (sides[i]->is_opened) {
            uv_close((uv_handle_t *)&sides[i]->tcp, on_side_closed);
        }
    }
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    buffer->base = malloc(RELAY_CHUNK_BYTES);
    buffer->len = buffer->base == NULL ? 0 : RELAY_CHUNK_BYTES;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer);

static void on_written(uv_write_t *request, int status)
{
    Chunk *chunk = request->data;
    Side *from = chunk->from;
    free(chunk->data);
    free(chunk);
    if (from->pair->state == PAIR_CLOSING) {
        return;
    }
    if (status != 0) {
        close_pair(from->pair);
        return;
    }
    if (from->is_paused &&
        uv_stream_get_write_queue_size((uv_stream_t *)&from->other->tcp) < RELAY_QUEUE_BYTES / 2) {
        from->is_paused = false;
        uv_read_start((uv_stream_t *)&from->tcp, on_allocate, on_read);
    }
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    Side *from = request->data;
    free(request);
    /* The server's end is the session's end; a client may still read its answers. */
    bool is_over = from == &from->pair->server || from->other->is_ended;
    if (status != 0 || is_over) {
        close_pair(from->pair);
    }
}

static void end_side(Side *from)
{
    uv_shutdown_t *request = malloc(sizeof(*request));
    from->is_ended = true;
    uv_read_stop((uv_stream_t *)&from->tcp);
    if (request == NULL) {
        abort();
    }
    request->data = from;
    if (uv_shutdown(request, (uv_stream_t *)&from->other->tcp, on_shut_down) != 0) {
        free(request);
        close_pair(from->pair);
    }
}

static void pass_on(Side *from, char *data, size_t bytes)
{
    Chunk *chunk = malloc(sizeof(*chunk));
    if (chunk == NULL) {
        abort();
    }
    *chunk = (Chunk){.from = from, .data = data};
    chunk->request.data = chunk;
    uv_buf_t buffer = uv_buf_init(data, (unsigned int)bytes);
    uv_stream_t *target = (uv_stream_t *)&from->other->tcp;
    if (uv_write(&chunk->request, target, &buffer, 1, on_written) != 0) {
        free(data);
        free(chunk);
        close_pair(from->pair);
        return;
    }
    if (uv_stream_get_write_queue_size(target) > RELAY_QUEUE_BYTES) {
        from->is_paused = true;
        uv_read_stop((uv_stream_t *)&from->tcp);
    }
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    Side *from = stream->data;
    if (got > 0) {
        from->pair->relay->endpoint->last_active_ms = text_now_ms();
        pass_on(from, buffer->base, (size_t)got);
        return;
    }
    free(buffer->base);
    if (got == UV_EOF) {
        end_side(from);
    } else if (got < 0) {
        close_pair(from->pair);
    }
}

static void on_server_closed_for_retry(uv_handle_t *handle)
{
    Side *server = handle->data;
    Pair *pair = server->pair;
    if (pair->state == PAIR_CLOSING) {
        on_side_closed(handle);
        return;
    }
    pair->handles--;
    pair->state = PAIR_WAITING;
    relay_continue(pair->relay);
}

static void on_connected(uv_connect_t *request, int status)
{
    Pair *pair = request->data;
    if (pair->state == PAIR_CLOSING) {
        return;
    }
    if (status == 0) {
        pair->state = PAIR_OPEN;
        uv_tcp_nodelay(&pair->server.tcp, 1);
        uv_read_start((uv_stream_t *)&pair->client.tcp, on_allocate, on_read);
        uv_read_start((uv_stream_t *)&pair->server.tcp, on_allocate, on_read);
        return;
    }
    pair->relay->owner.on_unreachable(pair->relay->owner.context, pair->relay->endpoint);
    if (pair->was_retried) {
        close_pair(pair);
        return;
    }
    pair->was_retried = true;
    pair->server.is_opened = false;
    uv_close((uv_handle_t *)&pair->server.tcp, on_server_closed_for_retry);
}

static void connect_pair(Pair *pair, const char *address)
{
    struct sockaddr_in target;
    uv_ip4_addr(address, RELAY_PG_PORT, &target);
    uv_tcp_init(pair->relay->loop, &pair->server.tcp);
    pair->server.tcp.data = &pair->server;
    pair->server.is_opened = true;
    pair->handles++;
    pair->connect.data = pair;
    pair->state = PAIR_CONNECTING;
    if (uv_tcp_connect(&pair->connect, &pair->server.tcp, (const struct sockaddr *)&target,
                       on_connected) != 0) {
        close_pair(pair);
    }
}

void relay_continue(Relay *relay)
{
    if (!relay_has_waiting(relay)) {
        return;
    }
    const char *address = relay->owner.find_address(relay->owner.context, relay->endpoint);
    Pair *pair = NULL;
    DL_FOREACH(relay->pairs, pair)
    {
        if (address != NULL && pair->state == PAIR_WAITING) {
            connect_pair(pair, address);
        }
    }
}

void relay_give_up(Relay *relay)
{
    Pair *pair = NULL;
    DL_FOREACH(relay->pairs, pair)
    {
        if (pair->state == PAIR_WAITING) {
            close_pair(pair);
        }
    }
}

bool relay_has_waiting(const Relay *relay)
{
    const Pair *pair = NULL;
    DL_FOREACH(relay->pairs, pair)
    {
        if (pair->state == PAIR_WAITING) {
            return true;
        }
    }
    return false;
}

/* Hands a copy of the connection's file over and forgets the connection. */
static void refuse_pair(Pair *pair)
{
    Relay *relay = pair->relay;
    uv_os_fd_t file = -1;
    if (uv_fileno((uv_handle_t *)&pair->client.tcp, &file) == 0) {
        int copy = dup(file);
        if (copy >= 0) {
            relay->owner.refuse(relay->owner.context, relay->endpoint, copy);
        }
    }
    close_pair(pair);
}

static void on_connection(uv_stream_t *listener, int status)
{
    Relay *relay = listener->data;
    Pair *pair = status == 0 ? calloc(1, sizeof(*pair)) : NULL;
    if (pair == NULL) {
        return;
    }
    pair->relay = relay;
    pair->client.pair = pair;
    pair->server.pair = pair;
    pair->client.other = &pair->server;
    pair->server.other = &pair->client;
    uv_tcp_init(relay->loop, &pair->client.tcp);
    pair->client.tcp.data = &pair->client;
    pair->client.is_opened = true;
    pair->handles = 1;
    DL_APPEND(relay->pairs, pair);
    relay->count++;
    if (uv_accept(listener, (uv_stream_t *)&pair->client.tcp) != 0) {
        close_pair(pair);
        return;
    }
    uv_tcp_nodelay(&pair->client.tcp, 1);
    relay->endpoint->last_active_ms = text_now_ms();
    if (relay->owner.refuses(relay->owner.context, relay->endpoint)) {
        refuse_pair(pair);
        return;
    }
    relay_continue(relay);
}

static bool listen_at(Relay *relay, int port)
{
    struct sockaddr_in address;
    struct sockaddr_in bound;
    int length = sizeof(bound);
    uv_ip4_addr("127.0.0.1", port, &address);
    if (uv_tcp_bind(&relay->listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&relay->listener, RELAY_BACKLOG, on_connection) != 0 ||
        uv_tcp_getsockname(&relay->listener, (struct sockaddr *)&bound, &length) != 0) {
        return false;
    }
    relay->port = ntohs(bound.sin_port);
    return true;
}

Relay *relay_open(uv_loop_t *loop, Endpoint *endpoint, int port, const RelayOwner *owner)
{
    Relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL) {
        abort();
    }
    relay->loop = loop;
    relay->endpoint = endpoint;
    relay->owner = *owner;
    uv_tcp_init(loop, &relay->listener);
    relay->listener.data = relay;
    if (!listen_at(relay, port)) {
        relay_close(relay);
        return NULL;
    }
    return relay;
}

int relay_port(const Relay *relay)
{
    return relay->port;
}

int relay_connections(const Relay *relay)
{
    return relay->count;
}

static void on_listener_closed(uv_handle_t *handle)
{
    Relay *relay = handle->data;
    relay->is_listener_closed = true;
    free_when_done(relay);
}

void relay_close(Relay *relay)
{
    relay->is_closing = true;
    Pair *pair = NULL;
    DL_FOREACH(relay->pairs, pair)
    {
        close_pair(pair);
    }
    uv_close((uv_handle_t *)&relay->listener, on_listener_closed);
}
