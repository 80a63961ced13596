/*
 * One request as a curl handle: how it is set up, what of it was written, how its reply is kept.
 * Used by drive/http only.
 *
 * curl 7.88 sends a request again by itself when a kept connection died before any byte of a reply
 * (Curl_retry_request, also for POST). The pre-request callback refuses that for everything but GET
 * and HEAD once a request was written whole.
 */
#ifndef DRIVE_HTTP_CALL_H
#define DRIVE_HTTP_CALL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/text.h"
#include "drive/http.h"
#include "drive/http_pool.h"

enum { HTTP_USER_TIMEOUT_LIMIT_MS = 15000, HTTP_HEADERS_MAX = 5 };

// What of a request curl handed to the kernel.
typedef struct HttpWritten {
    size_t head_bytes;
    size_t body_bytes;
    uint32_t last_four; // bytes of the head, to see its end
} HttpWritten;

struct HttpCall {
    Http *http;
    HttpPool *pool;   // for good
    ListLink link;    // in the list of those under way, that ended, or that wait to be used again
    ListLink limited; // in the list of those under way that have a send limit
    HttpCallback *callback;
    void *context;
    CURL *easy;
    bool added; // to its pool
    ResolverQuery *query;
    LoopTimer *limit_timer; // NULL = no limit
    struct curl_slist headers[HTTP_HEADERS_MAX];
    size_t header_count;
    Text bearer; // header lines
    Text request_id;
    struct curl_slist *resolve; // stays: the handle has given it to curl's cache of names
    Buffer body;
    bool repeatable; // GET and HEAD
    int64_t send_limit_boot_ms;
    int64_t started_boot_us;
    HttpWritten written;
    uint8_t *reply;
    size_t reply_bytes;
    size_t reply_capacity;
    size_t head_bytes;  // of the reply: status lines, headers, trailers
    bool head_is_whole; // an empty line has ended the last response's head
    size_t max_reply_bytes;
    size_t *replies_bytes; // of all calls
    size_t max_replies_bytes;
    uint32_t user_timeout_ms;
    const char *failure; // ours; NULL = curl's
    char error[CURL_ERROR_SIZE];
    CURLcode result;
};

// Making a handle costs as much as a request: one is used for many requests, one after another.
// `replies_bytes`: of all calls, counted here; outlives them.
HttpCall *http_call_new(Http *http, HttpPool *pool, const HttpOptions *options,
                        size_t *replies_bytes);
void http_call_begin(HttpCall *call, const HttpOptions *options, const HttpRequest *request);
// `entry` as CURLOPT_RESOLVE has it: host:port:address.
void http_call_set_address(HttpCall *call, const char *entry);
// Forgets the request and its reply; the limits are off. It is not in a list and not in a multi
// handle any more; the same for http_call_free.
void http_call_end(HttpCall *call);
void http_call_free(HttpCall *call);
bool http_call_is_written(const HttpCall *call);
bool http_call_is_late(const HttpCall *call, int64_t now_boot_ms);
// Its texts belong to the call.
HttpReply http_call_reply(const HttpCall *call);

#endif
