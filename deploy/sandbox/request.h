/* One request between libmicrohttpd and its handler. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "exchange.h"

enum { REQUEST_BODY_MAX_BYTES = 1024 * 1024 };

typedef struct Request Request;
typedef void (*RequestReady)(Request *request);

struct Request {
    Exchange exchange;
    struct MHD_Connection *connection;
    void *server;
    RequestReady ready; /* called once, when the reply or the decision to drop stands */
    char *path;         /* cut into segments by routing */
    char *raw_path;     /* as it came */
    const char *method;
    char *body_text;
    size_t body_bytes;
    bool is_body_too_long;
    json_t *body;
    FaultPlan plan;
    bool is_started;
    bool is_ready;
    bool is_suspended;
    bool is_dropped; /* close the connection instead of replying */
    int64_t started_us;
    Request *prev, *next;
};

Request *request_new(Sandbox *sandbox, struct MHD_Connection *connection, const char *method,
                     const char *path);
void request_free(Request *request);
void request_add_body(Request *request, const char *data, size_t bytes);
/* Reads the query and the body into its exchange. False: they were refused, that is replied. */
bool request_read(Request *request);
/* Runs it; `ready` may be called before this returns. */
void request_start(Request *request);
/* Parts of it (request_end.c): notes what the handler changed beside what it touched itself; writes
 * that, before anybody is told; tells the log and GET /sandbox/calls. */
void request_touch(const Exchange *exchange);
void request_keep(Request *request);
void request_note(const Request *request);
/* Sends the reply. */
enum MHD_Result request_send(Request *request);
