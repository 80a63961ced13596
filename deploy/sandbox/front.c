#include "front.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "hello.h"

enum {
    FRONT_BACKLOG = 128,
    FRONT_FIRST_BYTES = 16384 + 5, /* the longest record of TLS */
    FRONT_CHUNK_BYTES = 16384,
    FRONT_NAME_BYTES = 256,
    REQUEST_BYTES = 8,
    TLS_HANDSHAKE = 22,
};

static const unsigned char SSL_REQUEST[REQUEST_BYTES] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
static const unsigned char GSS_REQUEST[REQUEST_BYTES] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30};

/* ErrorResponse, as Neon's proxy words it:
 * https://www.postgresql.org/docs/current/protocol-error-fields.html */
static const char INSECURE[] = "SERROR\0VERROR\0C08004\0"
                               "Mconnection is insecure (try using `sslmode=require`)\0";

typedef enum GuestState {
    GUEST_ASKS,     /* for TLS, in PostgreSQL's way */
    GUEST_GREETS,   /* sends its ClientHello */
    GUEST_CONNECTS, /* to the endpoint's own port, asking for TLS in its turn */
    GUEST_TALKS,
    GUEST_LEAVES,
} GuestState;

typedef struct Guest Guest;

typedef struct End {
    uv_tcp_t tcp;
    Guest *guest;
    struct End *other;
    bool is_open;
} End;

struct Guest {
    Front *front;
    GuestState state;
    End client;
    End server;
    uv_connect_t connect;
    int handles;
    size_t bytes;
    char first[FRONT_FIRST_BYTES]; /* what came before the endpoint was known */
    Guest *prev, *next;
};

struct Front {
    Sandbox *sandbox;
    uv_tcp_t listener;
    int port;
    Guest *guests;
    bool is_closing;
    bool is_listener_closed;
};

typedef struct Sent {
    uv_write_t request;
    End *from; /* reading goes on there afterwards; NULL: nowhere */
    Guest *guest;
    char data[];
} Sent;

static void free_when_done(Front *front)
{
    if (front->is_closing && front->is_listener_closed && front->guests == NULL) {
        free(front);
    }
}

static void on_end_closed(uv_handle_t *handle)
{
    Guest *guest = ((End *)handle->data)->guest;
    if (--guest->handles == 0) {
        Front *front = guest->front;
        DL_DELETE(front->guests, guest);
        free(guest);
        free_when_done(front);
    }
}

static void leave(Guest *guest)
{
    if (guest->state == GUEST_LEAVES) {
        return;
    }
    guest->state = GUEST_LEAVES;
    End *ends[] = {&guest->client, &guest->server};
    for (int i = 0; i < 2; i++) {
        if (ends[i]->is_open) {
            uv_close((uv_handle_t *)&ends[i]->tcp, on_end_closed);
        }
    }
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    buffer->base = malloc(FRONT_CHUNK_BYTES);
    buffer->len = buffer->base == NULL ? 0 : FRONT_CHUNK_BYTES;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer);

static void read_on(End *end)
{
    if (uv_read_start((uv_stream_t *)&end->tcp, on_allocate, on_read) != 0) {
        leave(end->guest);
    }
}

static void on_sent(uv_write_t *request, int status)
{
    Sent *sent = request->data;
    Guest *guest = sent->guest;
    End *from = sent->from;
    free(sent);
    if (guest->state != GUEST_LEAVES && status != 0) {
        leave(guest);
    } else if (guest->state != GUEST_LEAVES && from != NULL) {
        read_on(from);
    }
}

/* Nothing is read from `from` until this has been taken: a slow end slows the other down. */
static void send_to(End *to, const void *data, size_t bytes, End *from)
{
    Sent *sent = malloc(sizeof(*sent) + bytes);
    if (sent == NULL) {
        abort();
    }
    *sent = (Sent){.from = from, .guest = to->guest};
    memcpy(sent->data, data, bytes);
    sent->request.data = sent;
    uv_buf_t buffer = uv_buf_init(sent->data, (unsigned int)bytes);
    if (from != NULL) {
        uv_read_stop((uv_stream_t *)&from->tcp);
    }
    if (uv_write(&sent->request, (uv_stream_t *)&to->tcp, &buffer, 1, on_sent) != 0) {
        free(sent);
        leave(to->guest);
    }
}

