/*
 * Connections to the server, some to a curl multi handle, with its timer and its sockets on the
 * loop. curl 7.88 walks over all connections of a multi handle twice for each request: for one that
 * is free (ConnectionExists), and after it (close_connect_only). With 1,000 of them that is a tenth
 * of what a request costs; with a few at a time it isn't seen. Used by drive/http only.
 */
#ifndef DRIVE_HTTP_POOL_H
#define DRIVE_HTTP_POOL_H

#include <curl/curl.h>
#include <stdint.h>

#include "base/list.h"
#include "drive/loop.h"

typedef struct HttpPools HttpPools;

typedef struct HttpPoolHandler {
    // Around everything in which curl may act on its own.
    void (*on_begin)(void *context);
    void (*on_ended)(void *context, CURL *easy, CURLcode result); // one; still in its multi handle
    void (*on_end)(void *context);
} HttpPoolHandler;

typedef struct HttpPool {
    HttpPools *pools;
    CURLM *multi;
    size_t connections;     // at once; more requests wait in curl's queue
    size_t calls;           // in the multi handle
    List idle;              // its user's handles, to be used again in this pool
    struct HttpPool *after; // of those with as many connections; NULL: none
    struct HttpSockets *sockets;
    LoopTimer *timer; // curl's
} HttpPool;

HttpPools *http_pools_new(Loop *loop, uint32_t connections, const HttpPoolHandler *handler,
                          void *context);
void http_pools_free(HttpPools *pools); // no handle is left in them

#endif
