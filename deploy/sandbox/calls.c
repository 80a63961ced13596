#include "calls.h"

#include <stdlib.h>
#include <string.h>

void calls_init(Calls *calls)
{
    calls->ring = calloc(CALLS_KEPT, sizeof(*calls->ring));
    calls->next_sequence = 1;
    if (calls->ring == NULL) {
        abort();
    }
}

void calls_free(Calls *calls)
{
    free(calls->ring);
    calls->ring = NULL;
}

static void count_mutation(Calls *calls, const char *route)
{
    for (int i = 0; i < calls->count_used; i++) {
        if (calls->counts[i].route == route) {
            calls->counts[i].count++;
            return;
        }
    }
    if (calls->count_used < CALLS_ROUTES_MAX) {
        calls->counts[calls->count_used++] = (CallCount){route, 1};
    }
}

json_t *calls_count_mutations(const Calls *calls)
{
    json_t *json = json_object();
    for (int i = 0; i < calls->count_used; i++) {
        json_object_set_new(json, calls->counts[i].route, json_integer(calls->counts[i].count));
    }
    return json;
}

void calls_add(Calls *calls, const Call *call)
{
    Call *kept = &calls->ring[calls->next_sequence % CALLS_KEPT];
    *kept = *call;
    kept->sequence = calls->next_sequence++;
    if (strncmp(call->route, "GET ", 4) != 0) {
        count_mutation(calls, call->route);
    }
}

static json_t *render_call(const Call *call)
{
    json_t *json = json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:i}", "sequence",
                             (json_int_t)call->sequence, "at_ms", (json_int_t)call->at_ms,
                             "took_us", (json_int_t)call->took_us, "route", call->route, "path",
                             call->path, "account", call->account_id, "status", call->status);
    if (call->fault != NULL) {
        json_object_set_new(json, "fault", json_string(call->fault));
    }
    return json;
}

json_t *calls_list(const Calls *calls, int64_t since)
{
    json_t *list = json_array();
    int64_t oldest = calls->next_sequence > CALLS_KEPT ? calls->next_sequence - CALLS_KEPT : 1;
    for (int64_t i = since >= oldest ? since + 1 : oldest; i < calls->next_sequence; i++) {
        json_array_append_new(list, render_call(&calls->ring[i % CALLS_KEPT]));
    }
    return json_pack("{s:o, s:I}", "calls", list, "last", (json_int_t)(calls->next_sequence - 1));
}
