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

// What jansson would make of the bytes.
typedef struct Shape {
    int depth;
    size_t containers;
    size_t commas;
    size_t members[NEON_BODY_DEPTH_MAX + 1]; // commas of the container at each depth
    bool is_too_much;
} Shape;

static void shape_open(Shape *shape)
{
    shape->depth++;
    shape->containers++;
    shape->is_too_much =
        shape->depth > NEON_BODY_DEPTH_MAX || shape->containers > NEON_BODY_CONTAINERS_MAX;
    if (!shape->is_too_much && shape->depth > 0) {
        shape->members[shape->depth] = 1;
    }
}

static void shape_add(Shape *shape)
{
    size_t *members = &shape->members[shape->depth > 0 ? shape->depth : 0];
    shape->commas++;
    ++*members;
    shape->is_too_much = shape->commas > NEON_BODY_COMMAS_MAX || *members > NEON_BODY_MEMBERS_MAX;
}

static void shape_take(Shape *shape, uint8_t c)
{
    switch (c) {
    case '{':
    case '[':
        shape_open(shape);
        break;
    case '}':
    case ']':
        shape->depth--;
        break;
    case ',':
        shape_add(shape);
        break;
    default:
        break;
    }
}

static bool is_too_deep_or_many(Bytes bytes)
{
    Shape shape = {.depth = 0};
    for (size_t i = 0; i < bytes.size && !shape.is_too_much; i++) {
        if (bytes.data[i] == '"') {
            i = text_end(bytes, i);
        } else {
            shape_take(&shape, bytes.data[i]);
        }
    }
    return shape.is_too_much;
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
    if (is_too_deep_or_many(body)) {
        *ret_why = "it is nested too deep, or has too many values";
        return NULL;
    }
    json_t *json = json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, NULL);
    *ret_why = json == NULL ? "its JSON can't be read" : "";
    return json;
}
