#include "drive/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "drive/http_call.h"
#include "drive/http_pool.h"
#include "sys/clock.h"

enum { HTTP_ENTRY_LIMIT = 512 };

struct Http {
    Loop *loop;
    Resolver *resolver;
    HttpOptions options; // its texts are these:
    char *base_url;
    char *ca_file;
    char *user_agent;
    char *host; // as in the URL: an IPv6 address in brackets
    char *port;
    char *name; // as the resolver takes it
    HttpPools *pools;
    List calls;   // under way
    List limited; // of them, those with a send limit
    List ended;   // their callbacks are due
    size_t replies_bytes;
    size_t idle_count; // calls that are to be used again, each in its pool
};

static void call_end(HttpCall *call, CURLcode result)
{
    if (call->added) {
        http_pool_remove(call->pool, call->easy);
        call->added = false;
    }
    if (call->limit_timer != NULL) {
        loop_timer_stop(call->limit_timer);
    }
    list_remove(&call->limited);
    call->result = result;
    list_remove(&call->link);
    list_append(&call->http->ended, &call->link);
}

static HttpCall *take_idle(Http *http)
{
    HttpPool *pool = http_pools_take(http->pools);
    ListLink *link = list_first(http_pool_idle(pool));
    if (link == NULL) {
        return http_call_new(http, pool, &http->options, &http->replies_bytes);
    }
    list_remove(link);
    http->idle_count--;
    return LIST_ENTRY(link, HttpCall, link);
}

static void put_idle(HttpCall *call)
{
    Http *http = call->http;
    http_pool_give(call->pool);
    if (http->idle_count >= http->options.max_connections) {
        http_call_free(call);
        return;
    }
    http_call_end(call);
    list_append(http_pool_idle(call->pool), &call->link);
    http->idle_count++;
}

// A callback may send and cancel: what ended is taken one by one.
static void report_ended(Http *http)
{
    ListLink *link = NULL;
    while ((link = list_first(&http->ended)) != NULL) {
        HttpCall *call = LIST_ENTRY(link, HttpCall, link);
        list_remove(&call->link);
        HttpReply reply = http_call_reply(call);
        call->callback(call->context, &reply);
        put_idle(call);
    }
}

static void end_late(Http *http)
{
    int64_t now_boot_ms = list_is_empty(&http->limited) ? 0 : clock_boot_ms();
    LIST_EACH(&http->limited, link)
    {
        HttpCall *call = LIST_ENTRY(link, HttpCall, limited);
        if (http_call_is_late(call, now_boot_ms)) {
            resolver_cancel(call->query);
            call->query = NULL;
            call->failure = "the send limit passed before the request was written";
            call_end(call, CURLE_ABORTED_BY_CALLBACK);
        }
    }
}

static void on_limit(void *context)
{
    Http *http = context;
    end_late(http);
    report_ended(http);
}

// Nothing may reach curl before what is late was ended.
static void on_turn(void *context)
{
    end_late(context);
}

static void on_ended(void *context, CURL *easy, CURLcode result)
{
    (void)context;
    HttpCall *call = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
    call_end(call, result);
}

static void on_acted(void *context)
{
    report_ended(context);
}

static bool is_loopback(const char *host)
{
    static const char SUFFIX[] = ".localhost";
    size_t length = strlen(host);
    size_t suffix_length = sizeof(SUFFIX) - 1;
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0 ||
           (length > suffix_length && strcasecmp(host + length - suffix_length, SUFFIX) == 0);
}

