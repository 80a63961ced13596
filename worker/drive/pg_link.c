#include "drive/pg_link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "drive/pg_address.h"

static void on_event(uv_poll_t *poll, int status, int events);

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static void poll_close(PgLink *link)
{
    if (link->poll != NULL) {
        uv_close((uv_handle_t *)link->poll, on_poll_closed);
        link->poll = NULL;
    }
}

static void fail_soon(PgLink *link, const Error *err)
{
    link->failure = *err;
    loop_timer_start(link->timer, 0);
}

// A new handle each time while connecting: libpq may close the socket and open another one with
// the same number, of which libuv would not hear. False: it fails soon.
static bool poll_open(PgLink *link, int events)
{
    poll_close(link);
    uv_poll_t *poll = alloc_zeroed(1, sizeof(*poll));
    int code = uv_poll_init(loop_uv(link->loop), poll, PQsocket(link->conn));
    if (code != 0) {
        Error err;
        error_set(&err, ERROR_UNAVAILABLE, "CONNECT_FAILED", "the socket can't be watched: %s",
                  uv_strerror(code));
        free(poll);
        fail_soon(link, &err);
        return false;
    }
    link->poll = poll;
    link->poll->data = link;
    uv_poll_start(link->poll, events, on_event);
    return true;
}

void pg_link_want(const PgLink *link, int events)
{
    uv_poll_start(link->poll, events, on_event);
}

static bool consume(PgLink *link, Error *err)
{
    if (PQconsumeInput(link->conn) == 0) {
        const char *message = PQerrorMessage(link->conn);
        return error_set(err, ERROR_UNAVAILABLE, "CONNECTION_LOST", "%.*s",
                         (int)strcspn(message, "\n"), message);
    }
    return true;
}

bool pg_link_read(PgLink *link, Error *err)
{
    int records = link->guard.is_on ? PG_GUARD_TURN_RECORDS : 1;
    for (int i = 0; i < records; i++) {
        PgGuardSight sight = pg_guard_look(&link->guard, link->conn, true, err);
        if (sight != PG_GUARD_PASS) {
            return sight == PG_GUARD_NOTHING;
        }
        do {
            if (!consume(link, err)) {
                return false;
            }
        } while (pg_guard_has_rest(&link->guard, link->conn));
    }
    return true;
}

void pg_link_close(PgLink *link, bool discard)
{
    resolver_cancel(link->query);
    link->query = NULL;
    loop_timer_stop(link->timer);
    poll_close(link);
    if (link->conn != NULL && discard) {
        shutdown(PQsocket(link->conn), SHUT_RDWR); // PQfinish flushes
    }
    PQfinish(link->conn);
    pg_guard_end(&link->guard);
    link->conn = NULL;
    link->connected = false;
}

static void fail(PgLink *link, const Error *err)
{
    Error kept = *err;
    pg_link_close(link, false);
    link->handler->on_failed(link->context, &kept);
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static void connected(PgLink *link)
{
    if (PQsetnonblocking(link->conn, 1) != 0 || PQenterPipelineMode(link->conn) != 1) {
        abort(); // they only refuse connections that are not idle
    }
    loop_timer_stop(link->timer);
    if (!poll_open(link, UV_READABLE)) {
        return;
    }
    link->connected = true;
    link->handler->on_connected(link->context);
}

// False: libpq was not called, for nothing had come or `err` says why.
static bool poll_connect(PgLink *link, PostgresPollingStatusType *ret_wanted, Error *err)
{
    do {
        if (pg_guard_look(&link->guard, link->conn, link->reads, err) != PG_GUARD_PASS) {
            return false;
        }
        *ret_wanted = PQconnectPoll(link->conn);
        link->reads = *ret_wanted == PGRES_POLLING_READING;
    } while (link->reads && pg_guard_has_rest(&link->guard, link->conn));
    return true;
}

static void connect_step(PgLink *link)
{
    Error refusal = ERROR_INIT;
    PostgresPollingStatusType wanted = PGRES_POLLING_FAILED;
    if (!poll_connect(link, &wanted, &refusal)) {
        if (refusal.kind != ERROR_NONE) {
            fail(link, &refusal);
        }
    } else if (wanted == PGRES_POLLING_OK) {
        connected(link);
    } else if (wanted == PGRES_POLLING_READING) {
        (void)poll_open(link, UV_READABLE);
    } else if (wanted == PGRES_POLLING_WRITING) {
        (void)poll_open(link, UV_WRITABLE);
    } else {
        Error err;
        pg_params_explain(link->conn, &err);
        fail(link, &err);
    }
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    PgLink *link = poll->data;
    if (!link->connected) {
        connect_step(link);
    } else {
        // An error of the socket shows when libpq reads from it.
        link->handler->on_event(link->context, status == 0 ? events : UV_READABLE);
    }
}

static void connect_to(PgLink *link, const char *address)
{
    link->conn = pg_params_connect(&link->params, address);
    if (link->conn == NULL) {
        abort();
    }
    pg_guard_begin(&link->guard, link->is_guarded, link->answers);
    link->reads = false;
    PQsetErrorVerbosity(link->conn, PQERRORS_VERBOSE); // see pg_params_explain
    PQsetNoticeReceiver(link->conn, ignore_notice, NULL);
    if (PQstatus(link->conn) == CONNECTION_BAD) {
        Error err;
        pg_params_explain(link->conn, &err);
        fail_soon(link, &err);
    } else {
        (void)poll_open(link, UV_WRITABLE);
    }
}

static void on_address(void *context, const char *address, const Error *err)
{
    PgLink *link = context;
    link->query = NULL;
    if (address == NULL) {
        fail(link, err);
    } else if (link->public_only && pg_address_is_local(address)) {
        Error refusal;
        error_set(&refusal, ERROR_UNAVAILABLE, "ADDRESS_REFUSED",
                  "the host has an address of this machine or its network link: %s", address);
        fail(link, &refusal);
    } else {
        connect_to(link, address);
    }
}

static void on_timer(void *context)
{
    PgLink *link = context;
    if (link->failure.kind == ERROR_NONE) {
        error_set(&link->failure, ERROR_UNAVAILABLE, "CONNECT_TIMEOUT",
                  "no connection within %u ms", link->connect_timeout_ms);
    }
    fail(link, &link->failure);
}

void pg_link_connect(PgLink *link)
{
    link->failure = ERROR_INIT;
    if (link->params_err.kind != ERROR_NONE) {
        fail_soon(link, &link->params_err);
        return;
    }
    loop_timer_start(link->timer, link->connect_timeout_ms);
    const char *name = pg_params_name(&link->params);
    if (name != NULL) {
        link->query = resolver_ask(link->resolver, name, on_address, link);
    } else {
        connect_to(link, NULL);
    }
}

void pg_link_init(PgLink *link, Loop *loop, Resolver *resolver, const PgOptions *options)
{
    *link = (PgLink){.loop = loop, .resolver = resolver};
    link->connect_timeout_ms = options->connect_timeout_ms;
    link->is_guarded = options->uri == NULL;
    link->public_only = options->public_only;
    link->answers = options->answers;
    link->timer = loop_timer_new(loop, on_timer, link);
    pg_params_init(&link->params, options, &link->params_err);
}

void pg_link_set_handler(PgLink *link, const PgLinkHandler *handler, void *context)
{
    link->handler = handler;
    link->context = context;
}

void pg_link_clear(PgLink *link)
{
    loop_timer_free(link->timer);
    pg_params_clear(&link->params);
}
