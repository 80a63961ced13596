#include "request.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "compute.h"
#include "handlers.h"
#include "record.h"
#include "routes.h"

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

static void set_request_id(Request *request)
{
    const char *given =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "X-Request-ID");
    char *id = request->exchange.request_id;
    if (given == NULL || given[0] == '\0' || !is_printable(given) ||
        !text_copy(id, EXCHANGE_REQUEST_ID_BYTES, given)) {
        ids_make_uuid(id);
    }
}

Request *request_new(Sandbox *sandbox, struct MHD_Connection *connection, const char *method,
                     const char *path)
{
    Request *request = calloc(1, sizeof(*request));
    char *copy = strdup(path);
    char *raw = strdup(path);
    if (request == NULL || copy == NULL || raw == NULL) {
        abort();
    }
    request->exchange.sandbox = sandbox;
    request->connection = connection;
    request->method = method;
    request->path = copy;
    request->raw_path = raw;
    request->started_us = text_monotonic_us();
    set_request_id(request);
    return request;
}

void request_free(Request *request)
{
    for (int i = 0; i < request->exchange.query_count; i++) {
        free(request->exchange.query[i].name);
        free(request->exchange.query[i].value);
    }
    if (request->body_text != NULL) {
        sodium_memzero(request->body_text, request->body_bytes);
    }
    free(request->body_text);
    json_decref(request->body);
    json_decref(request->exchange.prepared);
    json_decref(request->exchange.reply);
    free(request->path);
    free(request->raw_path);
    free(request);
}

void request_add_body(Request *request, const char *data, size_t bytes)
{
    if (request->body_bytes + bytes > REQUEST_BODY_MAX_BYTES) {
        request->is_body_too_long = true;
        return;
    }
    request->body_text = realloc(request->body_text, request->body_bytes + bytes + 1);
    if (request->body_text == NULL) {
        abort();
    }
    memcpy(request->body_text + request->body_bytes, data, bytes);
    request->body_bytes += bytes;
    request->body_text[request->body_bytes] = '\0';
}

static bool authenticate(Request *request)
{
    Exchange *exchange = &request->exchange;
    exchange->key = keys_find(&exchange->sandbox->keys,
                              MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                          MHD_HTTP_HEADER_AUTHORIZATION));
    if (exchange->key == NULL) {
        exchange_fail(exchange, 401, "", "supplied credentials do not pass authentication");
    }
    return exchange->key != NULL;
}

/* Finds the route and reads what was sent. False: replied. */
static bool read_request(Request *request)
{
    Exchange *exchange = &request->exchange;
    exchange->route = routes_find(request->method, request->path, exchange->parameters);
    bool is_admin = exchange->route != NULL && (exchange->route->flags & ROUTE_ADMIN) != 0;
    if (!is_admin && !authenticate(request)) {
        return false;
    }
    if (exchange->route == NULL) {
        exchange_fail(exchange, 404, "", "this route does not exist");
        return false;
    }
    return request_read(request);
}

static void apply_limit(Request *request)
{
    Exchange *exchange = &request->exchange;
    const Options *options = &exchange->sandbox->options;
    if (!limits_take(&exchange->sandbox->limits, options->rate_limit, exchange->key->account_id,
                     request->started_us)) {
        request->plan = (FaultPlan){
            .has_error = true,
            .error = {.kind = FAULT_RATE_LIMITED, .retry_after = options->rate_retry_after},
            .label = "rate_limit",
        };
    }
}

static void plan_faults(Request *request)
{
    const Route *route = request->exchange.route;
    if ((route->flags & ROUTE_ADMIN) != 0) {
        return;
    }
    FaultTarget target = {
        .route = route->name,
        .takes_lock = (route->flags & ROUTE_LOCKS) != 0,
        .path = request->raw_path,
        .body = request->body_text,
    };
    request->plan =
        faults_plan(&request->exchange.sandbox->faults, &target, request->exchange.now_ms);
    apply_limit(request);
    request->is_dropped = request->plan.request_lost || request->plan.reply_lost;
    if (request->plan.is_partial) {
        request->exchange.partial_listing = &request->plan.partial;
    }
}

static void finish(void *argument)
{
    Request *request = argument;
    request_keep(request);
    request_note(request);
    request->is_ready = true;
    request->ready(request);
}

static void finish_later(Request *request)
{
    int64_t delay_ms = request->exchange.sandbox->options.latency_ms + request->plan.slow_ms;
    if (delay_ms > 0) {
        timers_after(&request->exchange.sandbox->timers, delay_ms, finish, request);
    } else {
        finish(request);
    }
}

