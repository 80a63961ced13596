#include "drive/resolver.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/table.h"
#include "base/text.h"
#include "sys/clock.h"

// Every branch has a name of its own: above this many, those that are out of date are forgotten.
enum { RESOLVER_KEEP_MS = 60000, RESOLVER_HOSTS = 256, RESOLVER_ADDRESS_BYTES = INET6_ADDRSTRLEN };

static const char LOOPBACK[] = "127.0.0.1";

struct Resolver {
    Loop *loop;
    Table *hosts;    // ResolverHost by name
    List waiting;    // queries whose lookup is under way
    List answered;   // queries whose callback is due
    LoopTimer *soon; // calls them, outside of resolver_ask
};

// Outlives the resolver while a thread of libuv works on it.
typedef struct ResolverHost {
    uv_getaddrinfo_t request;
    Resolver *resolver; // NULL = gone
    bool looking;
    char address[RESOLVER_ADDRESS_BYTES];
    int64_t expires_boot_ms;
} ResolverHost;

struct ResolverQuery {
    ListLink link;
    const ResolverHost *host;             // whose lookup it waits for
    char address[RESOLVER_ADDRESS_BYTES]; // "" = none, says `err`
    Error err;
    ResolverCallback *callback;
    void *context;
};

static bool is_numeric(const char *host)
{
    struct in6_addr address;
    return uv_inet_pton(AF_INET, host, &address) == 0 ||
           uv_inet_pton(AF_INET6, host, &address) == 0;
}

static bool is_local(const char *host)
{
    static const char SUFFIX[] = ".localhost";
    size_t length = strlen(host);
    size_t suffix_length = sizeof(SUFFIX) - 1;
    return strcasecmp(host, "localhost") == 0 ||
           (length > suffix_length && strcasecmp(host + length - suffix_length, SUFFIX) == 0);
}

static void query_answer(Resolver *resolver, ResolverQuery *query, const char *address)
{
    memcpy(query->address, address, strlen(address) + 1);
    list_remove(&query->link);
    list_append(&resolver->answered, &query->link);
}

static void query_fail(Resolver *resolver, ResolverQuery *query, const char *reason)
{
    error_set(&query->err, ERROR_UNAVAILABLE, "NAME_NOT_RESOLVED", "the name was not resolved: %s",
              reason);
    query_answer(resolver, query, "");
}

static void cancel_all(List *queries)
{
    LIST_EACH(queries, link)
    {
        resolver_cancel(LIST_ENTRY(link, ResolverQuery, link));
    }
}

// A callback may ask and cancel, so the queries are taken one by one.
static void report(void *context)
{
    Resolver *resolver = context;
    List reported;
    list_init(&reported);
    ListLink *link = NULL;
    while ((link = list_first(&resolver->answered)) != NULL) {
        const ResolverQuery *query = LIST_ENTRY(link, ResolverQuery, link);
        list_remove(link);
        list_append(&reported, link);
        query->callback(query->context, query->address[0] != '\0' ? query->address : NULL,
                        &query->err);
    }
    cancel_all(&reported);
}

static bool host_take(ResolverHost *host, int status, const struct addrinfo *found)
{
    if (status != 0 || found == NULL ||
        uv_ip_name(found->ai_addr, host->address, sizeof(host->address)) != 0) {
        return false;
    }
    host->expires_boot_ms = clock_boot_ms() + RESOLVER_KEEP_MS;
    return true;
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    ResolverHost *host = request->data;
    Resolver *resolver = host->resolver;
    host->looking = false;
    bool ok = host_take(host, status, found);
    uv_freeaddrinfo(found);
    if (resolver == NULL) {
        free(host);
        return;
    }
    LIST_EACH(&resolver->waiting, link)
    {
        ResolverQuery *query = LIST_ENTRY(link, ResolverQuery, link);
        if (query->host == host && ok) {
            query_answer(resolver, query, host->address);
        } else if (query->host == host) {
            query_fail(resolver, query, status != 0 ? uv_strerror(status) : "no address");
        }
    }
    report(resolver);
}