static void on_refusal_ended(uv_shutdown_t *request, int status)
{
    (void)status;
    Guest *guest = request->data;
    free(request);
    leave(guest);
}

static void refuse_plain(Guest *guest)
{
    char message[1 + sizeof(uint32_t) + sizeof(INSECURE)];
    uint32_t length = htonl((uint32_t)(sizeof(message) - 1));
    message[0] = 'E';
    memcpy(message + 1, &length, sizeof(length));
    memcpy(message + 1 + sizeof(length), INSECURE, sizeof(INSECURE));
    uv_read_stop((uv_stream_t *)&guest->client.tcp);
    send_to(&guest->client, message, sizeof(message), NULL);
    uv_shutdown_t *request = malloc(sizeof(*request));
    if (request == NULL) {
        abort();
    }
    request->data = guest;
    if (guest->state == GUEST_LEAVES ||
        uv_shutdown(request, (uv_stream_t *)&guest->client.tcp, on_refusal_ended) != 0) {
        free(request);
        leave(guest);
    }
}

static void init_end(Guest *guest, End *end, End *other)
{
    end->guest = guest;
    end->other = other;
    uv_tcp_init(&guest->front->sandbox->loop, &end->tcp);
    end->tcp.data = end;
    end->is_open = true;
    guest->handles++;
}

static void on_connected(uv_connect_t *request, int status)
{
    Guest *guest = request->data;
    if (guest->state == GUEST_LEAVES) {
        return;
    }
    if (status != 0) {
        leave(guest);
        return;
    }
    uv_tcp_nodelay(&guest->server.tcp, 1);
    send_to(&guest->server, SSL_REQUEST, sizeof(SSL_REQUEST), NULL);
    read_on(&guest->server);
}

/* "ep-cool-name-a1b2c3d4-pooler.localhost" belongs to the endpoint ep-cool-name-a1b2c3d4. */
static const Endpoint *find_endpoint(const Store *store, char *name)
{
    static const char POOLER[] = "-pooler";
    name[strcspn(name, ".")] = '\0';
    size_t bytes = strlen(name);
    if (bytes >= sizeof(POOLER) && strcmp(name + bytes - (sizeof(POOLER) - 1), POOLER) == 0) {
        name[bytes - (sizeof(POOLER) - 1)] = '\0';
    }
    Endpoint *endpoint = NULL;
    HASH_FIND_STR(store->endpoints_by_id, name, endpoint);
    bool listens = endpoint != NULL && store_is_alive(&endpoint->life) && endpoint->relay != NULL;
    return listens ? endpoint : NULL;
}

static void connect_guest(Guest *guest, const Endpoint *endpoint)
{
    struct sockaddr_in target;
    uv_ip4_addr("127.0.0.1", endpoint->port, &target);
    uv_read_stop((uv_stream_t *)&guest->client.tcp);
    init_end(guest, &guest->server, &guest->client);
    guest->state = GUEST_CONNECTS;
    guest->connect.data = guest;
    if (uv_tcp_connect(&guest->connect, &guest->server.tcp, (const struct sockaddr *)&target,
                       on_connected) != 0) {
        leave(guest);
    }
}

static void hear_greeting(Guest *guest)
{
    char name[FRONT_NAME_BYTES];
    HelloResult result =
        hello_read((const unsigned char *)guest->first, guest->bytes, name, sizeof(name));
    if (result == HELLO_INCOMPLETE) {
        return;
    }
    const Endpoint *endpoint =
        result == HELLO_NAMED ? find_endpoint(&guest->front->sandbox->store, name) : NULL;
    if (endpoint == NULL) {
        leave(guest);
        return;
    }
    connect_guest(guest, endpoint);
}

