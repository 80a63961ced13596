#include "exchange.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXCHANGE_SQL_NAME_MOST = STORE_SQL_NAME_BYTES - 1 };

static const char DECODE[] = "invalid request: decode application/json: ";

void exchange_reply(Exchange *exchange, int status, json_t *reply)
{
    json_decref(exchange->reply);
    exchange->status = status;
    exchange->reply = reply;
}

void exchange_fail(Exchange *exchange, int status, const char *code, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    /* A cut in the middle of a character must not make the reply invalid. */
    json_t *text = json_string(message);
    if (text == NULL) {
        text = json_string("invalid request");
    }
    exchange_reply(exchange, status,
                   json_pack("{s:s, s:s, s:o}", "request_id", exchange->request_id, "code", code,
                             "message", text));
}

const char *exchange_query(const Exchange *exchange, const char *name)
{
    for (int i = 0; i < exchange->query_count; i++) {
        if (strcmp(exchange->query[i].name, name) == 0) {
            return exchange->query[i].value;
        }
    }
    return NULL;
}

bool exchange_query_integer(Exchange *exchange, const char *name, int64_t least, int64_t most,
                            int64_t *ret)
{
    const char *text = exchange_query(exchange, name);
    if (text == NULL) {
        return true;
    }
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most) {
        exchange_fail(exchange, 400, "",
                      "invalid request: query parameter \"%s\": an integer from %lld to %lld is "
                      "expected",
                      name, (long long)least, (long long)most);
        return false;
    }
    *ret = value;
    return true;
}

bool exchange_query_boolean(Exchange *exchange, const char *name, bool *ret)
{
    static const char *const TRUTHS[] = {"true", "True", "1", "t", NULL};
    static const char *const FALSEHOODS[] = {"false", "False", "0", "f", NULL};
    const char *text = exchange_query(exchange, name);
    if (text == NULL) {
        return true;
    }
    for (int i = 0; TRUTHS[i] != NULL; i++) {
        if (strcmp(text, TRUTHS[i]) == 0 || strcmp(text, FALSEHOODS[i]) == 0) {
            *ret = strcmp(text, TRUTHS[i]) == 0;
            return true;
        }
    }
    exchange_fail(exchange, 400, "",
                  "invalid request: query parameter \"%s\": true or false is expected", name);
    return false;
}

bool exchange_query_choice(Exchange *exchange, const char *name, const char *const *choices,
                           int *ret)
{
    const char *text = exchange_query(exchange, name);
    if (text == NULL) {
        return true;
    }
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *ret = i;
            return true;
        }
    }
    exchange_fail(exchange, 400, "", "invalid request: query parameter \"%s\": unknown value",
                  name);
    return false;
}

static void fail_type(Exchange *exchange, const char *path, const char *name, const char *wanted)
{
    exchange_fail(exchange, 400, "", "%s%s%s%s: %s expected", DECODE, path,
                  path[0] == '\0' ? "" : ".", name, wanted);
}

void exchange_fail_required(Exchange *exchange, const char *path, const char *name)
{
    exchange_fail(exchange, 400, "", "%sinvalid: %s%s%s (field required)", DECODE, path,
                  path[0] == '\0' ? "" : ".", name);
}

bool exchange_get_object(Exchange *exchange, const json_t *object, const char *path,
                         const char *name, json_t **ret)
{
    json_t *value = json_object_get(object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_object(value)) {
        fail_type(exchange, path, name, "object");
        return false;
    }
    *ret = value;
    return true;
}

bool exchange_get_array(Exchange *exchange, const json_t *object, const char *path,
                        const char *name, json_t **ret)
{
    json_t *value = json_object_get(object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_array(value)) {
        fail_type(exchange, path, name, "array");
        return false;
    }
    *ret = value;
    return true;
}

bool exchange_get_string(Exchange *exchange, const json_t *object, const char *path,
                         const char *name, size_t least, size_t most, const char **ret)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_string(value)) {
        fail_type(exchange, path, name, "string");
        return false;
    }
    size_t length = text_length(json_string_value(value));
    bool is_cut = strlen(json_string_value(value)) != json_string_length(value);
    if (length < least || length > most || is_cut) {
        exchange_fail(exchange, 400, "", "%sinvalid: %s%s%s (len %zu, %zu to %zu expected)", DECODE,
                      path, path[0] == '\0' ? "" : ".", name, length, least, most);
        return false;
    }
    *ret = json_string_value(value);
    return true;
}

bool exchange_get_sql_name(Exchange *exchange, const json_t *object, const char *path,
                           const char *name, const char **ret)
{
    const char *found = NULL;
    if (!exchange_get_string(exchange, object, path, name, 1, EXCHANGE_SQL_NAME_MOST, &found)) {
        return false;
    }
    if (found != NULL && strlen(found) > EXCHANGE_SQL_NAME_MOST) {
        exchange_fail(exchange, 400, "", "%sinvalid: %s%s%s (%zu bytes, 1 to %d expected)", DECODE,
                      path, path[0] == '\0' ? "" : ".", name, strlen(found),
                      EXCHANGE_SQL_NAME_MOST);
        return false;
    }
    *ret = found == NULL ? *ret : found;
    return true;
}

bool exchange_get_integer(Exchange *exchange, const json_t *object, const char *path,
                          const char *name, int64_t least, int64_t most, int64_t *ret)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_integer(value)) {
        fail_type(exchange, path, name, "integer");
        return false;
    }
    int64_t number = json_integer_value(value);
    if (number < least || number > most) {
        exchange_fail(exchange, 400, "", "%sinvalid: %s%s%s (%lld to %lld expected)", DECODE, path,
                      path[0] == '\0' ? "" : ".", name, (long long)least, (long long)most);
        return false;
    }
    *ret = number;
    return true;
}

bool exchange_get_number(Exchange *exchange, const json_t *object, const char *path,
                         const char *name, double least, double *ret)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_number(value)) {
        fail_type(exchange, path, name, "number");
        return false;
    }
    if (json_number_value(value) < least) {
        exchange_fail(exchange, 400, "", "%sinvalid: %s%s%s (at least %g expected)", DECODE, path,
                      path[0] == '\0' ? "" : ".", name, least);
        return false;
    }
    *ret = json_number_value(value);
    return true;
}

bool exchange_get_boolean(Exchange *exchange, const json_t *object, const char *path,
                          const char *name, bool *ret)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_boolean(value)) {
        fail_type(exchange, path, name, "boolean");
        return false;
    }
    *ret = json_is_true(value);
    return true;
}

bool exchange_get_texts(Exchange *exchange, const json_t *object, const char *path,
                        const char *name, size_t most, json_t **ret)
{
    json_t *found = NULL;
    if (!exchange_get_object(exchange, object, path, name, &found)) {
        return false;
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(found, key, value)
    {
        if (!json_is_string(value)) {
            exchange_fail(exchange, 400, "", "invalid request: %s: string values expected", name);
            return false;
        }
    }
    if (json_object_size(found) > most) {
        exchange_fail(exchange, 400, "", "invalid request: %s: %zu at most", name, most);
        return false;
    }
    *ret = found == NULL ? *ret : found;
    return true;
}

bool exchange_get_subject(Exchange *exchange, const char *name, json_t **ret)
{
    json_t *found = NULL;
    if (!exchange_get_object(exchange, exchange->body, "", name, &found)) {
        return false;
    }
    if (found == NULL) {
        exchange_fail_required(exchange, "", name);
        return false;
    }
    *ret = found;
    return true;
}
