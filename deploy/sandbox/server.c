#include "server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "request.h"

enum { SERVER_CONNECTIONS_MAX = 4000, SERVER_IDLE_SECONDS = 300 };

struct Server {
    Sandbox *sandbox;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t pump;
    Request *open; /* whose reply has not been sent */
    bool is_closing;
    int handles;
};

static void on_pump(uv_timer_t *handle);

/* libmicrohttpd acts on resumed connections only inside MHD_run. */
static void pump_after(Server *server, uint64_t delay_ms)
{
    uv_timer_start(&server->pump, on_pump, delay_ms, 0);
}

static void run_daemon(Server *server)
{
    if (server->is_closing) {
        return;
    }
    MHD_run(server->daemon);
    MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
    if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES) {
        pump_after(server, timeout_ms);
    }
}

static void on_pump(uv_timer_t *handle)
{
    run_daemon(handle->data);
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    run_daemon(handle->data);
}

static void on_ready(Request *request)
{
    Server *server = request->server;
    if (request->is_suspended) {
        request->is_suspended = false;
        MHD_resume_connection(request->connection);
        pump_after(server, 0);
    }
}

static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_bytes, void **state)
{
    (void)version;
    Server *server = argument;
    Request *request = *state;
    if (request == NULL) {
        request = request_new(server->sandbox, connection, method, url);
        request->server = server;
        request->ready = on_ready;
        *state = request;
        DL_APPEND(server->open, request);
        return MHD_YES;
    }
    if (*upload_bytes > 0) {
        request_add_body(request, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    if (!request->is_started) {
        request_start(request);
    }
    if (server->is_closing) {
        return MHD_NO;
    }
    if (!request->is_ready) {
        request->is_suspended = true;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    return request_send(request);
}

static void on_completed(void *argument, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    Server *server = argument;
    Request *request = *state;
    if (request == NULL) {
        return;
    }
    DL_DELETE(server->open, request);
    request_free(request);
    *state = NULL;
}

/* Paths and queries are decoded here, segment by segment: a role's name may hold a slash. */
static size_t keep_escaped(void *argument, struct MHD_Connection *connection, char *text)
{
    (void)argument;
    (void)connection;
    return strlen(text);
}

/* Without MHD_OPTION_LISTENING_ADDRESS_REUSE, which is SO_REUSEPORT: two sandboxes would share the
 * port's calls. libmicrohttpd's default is SO_REUSEADDR, enough to begin again after a stop. */
static struct MHD_Daemon *start_daemon(Server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)server->sandbox->options.port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, server,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)SERVER_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)SERVER_IDLE_SECONDS, MHD_OPTION_END);
}

Server *server_open(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    Server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        abort();
    }
    server->sandbox = sandbox;
    server->daemon = start_daemon(server);
    if (server->daemon == NULL) {
        text_format(ret_error, error_bytes, "can't listen on 127.0.0.1:%d (%s)",
                    sandbox->options.port, strerror(errno));
        free(server);
        return NULL;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    uv_poll_init(&sandbox->loop, &server->poll, info->epoll_fd);
    uv_timer_init(&sandbox->loop, &server->pump);
    server->poll.data = server;
    server->pump.data = server;
    server->handles = 2;
    uv_poll_start(&server->poll, UV_READABLE, on_readable);
    return server;
}

int server_port(const Server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void on_closed(uv_handle_t *handle)
{
    Server *server = handle->data;
    if (--server->handles == 0) {
        free(server);
    }
}

void server_close(Server *server)
{
    server->is_closing = true;
    Request *request = NULL;
    DL_FOREACH(server->open, request)
    {
        if (request->is_suspended) {
            request->is_suspended = false;
            MHD_resume_connection(request->connection);
        }
    }
    MHD_run(server->daemon);
    uv_poll_stop(&server->poll);
    MHD_stop_daemon(server->daemon);
    assert(server->open == NULL);
    uv_close((uv_handle_t *)&server->poll, on_closed);
    uv_close((uv_handle_t *)&server->pump, on_closed);
}
