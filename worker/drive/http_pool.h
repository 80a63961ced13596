/*
 * Connections to the server, a few to each curl multi handle, which has its timer and its sockets
 * on the loop. curl 7.88 walks over the connections of a multi handle for each request, to find one
 * that is free (ConnectionExists in lib/url.c) and again after it (close_connect_only in
 * lib/multi.c); with 1,000 of them in one handle that costs about a tenth of a request, with a few
 * nothing. Used by drive/http only.
 */
#ifndef DRIVE_HTTP_POOL_H
#define DRIVE_HTTP_POOL_H

#include <curl/curl.h>
#include <stdint.h>

#include "base/list.h"
#include "drive/loop.h"

typedef struct HttpPools HttpPools;
typedef struct HttpPool HttpPool;

// All are called on the loop.
typedef struct HttpPoolHandler {
    void (*on_turn)(void *context);                               // curl is about to act
    void (*on_ended)(void *context, CURL *easy, CURLcode result); // still in its multi handle
    void (*on_acted)(void *context);                              // after those that ended
} HttpPoolHandler;

// `connections`: of all pools together, at once, 1 or more; more requests wait in curl's queues.
HttpPools *http_pools_new(Loop *loop, uint32_t connections, const HttpPoolHandler *handler,
                          void *context);
// No handle is in a pool any more.
void http_pools_free(HttpPools *pools);
// Where the next request goes: the first pool with a free place, so that few connections are kept
// in use rather than many; when all are full, the one with the fewest requests. Each is given back.
HttpPool *http_pools_take(HttpPools *pools);
void http_pool_give(HttpPool *pool);

// Handles of the caller that were in this pool, to be used in it again: what a handle knows of
// names (CURLOPT_RESOLVE) it tells only the first multi handle that it is in.
List *http_pool_idle(HttpPool *pool);
void http_pools_each_idle(HttpPools *pools, void (*visit)(ListLink *link)); // may remove it
void http_pool_add(HttpPool *pool, CURL *easy);
void http_pool_remove(HttpPool *pool, CURL *easy);
// CURLOPT_CLOSESOCKETFUNCTION; its context is the pool.
int http_pool_close_socket(void *context, curl_socket_t fd);

#endif
