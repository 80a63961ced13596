#include "drive/http_pool.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "drive/http_sockets.h"

// Large enough that most workers have one or a few, each of which takes 35 KiB of curl's tables.
enum { POOL_CONNECTIONS = 32 };

struct HttpPool {
    HttpPools *pools;
    CURLM *multi;
    LoopTimer *timer; // curl's
    HttpSockets *sockets;
    List idle;
    size_t room;  // connections
    size_t calls; // that have it, those whose name is still being resolved included
};

struct HttpPools {
    HttpPoolHandler handler;
    void *context;
    size_t count;
    HttpPool list[];
};

static void act(HttpPool *pool, curl_socket_t fd, int events)
{
    const HttpPools *pools = pool->pools;
    pools->handler.on_turn(pools->context);
    int running = 0;
    curl_multi_socket_action(pool->multi, fd, events, &running);
    CURLMsg *message = NULL;
    int left = 0;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        pools->handler.on_ended(pools->context, message->easy_handle, message->data.result);
    }
    pools->handler.on_acted(pools->context);
}

static void on_timer(void *context)
{
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(void *context, curl_socket_t fd, int events)
{
    act(context, fd, events);
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
    (void)easy;
    (void)assigned;
    http_sockets_want(((HttpPool *)context)->sockets, fd, what);
    return 0;
}

int http_pool_close_socket(void *context, curl_socket_t fd)
{
    return http_sockets_close(((HttpPool *)context)->sockets, fd);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    HttpPool *pool = context;
    if (timeout_ms < 0) {
        loop_timer_stop(pool->timer);
    } else {
        loop_timer_start(pool->timer, (uint64_t)timeout_ms);
    }
    return 0;
}

static void pool_init(HttpPool *pool, HttpPools *pools, Loop *loop, size_t room)
{
    pool->pools = pools;
    pool->room = room;
    list_init(&pool->idle);
    pool->sockets = http_sockets_new(loop, on_socket, pool);
    pool->timer = loop_timer_new(loop, on_timer, pool);
    pool->multi = curl_multi_init();
    if (pool->multi == NULL) {
        abort();
    }
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)room);
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)room);
}

HttpPools *http_pools_new(Loop *loop, uint32_t connections, const HttpPoolHandler *handler,
                          void *context)
{
    size_t count = ((size_t)connections + POOL_CONNECTIONS - 1) / POOL_CONNECTIONS;
    HttpPools *pools = alloc_zeroed(1, sizeof(*pools) + count * sizeof(pools->list[0]));
    pools->handler = *handler;
    pools->context = context;
    pools->count = count;
    size_t left = connections;
    for (size_t i = 0; i < count; i++) {
        size_t room = left < POOL_CONNECTIONS ? left : POOL_CONNECTIONS;
        pool_init(&pools->list[i], pools, loop, room);
        left -= room;
    }
    return pools;
}

void http_pools_free(HttpPools *pools)
{
    for (size_t i = 0; i < pools->count; i++) {
        HttpPool *pool = &pools->list[i];
        curl_multi_cleanup(pool->multi); // closes its connections' sockets
        http_sockets_free(pool->sockets);
        loop_timer_free(pool->timer);
    }
    free(pools);
}

HttpPool *http_pools_take(HttpPools *pools)
{
    HttpPool *least = &pools->list[0];
    for (size_t i = 0; i < pools->count && least->calls >= least->room; i++) {
        HttpPool *pool = &pools->list[i];
        // calls a connection: the last pool may have fewer connections than the others
        bool is_emptier = pool->calls * least->room < least->calls * pool->room;
        least = is_emptier ? pool : least;
    }
    least->calls++;
    return least;
}

void http_pool_give(HttpPool *pool)
{
    pool->calls--;
}

List *http_pool_idle(HttpPool *pool)
{
    return &pool->idle;
}

void http_pools_each_idle(HttpPools *pools, void (*visit)(ListLink *link))
{
    for (size_t i = 0; i < pools->count; i++) {
        LIST_EACH(&pools->list[i].idle, link)
        {
            visit(link);
        }
    }
}

void http_pool_add(HttpPool *pool, CURL *easy)
{
    curl_multi_add_handle(pool->multi, easy);
}

void http_pool_remove(HttpPool *pool, CURL *easy)
{
    curl_multi_remove_handle(pool->multi, easy);
}
