/* What happens to a call once its handler is through: kept, noted, logged. */
#include <string.h>

#include "log.h"
#include "request.h"
#include "routes.h"
#include "saved.h"

static const char UNROUTED[] = "GET (no such route)";

enum { REQUEST_MADE_BYTES = 128 };

void request_touch(const Exchange *exchange)
{
    const Store *store = &exchange->sandbox->store;
    if (exchange->project == NULL || strcmp(exchange->route->method, "GET") == 0) {
        return;
    }
    store_touch(&exchange->project->mark);
    if (exchange->branch != NULL) {
        store_touch(&exchange->branch->mark);
    }
    for (int i = 0; i < EXCHANGE_PARAMETERS_MAX && exchange->parameters[i] != NULL; i++) {
        Endpoint *endpoint = NULL;
        HASH_FIND_STR(store->endpoints_by_id, exchange->parameters[i], endpoint);
        if (endpoint != NULL) {
            store_touch(&endpoint->mark);
        }
    }
}

void request_keep(Request *request)
{
    Exchange *exchange = &request->exchange;
    if (!saved_flush(exchange->sandbox->saved)) {
        exchange_fail(exchange, 500, "", "the state can't be written");
    }
}

/* ", made branch br-…"; never a secret: of a key its number. */
static void describe_made(const Exchange *exchange, char ret_text[REQUEST_MADE_BYTES])
{
    static const char *const KINDS[] = {"project", "branch", "endpoint", "role", "database"};
    const json_t *reply = exchange->reply;
    ret_text[0] = '\0';
    if (exchange->status != 200 && exchange->status != 201) {
        return;
    }
    if (json_object_get(reply, "key") != NULL) {
        text_format(ret_text, REQUEST_MADE_BYTES, ", made key %lld",
                    (long long)json_integer_value(json_object_get(reply, "id")));
        return;
    }
    for (size_t i = 0; exchange->status == 201 && i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        const json_t *made = json_object_get(reply, KINDS[i]);
        const char *id = json_string_value(json_object_get(made, "id"));
        id = id != NULL ? id : json_string_value(json_object_get(made, "name"));
        if (made != NULL) {
            text_format(ret_text, REQUEST_MADE_BYTES, ", made %s %.80s", KINDS[i],
                        id == NULL ? "" : id);
            return;
        }
    }
}

/* A call that failed, or was dropped, has its id: the one that the client was told. */
static void log_call(const Request *request, const Call *call)
{
    const Key *key = request->exchange.key;
    bool has_failed = call->status == 0 || call->status >= 400;
    char made[REQUEST_MADE_BYTES];
    describe_made(&request->exchange, made);
    log_line("%s %s %d in %lld.%lld ms%s%s%s%s%s%s%s", request->method, call->path, call->status,
             (long long)(call->took_us / 1000), (long long)(call->took_us / 100 % 10),
             key == NULL ? "" : " by ", key == NULL ? "" : key->name, made,
             call->fault == NULL ? "" : ", fault ", call->fault == NULL ? "" : call->fault,
             has_failed ? ", request " : "", has_failed ? request->exchange.request_id : "");
}

void request_note(const Request *request)
{
    const Exchange *exchange = &request->exchange;
    bool is_admin = exchange->route != NULL && (exchange->route->flags & ROUTE_ADMIN) != 0;
    int64_t took_us = text_monotonic_us() - request->started_us;
    Call call = {
        .at_ms = text_now_ms() - took_us / 1000,
        .took_us = took_us,
        .route = exchange->route == NULL ? UNROUTED : exchange->route->name,
        .fault = request->plan.label,
        .status = request->is_dropped ? 0 : exchange->status,
    };
    text_format(call.path, sizeof(call.path), "%.*s", CALLS_PATH_BYTES - 1, request->raw_path);
    if (exchange->key != NULL) {
        text_format(call.account_id, sizeof(call.account_id), "%s", exchange->key->account_id);
    }
    if (!is_admin) {
        calls_add(&exchange->sandbox->calls, &call);
    }
    log_call(request, &call);
}
