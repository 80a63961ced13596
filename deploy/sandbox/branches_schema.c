#include <string.h>

#include "compute.h"
#include "handlers.h"

void branches_prepare_schema(Exchange *exchange, ComputeFunction done, void *argument)
{
    const char *name = exchange_query(exchange, "db_name");
    if (exchange->route->handle == branches_compare_schema) {
        branches_prepare_comparison(exchange, done, argument);
        return;
    }
    if (name == NULL || store_find_database(exchange->branch, name) == NULL) {
        done(argument); /* the handler answers */
        return;
    }
    exchange->prepared = json_object();
    compute_dump(exchange->sandbox->compute, exchange->branch, name, exchange->prepared, done,
                 argument);
}

/* A schema of the past would need the data of then. */
static bool check_query(Exchange *exchange)
{
    const char *time = exchange_query(exchange, "timestamp");
    const char *lsn = exchange_query(exchange, "lsn");
    const char *format = exchange_query(exchange, "format");
    int64_t time_us = 0;
    if (time != NULL && !text_parse_time_us(time, &time_us)) {
        exchange_fail(
            exchange, 400, "",
            "invalid request: query parameter \"timestamp\": a time in RFC 3339 expected");
        return false;
    }
    if ((time != NULL || lsn != NULL) && exchange->sandbox->compute != NULL) {
        exchange_fail(exchange, 400, "", "%s is not supported by this sandbox",
                      time != NULL ? "timestamp" : "lsn");
        return false;
    }
    if (format != NULL && strcmp(format, "sql") != 0) {
        exchange_fail(exchange, 400, "", "format is not supported by this sandbox, other than sql");
        return false;
    }
    return true;
}

void branches_get_schema(Exchange *exchange)
{
    const char *name = exchange_query(exchange, "db_name");
    if (name == NULL) {
        exchange_fail(exchange, 400, "",
                      "invalid request: query parameter \"db_name\" is required");
        return;
    }
    if (!check_query(exchange)) {
        return;
    }
    if (store_find_database(exchange->branch, name) == NULL) {
        exchange_fail(exchange, 404, "", "database not found");
        return;
    }
    const char *error = json_string_value(json_object_get(exchange->prepared, "error"));
    if (error != NULL) {
        exchange_fail(exchange, 422, "", "the schema can't be read: %s", error);
        return;
    }
    const char *sql = json_string_value(json_object_get(exchange->prepared, "sql"));
    exchange_reply(exchange, 200, json_pack("{s:s}", "sql", sql == NULL ? "" : sql));
}
