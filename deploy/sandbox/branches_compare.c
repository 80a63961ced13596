/* How a branch's schema differs from another's: https://neon.com/docs/guides/schema-diff */
#include <string.h>

#include "compute.h"
#include "handlers.h"

/* The branch to compare with: the one that is asked for, else the parent, else the branch itself.
 */
static Branch *find_base(const Exchange *exchange)
{
    const char *id = exchange_query(exchange, "base_branch_id");
    Branch *branch = exchange->branch;
    if (id == NULL) {
        return branch->parent != NULL ? branch->parent : branch;
    }
    Branch *base = store_find_branch(&exchange->sandbox->store, exchange->project, id);
    return base != NULL && store_is_found(&base->life, exchange->now_ms) ? base : NULL;
}

static const char *prepared_text(const Exchange *exchange, const char *side, const char *name)
{
    const json_t *object = json_object_get(exchange->prepared, side);
    return json_string_value(json_object_get(object, name));
}

static void compare(void *argument)
{
    Exchange *exchange = argument;
    const ComputeTexts texts = {
        .database = exchange_query(exchange, "db_name"),
        .base = prepared_text(exchange, "base", "sql"),
        .text = prepared_text(exchange, "branch", "sql"),
    };
    Branch *branch =
        store_find_branch(&exchange->sandbox->store, exchange->project, exchange->parameters[1]);
    if (texts.base == NULL || texts.text == NULL || branch == NULL) {
        exchange->prepare_done(exchange->prepare_argument);
        return;
    }
    compute_compare(exchange->sandbox->compute, branch, &texts, exchange->prepared,
                    exchange->prepare_done, exchange->prepare_argument);
}

/* The base may have gone while the branch was read. */
static void dump_base(void *argument)
{
    Exchange *exchange = argument;
    Branch *base = routes_resolve(exchange) ? find_base(exchange) : NULL;
    if (base == NULL) {
        exchange->prepare_done(exchange->prepare_argument);
        return;
    }
    compute_dump(exchange->sandbox->compute, base, exchange_query(exchange, "db_name"),
                 json_object_get(exchange->prepared, "base"), compare, exchange);
}

void branches_prepare_comparison(Exchange *exchange, ComputeFunction done, void *argument)
{
    const char *name = exchange_query(exchange, "db_name");
    const Branch *base = find_base(exchange);
    if (base == NULL || store_find_database(base, name) == NULL ||
        store_find_database(exchange->branch, name) == NULL) {
        done(argument); /* the handler answers */
        return;
    }
    exchange->prepared = json_pack("{s:{}, s:{}}", "branch", "base");
    exchange->prepare_done = done;
    exchange->prepare_argument = argument;
    compute_dump(exchange->sandbox->compute, exchange->branch, name,
                 json_object_get(exchange->prepared, "branch"), dump_base, exchange);
}

static const char *find_error(const Exchange *exchange)
{
    const char *error = prepared_text(exchange, "branch", "error");
    error = error != NULL ? error : prepared_text(exchange, "base", "error");
    return error != NULL ? error : json_string_value(json_object_get(exchange->prepared, "error"));
}

void branches_compare_schema(Exchange *exchange)
{
    static const char *const POINTS[] = {"lsn", "timestamp", "base_lsn", "base_timestamp"};
    const char *name = exchange_query(exchange, "db_name");
    const Branch *base = find_base(exchange);
    for (size_t i = 0; i < sizeof(POINTS) / sizeof(POINTS[0]); i++) {
        if (exchange_query(exchange, POINTS[i]) != NULL && exchange->sandbox->compute != NULL) {
            exchange_fail(exchange, 400, "", "%s is not supported by this sandbox", POINTS[i]);
            return;
        }
    }
    if (base == NULL) {
        exchange_fail(exchange, 404, "", "base branch not found");
        return;
    }
    if (store_find_database(exchange->branch, name) == NULL ||
        store_find_database(base, name) == NULL) {
        exchange_fail(exchange, 404, "", "database not found");
        return;
    }
    const char *error = find_error(exchange);
    if (error != NULL) {
        exchange_fail(exchange, 422, "", "the schemas can't be compared: %s", error);
        return;
    }
    const char *diff = json_string_value(json_object_get(exchange->prepared, "diff"));
    exchange_reply(exchange, 200, json_pack("{s:s}", "diff", diff == NULL ? "" : diff));
}