static void hear_request(Guest *guest)
{
    if (guest->first[0] == TLS_HANDSHAKE) { /* libpq's sslnegotiation=direct */
        guest->state = GUEST_GREETS;
        hear_greeting(guest);
    } else if (guest->bytes < REQUEST_BYTES) {
        return;
    } else if (memcmp(guest->first, GSS_REQUEST, REQUEST_BYTES) == 0) {
        guest->bytes = 0;
        send_to(&guest->client, "N", 1, &guest->client);
    } else if (memcmp(guest->first, SSL_REQUEST, REQUEST_BYTES) == 0) {
        guest->bytes = 0;
        guest->state = GUEST_GREETS;
        send_to(&guest->client, "S", 1, &guest->client);
    } else {
        refuse_plain(guest);
    }
}

static void hear_client(Guest *guest, const char *data, size_t bytes)
{
    if (bytes > sizeof(guest->first) - guest->bytes) {
        leave(guest);
        return;
    }
    memcpy(guest->first + guest->bytes, data, bytes);
    guest->bytes += bytes;
    if (guest->state == GUEST_ASKS) {
        hear_request(guest);
    } else {
        hear_greeting(guest);
    }
}

/* The endpoint's answer to SSLRequest is one byte; the handshake waits for it. */
static void hear_server(Guest *guest, const char *data, size_t bytes)
{
    if (bytes != 1 || data[0] != 'S') {
        leave(guest);
        return;
    }
    guest->state = GUEST_TALKS;
    send_to(&guest->server, guest->first, guest->bytes, &guest->client);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    End *end = stream->data;
    Guest *guest = end->guest;
    if (got < 0) {
        leave(guest);
    } else if (got > 0 && guest->state == GUEST_TALKS) {
        send_to(end->other, buffer->base, (size_t)got, end);
    } else if (got > 0 && end == &guest->client) {
        hear_client(guest, buffer->base, (size_t)got);
    } else if (got > 0) {
        hear_server(guest, buffer->base, (size_t)got);
    }
    free(buffer->base);
}

static void on_connection(uv_stream_t *listener, int status)
{
    Front *front = listener->data;
    Guest *guest = status == 0 ? calloc(1, sizeof(*guest)) : NULL;
    if (guest == NULL) {
        return;
    }
    guest->front = front;
    DL_APPEND(front->guests, guest);
    init_end(guest, &guest->client, &guest->server);
    if (uv_accept(listener, (uv_stream_t *)&guest->client.tcp) != 0) {
        leave(guest);
        return;
    }
    uv_tcp_nodelay(&guest->client.tcp, 1);
    read_on(&guest->client);
}

Front *front_open(Sandbox *sandbox, int port, char *ret_error, size_t error_bytes)
{
    Front *front = calloc(1, sizeof(*front));
    if (front == NULL) {
        abort();
    }
    front->sandbox = sandbox;
    struct sockaddr_in address;
    int length = sizeof(address);
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_init(&sandbox->loop, &front->listener);
    front->listener.data = front;
    int status = uv_tcp_bind(&front->listener, (const struct sockaddr *)&address, 0);
    if (status == 0) {
        status = uv_listen((uv_stream_t *)&front->listener, FRONT_BACKLOG, on_connection);
    }
    if (status == 0) {
        status = uv_tcp_getsockname(&front->listener, (struct sockaddr *)&address, &length);
    }
    if (status != 0) {
        text_format(ret_error, error_bytes, "--postgres-port: can't listen on 127.0.0.1:%d (%s)",
                    port, uv_strerror(status));
        front_close(front);
        return NULL;
    }
    front->port = ntohs(address.sin_port);
    return front;
}

int front_port(const Front *front)
{
    return front->port;
}

static void on_listener_closed(uv_handle_t *handle)
{
    Front *front = handle->data;
    front->is_listener_closed = true;
    free_when_done(front);
}

void front_close(Front *front)
{
    front->is_closing = true;
    Guest *guest = NULL;
    DL_FOREACH(front->guests, guest)
    {
        leave(guest);
    }
    uv_close((uv_handle_t *)&front->listener, on_listener_closed);
}
