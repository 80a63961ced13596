#include "drive/admin.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "drive/admin_socket.h"
#include "sys/clock.h"

typedef struct Connection {
    ListLink link; // the oldest first
    int socket;
    int64_t until_boot_ms;
} Connection;

struct Admin {
    Loop *loop;
    AdminHandler *handler;
    void *context;
    struct MHD_Daemon *daemon;
    uv_poll_t *poll; // of the daemon's epoll descriptor
    LoopTimer *pump; // when the daemon wants to be run again
    LoopTimer *reaper;
    List connections;
    int port;
    bool has_closed; // a connection, in the daemon's last run
};

static void run_daemon(Admin *admin)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    admin->has_closed = false;
    MHD_run(admin->daemon);
    // at its limit the daemon leaves its listener alone: it takes it up again when it is run once
    // more, and names no time for that
    if (admin->has_closed) {
        loop_timer_start(admin->pump, 0);
    } else if (MHD_get_timeout(admin->daemon, &wait_ms) == MHD_YES) {
        loop_timer_start(admin->pump, wait_ms);
    } else {
        loop_timer_stop(admin->pump);
    }
}

static void on_pump(void *context)
{
    run_daemon(context);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run_daemon(poll->data);
}

// Only shut down: the descriptor is the daemon's, who finds it at its end.
static void on_reaper(void *context)
{
    Admin *admin = context;
    int64_t now_ms = clock_boot_ms();
    LIST_EACH(&admin->connections, link)
    {
        const Connection *connection = LIST_ENTRY(link, Connection, link);
        if (connection->until_boot_ms > now_ms) {
            loop_timer_start(admin->reaper, (uint64_t)(connection->until_boot_ms - now_ms));
            break;
        }
        (void)shutdown(connection->socket, SHUT_RDWR);
    }
    run_daemon(admin);
}

static void on_connection(void *context, struct MHD_Connection *handle, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    Admin *admin = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        Connection *ended = *state;
        list_remove(&ended->link);
        free(ended);
        admin->has_closed = true;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    assert(info != NULL);
    Connection *connection = alloc_zeroed(1, sizeof(*connection));
    connection->socket = info->connect_fd;
    connection->until_boot_ms = clock_boot_ms() + ADMIN_CONNECTION_MS;
    if (!loop_timer_is_active(admin->reaper)) {
        loop_timer_start(admin->reaper, ADMIN_CONNECTION_MS);
    }
    list_append(&admin->connections, &connection->link);
    *state = connection;
}

// The reader may be slow: the body becomes libmicrohttpd's.
static enum MHD_Result send_reply(struct MHD_Connection *connection, AdminReply *reply)
{
    bool is_empty = reply->body.data == NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.length, reply->body.data,
                                        is_empty ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        text_clear(&reply->body);
        return MHD_NO;
    }
    reply->body = TEXT_INIT(0);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET");
    }
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned int)reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **state)
{
    (void)version;
    (void)upload;
    (void)upload_bytes;
    (void)state;
    const Admin *admin = context;
    AdminReply reply = {
        .status = MHD_HTTP_NOT_FOUND,
        .content_type = "text/plain; charset=utf-8",
        .body = TEXT_INIT(ADMIN_REPLY_BYTES_MAX),
    };
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
        reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        text_append(&reply.body, "GET only\n");
    } else {
        admin->handler(admin->context, url, &reply);
    }
    if (reply.status == MHD_HTTP_NOT_FOUND) {
        text_append(&reply.body, "there is /livez, /readyz and /metrics\n");
    }
    if (!text_ok(&reply.body)) {
        text_clear(&reply.body);
        reply.status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    return send_reply(connection, &reply);
}

static struct MHD_Daemon *start_daemon(Admin *admin, int listener)
{
    return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, admin,
                            MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned int)ADMIN_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)ADMIN_CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned int)(ADMIN_CONNECTION_MS / 1000),
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, admin, MHD_OPTION_END);
}

static void watch_daemon(Admin *admin)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    assert(info != NULL);
    admin->poll = alloc_zeroed(1, sizeof(*admin->poll));
    int failed = uv_poll_init(loop_uv(admin->loop), admin->poll, info->epoll_fd);
    assert(failed == 0);
    (void)failed;
    admin->poll->data = admin;
    uv_poll_start(admin->poll, UV_READABLE, on_poll);
}

Admin *admin_open(Loop *loop, const char *address, AdminHandler *handler, void *context, Error *err)
{
    int port = 0;
    int listener = admin_socket_listen(address, &port, err);
    if (listener < 0) {
        return NULL;
    }
    Admin *admin = alloc_zeroed(1, sizeof(*admin));
    admin->loop = loop;
    admin->handler = handler;
    admin->context = context;
    admin->port = port;
    list_init(&admin->connections);
    admin->daemon = start_daemon(admin, listener);
    if (admin->daemon == NULL) {
        (void)close(listener);
        free(admin);
        error_set(err, ERROR_INTERNAL, "INTERNAL_ERROR", "libmicrohttpd does not start");
        return NULL;
    }
    admin->pump = loop_timer_new(loop, on_pump, admin);
    admin->reaper = loop_timer_new(loop, on_reaper, admin);
    watch_daemon(admin);
    return admin;
}

int admin_port(const Admin *admin)
{
    return admin->port;
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

void admin_free(Admin *admin)
{
    if (admin == NULL) {
        return;
    }
    uv_poll_stop(admin->poll);
    uv_close((uv_handle_t *)admin->poll, on_poll_closed);
    MHD_stop_daemon(admin->daemon);
    loop_timer_free(admin->pump);
    loop_timer_free(admin->reaper);
    free(admin);
}
