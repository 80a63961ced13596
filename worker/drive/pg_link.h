/*
 * The way to a connection and its end: the name resolved, libpq's connect steps, the poll handle of
 * its socket. Used by drive/pg only.
 */
#ifndef DRIVE_PG_LINK_H
#define DRIVE_PG_LINK_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "drive/loop.h"
#include "drive/pg_guard.h"
#include "drive/pg_params.h"
#include "drive/resolver.h"

typedef struct PgLinkHandler {
    void (*on_connected)(void *context);
    // Not connected; err as PgStateCallback has it. The link is closed.
    void (*on_failed)(void *context, const Error *err);
    void (*on_event)(void *context, int events); // of the connected socket
} PgLinkHandler;

typedef struct PgLink {
    Loop *loop;
    Resolver *resolver;
    const PgLinkHandler *handler;
    void *context;
    PgParams params;
    Error params_err;
    uint32_t connect_timeout_ms;
    ResolverQuery *query;
    PGconn *conn; // NULL = closed
    PgGuard guard;
    bool is_guarded;
    bool public_only; // see PgOptions
    PgAnswers *answers;
    bool reads; // what the connect waits for: to read, not to write
    uv_poll_t *poll;
    LoopTimer *timer; // of the connect
    Error failure;    // is told when the timer fires
    bool connected;
} PgLink;

void pg_link_init(PgLink *link, Loop *loop, Resolver *resolver, const PgOptions *options);
void pg_link_set_handler(PgLink *link, const PgLinkHandler *handler, void *context);
void pg_link_clear(PgLink *link);
// No handler is called from within.
void pg_link_connect(PgLink *link);
// What has come, into libpq. Codes CONNECTION_LOST, SERVER_REFUSED.
bool pg_link_read(PgLink *link, Error *err);
// `discard`: what waits in libpq must not go out any more.
void pg_link_close(PgLink *link, bool discard);
void pg_link_want(const PgLink *link, int events);

#endif
