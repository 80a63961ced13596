#include "drive/http_call.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "sys/clock.h"

// A kept connection is not used again after this: servers close idle ones after a minute or more,
// and a request that meets the closing is lost without a reply.
static const long IDLE_LIMIT_S = 20;
enum {
    HTTP_URL_LIMIT = 65536,
    HTTP_HEADER_LIMIT = 1024,
    HTTP_REPLY_FIRST = 1024,
    HTTP_BUFFER_BYTES = 2048,
    HTTP_REPLY_HEAD_LIMIT = 65536
};
static const uint32_t END_OF_HEAD = 0x0d0a0d0a;

bool http_call_is_written(const HttpCall *call)
{
    if (call->body.size > 0) {
        return call->written.body_bytes >= call->body.size;
    }
    return call->written.last_four == END_OF_HEAD;
}

bool http_call_is_late(const HttpCall *call, int64_t now_boot_ms)
{
    return call->send_limit_boot_ms != 0 && now_boot_ms >= call->send_limit_boot_ms &&
           !http_call_is_written(call);
}

// curl reports bytes here after the kernel (or TLS) took them.
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *context)
{
    (void)easy;
    HttpCall *call = context;
    if (type == CURLINFO_DATA_OUT) {
        call->written.body_bytes += size;
    } else if (type == CURLINFO_HEADER_OUT) {
        call->written.head_bytes += size;
        for (size_t i = size > 4 ? size - 4 : 0; i < size; i++) {
            call->written.last_four = call->written.last_four << 8 | (uint8_t)data[i];
        }
    }
    return 0;
}

// Runs on a connection that stands, just before the request is written to it.
static int on_before_request(void *context, char *to, char *from, int to_port, int from_port)
{
    (void)to, (void)from, (void)to_port, (void)from_port;
    HttpCall *call = context;
    if (!call->repeatable && http_call_is_written(call)) {
        call->failure = "the connection was closed before any reply";
        return CURL_PREREQFUNC_ABORT;
    }
    call->written = (HttpWritten){0};
    if (http_call_is_late(call, clock_boot_ms())) {
        call->failure = "the send limit passed before the request was written";
        return CURL_PREREQFUNC_ABORT;
    }
    return CURL_PREREQFUNC_OK;
}

static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    (void)purpose;
    const HttpCall *call = context;
    unsigned timeout_ms = call->user_timeout_ms;
    return setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms)) == 0
               ? CURL_SOCKOPT_OK
               : CURL_SOCKOPT_ERROR;
}

static bool grow(HttpCall *call, size_t capacity)
{
    // both of them for a moment
    if (call->max_replies_bytes != 0 && *call->replies_bytes + capacity > call->max_replies_bytes) {
        call->failure = "the replies under way are together larger than the limit";
        return false;
    }
    // Replies hold passwords: never left behind by realloc.
    uint8_t *grown = alloc_bytes(capacity);
    if (call->reply != NULL) {
        memcpy(grown, call->reply, call->reply_bytes);
        secret_zero(call->reply, call->reply_bytes);
        free(call->reply);
    }
    *call->replies_bytes += capacity - call->reply_capacity;
    call->reply = grown;
    call->reply_capacity = capacity;
    return true;
}

// curl keeps all of them, from each interim response (100 Continue) as well.
static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    (void)one;
    HttpCall *call = context;
    if (size > HTTP_REPLY_HEAD_LIMIT - call->head_bytes) {
        call->failure = "the reply's headers are larger than the limit";
        return CURL_WRITEFUNC_ERROR;
    }
    call->head_bytes += size;
    bool is_status_line = size > 5 && memcmp(data, "HTTP/", 5) == 0;
    bool is_empty = data[0] == '\r' || data[0] == '\n';
    call->head_is_whole = is_empty || (call->head_is_whole && !is_status_line); // or a trailer
    return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    (void)one;
    HttpCall *call = context;
    if (size > call->max_reply_bytes - call->reply_bytes) {
        call->failure = "the reply is larger than the limit";
        return CURL_WRITEFUNC_ERROR;
    }
    size_t needed = call->reply_bytes + size;
    if (needed > call->reply_capacity) {
        size_t capacity = call->reply_capacity > 0 ? call->reply_capacity : HTTP_REPLY_FIRST;
        while (capacity < needed) {
            capacity *= 2;
        }
        if (!grow(call, capacity)) {
            return CURL_WRITEFUNC_ERROR;
        }
    }
    memcpy(call->reply + call->reply_bytes, data, size);
    call->reply_bytes = needed;
    return size;
}

// curl keeps the list and its texts as they are, ours, for as long as the request lasts.
static void add_header(HttpCall *call, const char *line)
{
    assert(call->header_count < HTTP_HEADERS_MAX);
    struct curl_slist *header = &call->headers[call->header_count];
    *header = (struct curl_slist){.data = unconst(line)};
    if (call->header_count > 0) {
        call->headers[call->header_count - 1].next = header;
    }
    call->header_count++;
}