typedef struct HostSweep {
    Resolver *resolver;
    int64_t now_boot_ms;
} HostSweep;

static void host_forget_old(void *context, const char *name, void *value)
{
    const HostSweep *sweep = context;
    ResolverHost *host = value;
    if (!host->looking && host->expires_boot_ms <= sweep->now_boot_ms) {
        table_remove(sweep->resolver->hosts, name);
        free(host);
    }
}

static ResolverHost *host_of(Resolver *resolver, const char *name)
{
    ResolverHost *host = table_get(resolver->hosts, name);
    if (host != NULL) {
        return host;
    }
    if (table_count(resolver->hosts) >= RESOLVER_HOSTS) {
        HostSweep sweep = {resolver, clock_boot_ms()};
        table_each(resolver->hosts, host_forget_old, &sweep);
    }
    host = alloc_zeroed(1, sizeof(*host));
    host->resolver = resolver;
    host->request.data = host;
    table_put(resolver->hosts, name, host);
    return host;
}

static void query_look_up(Resolver *resolver, ResolverQuery *query, const char *name)
{
    ResolverHost *host = host_of(resolver, name);
    if (host->expires_boot_ms > clock_boot_ms()) {
        query_answer(resolver, query, host->address);
        return;
    }
    query->host = host;
    if (host->looking) {
        return;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    int failed =
        uv_getaddrinfo(loop_uv(resolver->loop), &host->request, on_looked_up, name, NULL, &hints);
    host->looking = failed == 0;
    if (failed != 0) { // no host name at all
        query_fail(resolver, query, uv_strerror(failed));
    }
}

Resolver *resolver_new(Loop *loop)
{
    Resolver *resolver = alloc_zeroed(1, sizeof(*resolver));
    resolver->loop = loop;
    resolver->hosts = table_new();
    list_init(&resolver->waiting);
    list_init(&resolver->answered);
    resolver->soon = loop_timer_new(loop, report, resolver);
    return resolver;
}

static void host_release(void *context, const char *name, void *value)
{
    (void)context;
    (void)name;
    ResolverHost *host = value;
    if (host->looking) {
        host->resolver = NULL;
        uv_cancel((uv_req_t *)&host->request);
    } else {
        free(host);
    }
}

void resolver_free(Resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    cancel_all(&resolver->waiting);
    cancel_all(&resolver->answered);
    table_each(resolver->hosts, host_release, NULL);
    table_free(resolver->hosts);
    loop_timer_free(resolver->soon);
    free(resolver);
}

const char *resolver_known(const Resolver *resolver, const char *host)
{
    if (is_local(host)) {
        return LOOPBACK;
    }
    const ResolverHost *known = table_get(resolver->hosts, host);
    bool is_fresh = known != NULL && known->expires_boot_ms > clock_boot_ms();
    return is_numeric(host) ? host : is_fresh ? known->address : NULL;
}

ResolverQuery *resolver_ask(Resolver *resolver, const char *host, ResolverCallback *callback,
                            void *context)
{
    ResolverQuery *query = alloc_zeroed(1, sizeof(*query));
    query->callback = callback;
    query->context = context;
    list_append(&resolver->waiting, &query->link);
    if (is_numeric(host) && strlen(host) < sizeof(query->address)) {
        query_answer(resolver, query, host);
    } else if (is_local(host)) {
        query_answer(resolver, query, LOOPBACK);
    } else {
        query_look_up(resolver, query, host);
    }
    if (!list_is_empty(&resolver->answered)) {
        loop_timer_start(resolver->soon, 0);
    }
    return query;
}

void resolver_cancel(ResolverQuery *query)
{
    if (query != NULL) {
        list_remove(&query->link);
        free(query);
    }
}