static bool take_url(Http *http, CURLU *url, Error *err)
{
    char *scheme = NULL;
    if (curl_url_set(url, CURLUPART_URL, http->options.base_url, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &http->host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &http->port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        curl_free(scheme);
        return error_set(err, ERROR_INVALID, "HTTP_SETUP", "not a URL: %s", http->options.base_url);
    }
    bool is_https = strcmp(scheme, "https") == 0;
    bool is_http = strcmp(scheme, "http") == 0;
    curl_free(scheme);
    if (!is_https && !(is_http && is_loopback(http->host))) {
        return error_set(err, ERROR_INVALID, "HTTP_SETUP",
                         "%s: https:// is needed; http:// goes only to loopback",
                         http->options.base_url);
    }
    http->name = alloc_text(http->host[0] == '[' ? http->host + 1 : http->host);
    http->name[strcspn(http->name, "]")] = '\0';
    return true;
}

Http *http_new(Loop *loop, Resolver *resolver, const HttpOptions *options, Error *err)
{
    static const HttpPoolHandler HANDLER = {on_turn, on_ended, on_acted};
    Http *http = alloc_zeroed(1, sizeof(*http));
    http->loop = loop;
    http->resolver = resolver;
    http->options = *options;
    http->options.base_url = http->base_url = alloc_text(options->base_url);
    http->options.ca_file = http->ca_file = alloc_text(options->ca_file);
    http->options.user_agent = http->user_agent = alloc_text(options->user_agent);
    list_init(&http->calls);
    list_init(&http->limited);
    list_init(&http->ended);
    http->pools = http_pools_new(loop, options->max_connections, &HANDLER, http);
    CURLU *url = curl_url();
    bool ok = take_url(http, url, err);
    curl_url_cleanup(url);
    if (!ok) {
        http_free(http);
        return NULL;
    }
    return http;
}

static void free_idle(ListLink *link)
{
    http_call_free(LIST_ENTRY(link, HttpCall, link));
}

void http_free(Http *http)
{
    if (http == NULL) {
        return;
    }
    LIST_EACH(&http->calls, call)
    {
        http_cancel(LIST_ENTRY(call, HttpCall, link));
    }
    LIST_EACH(&http->ended, call)
    {
        http_cancel(LIST_ENTRY(call, HttpCall, link));
    }
    http_pools_each_idle(http->pools, free_idle);
    http_pools_free(http->pools);
    curl_free(http->host);
    curl_free(http->port);
    free(http->name);
    free(http->base_url);
    free(http->ca_file);
    free(http->user_agent);
    free(http);
}

static void connect_to(HttpCall *call, const char *address)
{
    Http *http = call->http;
    if (http->host[0] != '[') {
        Text entry = TEXT_INIT(HTTP_ENTRY_LIMIT);
        text_printf(&entry, strchr(address, ':') != NULL ? "%s:%s:[%s]" : "%s:%s:%s", http->host,
                    http->port, address);
        http_call_set_address(call, text_get(&entry));
        text_clear(&entry);
    }
    call->added = true;
    http_pool_add(call->pool, call->easy);
}

static void on_address(void *context, const char *address, const Error *err)
{
    HttpCall *call = context;
    Http *http = call->http;
    call->query = NULL;
    if (address != NULL && call->failure == NULL) {
        connect_to(call, address);
        return;
    }
    if (call->failure == NULL) {
        memcpy(call->error, err->text, sizeof(call->error));
        call->error[sizeof(call->error) - 1] = '\0';
    }
    call_end(call, CURLE_COULDNT_RESOLVE_HOST);
    report_ended(http);
}

HttpCall *http_send(Http *http, const HttpRequest *request, HttpCallback *callback, void *context)
{
    HttpCall *call = take_idle(http);
    http_call_begin(call, &http->options, request);
    call->callback = callback;
    call->context = context;
    list_append(&http->calls, &call->link);
    if (request->send_limit_boot_ms != 0) {
        int64_t left_ms = request->send_limit_boot_ms - clock_boot_ms();
        list_append(&http->limited, &call->limited);
        call->limit_timer = loop_timer_new(http->loop, on_limit, http);
        loop_timer_start(call->limit_timer, left_ms > 0 ? (uint64_t)left_ms : 0);
    }
    const char *address = resolver_known(http->resolver, http->name);
    if (address != NULL && call->failure == NULL) {
        connect_to(call, address);
    } else {
        call->query = resolver_ask(http->resolver, http->name, on_address, call);
    }
    return call;
}

void http_cancel(HttpCall *call)
{
    resolver_cancel(call->query);
    call->query = NULL;
    if (call->added) {
        http_pool_remove(call->pool, call->easy);
        call->added = false;
    }
    list_remove(&call->link);
    put_idle(call);
}

size_t http_in_flight(const Http *http)
{
    size_t count = 0;
    LIST_EACH(&http->calls, link)
    {
        count++; // short: the worker caps it
    }
    return count;
}