static void set_headers(HttpCall *call, const HttpRequest *request)
{
    call->header_count = 0;
    if (request->bearer != NULL && !secret_is_empty(request->bearer)) {
        Bytes key = secret_bytes(request->bearer);
        text_append(&call->bearer, "Authorization: Bearer ");
        text_append_bytes(&call->bearer, key.data, key.size);
        add_header(call, text_get(&call->bearer));
    }
    if (request->request_id != NULL) {
        text_append(&call->request_id, "X-Request-ID: ");
        text_append(&call->request_id, request->request_id);
        add_header(call, text_get(&call->request_id));
    }
    add_header(call, "Accept: application/json");
    add_header(call, "Expect:"); // no wait for 100 Continue
    if (request->body.size > 0) {
        add_header(call, "Content-Type: application/json");
    }
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_method(HttpCall *call, const HttpRequest *request)
{
    CURL *easy = call->easy;
    bool has_body = request->body.size > 0;
    bool is_post = strcmp(request->method, "POST") == 0;
    call->repeatable = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); // whatever the handle did before
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (has_body || is_post) {
        buffer_set(&call->body, request->body);
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, has_body ? (char *)call->body.data : "");
    }
    if (!call->repeatable && !is_post) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static void set_transport(HttpCall *call, const HttpOptions *options)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)HTTP_BUFFER_BYTES); // each call has one
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_LIMIT_S);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (options->ca_file[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    }
    // With a folder curl reads all certificates again for each connection, which takes the loop
    // tens of milliseconds; from a file alone it keeps them (CURLOPT_CA_CACHE_TIMEOUT).
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->request_timeout_ms);
    call->user_timeout_ms = options->request_timeout_ms < HTTP_USER_TIMEOUT_LIMIT_MS
                                ? options->request_timeout_ms
                                : HTTP_USER_TIMEOUT_LIMIT_MS;
}

static void set_callbacks(HttpCall *call)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, http_pool_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, call->pool);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
}

static void set_url(HttpCall *call, const char *base_url, const char *path)
{
    Text url = TEXT_INIT(HTTP_URL_LIMIT);
    text_append(&url, base_url);
    text_append(&url, path);
    if (text_ok(&url)) {
        curl_easy_setopt(call->easy, CURLOPT_URL, text_get(&url));
    } else {
        call->failure = "the request's path is too long";
    }
    text_clear(&url);
}

HttpCall *http_call_new(Http *http, HttpPool *pool, const HttpOptions *options,
                        size_t *replies_bytes)
{
    HttpCall *call = alloc_zeroed(1, sizeof(*call));
    list_link_init(&call->link);
    list_link_init(&call->limited);
    call->http = http;
    call->pool = pool;
    call->bearer = TEXT_INIT(HTTP_HEADER_LIMIT);
    call->request_id = TEXT_INIT(HTTP_HEADER_LIMIT);
    call->easy = curl_easy_init();
    if (call->easy == NULL) {
        abort();
    }
    call->max_reply_bytes = options->max_reply_bytes;
    call->max_replies_bytes = options->max_replies_bytes;
    call->replies_bytes = replies_bytes;
    set_transport(call, options);
    set_callbacks(call);
    return call;
}

void http_call_begin(HttpCall *call, const HttpOptions *options, const HttpRequest *request)
{
    call->started_boot_us = clock_boot_us();
    call->send_limit_boot_ms = request->send_limit_boot_ms;
    call->written = (HttpWritten){0};
    call->head_bytes = 0;
    call->head_is_whole = false;
    call->failure = NULL;
    call->error[0] = '\0';
    call->result = CURLE_OK;
    set_method(call, request);
    // What was written counts for what must not be sent twice; telling it is dear.
    bool tells = !call->repeatable || request->send_limit_boot_ms != 0;
    curl_easy_setopt(call->easy, CURLOPT_VERBOSE, tells ? 1L : 0L);
    set_headers(call, request);
    set_url(call, options->base_url, request->path);
}

void http_call_set_address(HttpCall *call, const char *entry)
{
    if (call->resolve != NULL && strcmp(call->resolve->data, entry) == 0) {
        return;
    }
    curl_slist_free_all(call->resolve);
    call->resolve = curl_slist_append(NULL, entry);
    curl_easy_setopt(call->easy, CURLOPT_RESOLVE, call->resolve);
}

void http_call_end(HttpCall *call)
{
    loop_timer_free(call->limit_timer);
    call->limit_timer = NULL;
    list_remove(&call->limited);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, NULL);
    text_clear(&call->bearer);
    text_clear(&call->request_id);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, NULL);
    buffer_clear(&call->body);
    if (call->reply != NULL) {
        secret_zero(call->reply, call->reply_bytes);
        free(call->reply);
    }
    *call->replies_bytes -= call->reply_capacity;
    call->reply = NULL;
    call->reply_bytes = 0;
    call->reply_capacity = 0;
}

void http_call_free(HttpCall *call)
{
    http_call_end(call);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->resolve);
    free(call);
}

static const char *reply_header(const HttpCall *call, const char *name)
{
    struct curl_header *header = NULL;
    CURLHcode code = curl_easy_header(call->easy, name, 0, CURLH_HEADER, -1, &header);
    return code == CURLHE_OK ? header->value : "";
}

// curl takes a connection that ends between two headers for the end of an empty reply.
static bool is_cut_off(const HttpCall *call)
{
    return call->result == CURLE_OK && !call->head_is_whole;
}

static const char *failure_text(const HttpCall *call)
{
    if (is_cut_off(call)) {
        return "the connection was closed within the reply's headers";
    }
    if (call->failure != NULL) {
        return call->failure;
    }
    return call->error[0] != '\0' ? call->error : curl_easy_strerror(call->result);
}

HttpReply http_call_reply(const HttpCall *call)
{
    HttpReply reply = {
        .written = http_call_is_written(call),
        .content_type = "",
        .request_id = "",
        .retry_after = "",
        .error = "",
        .took_us = clock_boot_us() - call->started_boot_us,
    };
    if (call->result != CURLE_OK || is_cut_off(call)) {
        reply.error = failure_text(call);
        return reply;
    }
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    reply.status = (int)status;
    reply.written = true; // an answer to half a request counts as one to all of it
    reply.content_type = reply_header(call, "Content-Type");
    reply.request_id = reply_header(call, "x-neon-ret-request-id");
    reply.retry_after = reply_header(call, "Retry-After");
    reply.body = (Bytes){call->reply, call->reply_bytes};
    return reply;
}