static void reply_fault(Request *request)
{
    static const char *const TEXTS[] = {
        "unknown internal server error",
        "project already has running conflicting operations, scheduling of new ones is prohibited",
        "You've exceeded the rate limit. Please wait a moment and try again.",
    };
    const Fault *fault = &request->plan.error;
    int status = fault->status;
    const char *text = TEXTS[0];
    if (fault->kind == FAULT_LOCKED) {
        status = 423;
        text = TEXTS[1];
    } else if (fault->kind == FAULT_RATE_LIMITED) {
        status = 429;
        text = TEXTS[2];
    }
    exchange_fail(&request->exchange, status, fault->code, "%s",
                  fault->message[0] != '\0' ? fault->message : text);
}

static void handle(void *argument)
{
    Request *request = argument;
    Exchange *exchange = &request->exchange;
    exchange->now_ms = text_now_ms();
    faults_apply_lags(&exchange->sandbox->faults, &exchange->sandbox->store, exchange->now_ms);
    /* Resolved again: while roles were read the project may have gone. */
    if (routes_resolve(exchange)) {
        exchange->route->handle(exchange);
        request_touch(exchange);
    }
    if (request->plan.has_error) {
        reply_fault(request);
    }
    finish_later(request);
}

static void sync_branch(void *argument)
{
    Request *request = argument;
    Exchange *exchange = &request->exchange;
    Branch *branch = exchange->branch != NULL ? exchange->branch : branches_find_parent(exchange);
    compute_sync(exchange->sandbox->compute, branch, handle, request);
}

static void run(void *argument)
{
    Request *request = argument;
    Exchange *exchange = &request->exchange;
    exchange->now_ms = text_now_ms();
    if (request->plan.request_lost) {
        finish(request);
        return;
    }
    if (request->plan.has_error && !request->plan.error.commit) {
        reply_fault(request);
        finish_later(request);
        return;
    }
    bool is_synced = (exchange->route->flags & ROUTE_SYNC) != 0;
    if (!is_synced || exchange->sandbox->compute == NULL) {
        handle(request);
    } else if (!routes_resolve(exchange)) {
        finish_later(request);
    } else if ((exchange->route->flags & ROUTE_SCHEMA) != 0) {
        branches_prepare_schema(exchange, handle, request);
    } else {
        compute_sync(exchange->sandbox->compute, branches_find_source(exchange), sync_branch,
                     request);
    }
}

void request_start(Request *request)
{
    Exchange *exchange = &request->exchange;
    request->is_started = true;
    exchange->now_ms = text_now_ms();
    if (!read_request(request)) {
        finish_later(request);
        return;
    }
    plan_faults(request);
    if (request->plan.slow_before_ms > 0) {
        timers_after(&exchange->sandbox->timers, request->plan.slow_before_ms, run, request);
    } else {
        run(request);
    }
}

/* The body, owned by the caller; NULL: none. */
static char *build_text(const Request *request)
{
    static const char HTML[] = "<!DOCTYPE html><html><head><title>console.neon.tech | 524: A "
                               "timeout occurred</title></head><body>Error 524</body></html>\n";
    const FaultPlan *plan = &request->plan;
    if (plan->has_error && plan->error.html) {
        return strdup(HTML);
    }
    if (request->exchange.reply == NULL) {
        return NULL;
    }
    char *text = json_dumps(request->exchange.reply, JSON_COMPACT);
    if (text == NULL) {
        abort();
    }
    return text;
}

static void record(const Request *request, struct MHD_Response *response, const char *text)
{
    FILE *stream = request->exchange.sandbox->record;
    if (stream != NULL) {
        record_add(stream, request, response, text);
    }
}

enum MHD_Result request_send(Request *request)
{
    if (request->is_dropped) {
        record(request, NULL, NULL);
        return MHD_NO;
    }
    const FaultPlan *plan = &request->plan;
    char *text = build_text(request);
    struct MHD_Response *response = MHD_create_response_from_buffer(text == NULL ? 0 : strlen(text),
                                                                    text, MHD_RESPMEM_MUST_FREE);
    bool is_html = plan->has_error && plan->error.html;
    if (text != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                is_html ? "text/html; charset=UTF-8" : "application/json");
    }
    MHD_add_response_header(response, "x-neon-ret-request-id", request->exchange.request_id);
    if (plan->has_error && plan->error.retry_after >= 0) {
        char seconds[16];
        text_build(seconds, sizeof(seconds), "%d", plan->error.retry_after);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    record(request, response, text);
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned int)request->exchange.status, response);
    MHD_destroy_response(response);
    return result;
}
