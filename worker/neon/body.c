#include "neon/body.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "neon/reply.h"

// "application/json; charset=utf-8"; also a type that is JSON by its suffix (RFC 6839 §3.1).
static bool is_json_type(const char *content_type)
{
    size_t length = strcspn(content_type, "; \t");
    if (length == strlen("application/json")) {
        return strncasecmp(content_type, "application/json", length) == 0;
    }
    size_t suffix = strlen("+json");
    return length > suffix && strncasecmp(content_type + length - suffix, "+json", suffix) == 0;
}

// What stands in `bytes` from a quote on: index of the quote that ends the text.
static size_t text_end(Bytes bytes, size_t start)
{
    size_t i = start + 1;
    while (i < bytes.size && bytes.data[i] != '"') {
        i += bytes.data[i] == '\\' ? 2 : 1;
    }
    return i;
}

static bool is_too_deep(Bytes bytes)
{
    int depth = 0;
    for (size_t i = 0; i < bytes.size && depth <= NEON_BODY_DEPTH_MAX; i++) {
        switch (bytes.data[i]) {
        case '"':
            i = text_end(bytes, i);
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            depth--;
            break;
        default:
            break;
        }
    }
    return depth > NEON_BODY_DEPTH_MAX;
}

json_t *neon_body_parse(const char *content_type, Bytes body, const char **ret_why)
{
    if (!is_json_type(content_type)) {
        *ret_why = "it is not JSON";
        return NULL;
    }
    if (body.size > NEON_REPLY_BYTES_MAX) {
        *ret_why = "it is too long";
        return NULL;
    }
    if (is_too_deep(body)) {
        *ret_why = "it is nested too deep";
        return NULL;
    }
    json_t *json = json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, NULL);
    *ret_why = json == NULL ? "its JSON can't be read" : "";
    return json;
}
