#include "handlers.h"
#include "render.h"

void operations_list(Exchange *exchange)
{
    int64_t limit = 1000;
    int64_t before_us = INT64_MAX;
    if (!exchange_query_integer(exchange, "limit", 1, 1000, &limit)) {
        return;
    }
    const char *cursor = exchange_query(exchange, "cursor");
    if (cursor != NULL && cursor[0] != '\0' && !text_parse_time_us(cursor, &before_us)) {
        exchange_fail(exchange, 400, "", "invalid request: query parameter \"cursor\"");
        return;
    }
    json_t *list = json_array();
    const Operation *last = NULL;
    const History *history = &exchange->project->history;
    int64_t lag_us = exchange->sandbox->store.lag_ms[KIND_OPERATION] * 1000;
    size_t left = order_count_operations(history, before_us);
    for (; left > 0 && limit > 0; left--) {
        const Operation *operation = history->list[left - 1];
        bool is_listed = operation->created_us + lag_us <= exchange->now_ms * 1000 + 999;
        if (is_listed || lag_us == 0) {
            json_array_append_new(list, render_operation(operation));
            last = operation;
            limit--;
        }
    }
    json_t *reply = json_pack("{s:o}", "operations", list);
    if (last != NULL) {
        char next[TEXT_TIME_BYTES];
        text_time_us(last->created_us, next);
        json_object_set_new(reply, "pagination", json_pack("{s:s}", "cursor", next));
    }
    exchange_reply(exchange, 200, reply);
}

void operations_get(Exchange *exchange)
{
    const Operation *operation =
        store_find_operation(&exchange->sandbox->store, exchange->project, exchange->parameters[1]);
    if (operation == NULL) {
        exchange_fail(exchange, 404, "", "operation not found");
        return;
    }
    exchange_reply(exchange, 200, json_pack("{s:o}", "operation", render_operation(operation)));
}
