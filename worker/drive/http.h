/*
 * HTTP requests (libcurl multi on the loop): HTTP/1.1, no redirects, TLS verified, replies bounded,
 * connections kept.
 *
 * A request may carry a send limit: when it has not been written whole by then, on CLOCK_BOOTTIME,
 * it is aborted before curl may act on another socket event (after SIGCONT, I/O callbacks run
 * before timers), and the result says that it was not sent. TCP_USER_TIMEOUT bounds what the kernel
 * may still deliver after that.
 */
#ifndef DRIVE_HTTP_H
#define DRIVE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "drive/loop.h"
#include "drive/resolver.h"

typedef struct Http Http;
typedef struct HttpCall HttpCall;

typedef struct HttpOptions {
    const char *base_url; // without a trailing slash; https://, or http:// to loopback
    const char *ca_file;  // "" = the system's
    const char *user_agent;
    uint32_t connect_timeout_ms;
    uint32_t request_timeout_ms; // whole request
    size_t max_reply_bytes;
    size_t max_replies_bytes; // of all replies under way together; 0 = no limit
    uint32_t max_connections; // at once, 1 or more; more requests wait in curl's queues
} HttpOptions;

typedef struct HttpRequest {
    const char *method;
    const char *path;           // with query; starts with '/'
    Bytes body;                 // JSON; copied
    const Secret *bearer;       // copied into memory that is zeroed
    const char *request_id;     // X-Request-ID
    int64_t send_limit_boot_ms; // CLOCK_BOOTTIME; 0 = none
} HttpRequest;

typedef struct HttpReply {
    int status;               // 0 = no reply
    bool written;             // the request was, or may have been, written whole
    const char *content_type; // "" = none; as all texts here valid during the callback only
    const char *request_id;   // x-neon-ret-request-id
    const char *retry_after;
    const char *error; // "" = none; never holds the key
    Bytes body;
    int64_t took_us;
} HttpReply;

typedef void HttpCallback(void *context, const HttpReply *reply);

// Code HTTP_SETUP.
Http *http_new(Loop *loop, Resolver *resolver, const HttpOptions *options, Error *err);
void http_free(Http *http); // calls under way are cancelled without their callback
// The callback is called exactly once, never from within http_send, unless the call is cancelled
// first.
HttpCall *http_send(Http *http, const HttpRequest *request, HttpCallback *callback, void *context);
void http_cancel(HttpCall *call);
size_t http_in_flight(const Http *http);

#endif
