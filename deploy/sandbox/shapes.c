#include "shapes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "routes.h"

enum { SHAPES_PATH_BYTES = 256, SHAPES_ID_MOST = 60, SHAPES_UUID_CHARACTERS = 36 };

static bool is_id(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length >= 1 && length <= SHAPES_ID_MOST && text[length] == '\0';
}

static bool is_uuid(const char *text)
{
    static const char HEX[] = "0123456789abcdefABCDEF";
    if (strlen(text) != SHAPES_UUID_CHARACTERS) {
        return false;
    }
    for (int i = 0; i < SHAPES_UUID_CHARACTERS; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : strchr(HEX, text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_choice(const char *text, const char *const *choices)
{
    for (int i = 0; choices != NULL && choices[i] != NULL; i++) {
        if (strcmp(choices[i], text) == 0) {
            return true;
        }
    }
    return choices == NULL;
}

static double most_of(const ShapeMember *member)
{
    return member->most == 0 ? INFINITY : member->most;
}

/* NULL, or what is wrong with a text of that shape. */
static const char *judge_text(const ShapeMember *member, const char *text)
{
    int64_t time_us = 0;
    if (member->may_be_empty && text[0] == '\0') {
        return NULL;
    }
    if (member->type == SHAPE_ID) {
        return is_id(text) ? NULL : "string (no regex match: ^[a-z0-9-]{1,60}$)";
    }
    if (member->type == SHAPE_UUID) {
        return is_uuid(text) ? NULL : "a UUID expected";
    }
    if (member->type == SHAPE_TIME) {
        return text_parse_time_us(text, &time_us) ? NULL : "a time in RFC 3339 expected";
    }
    double length = (double)text_length(text);
    if (length < member->least || length > most_of(member)) {
        return "string (length)";
    }
    return is_choice(text, member->choices) ? NULL : "unknown value";
}

static const char *judge_texts(const ShapeMember *member, json_t *value)
{
    const char *name = NULL;
    json_t *text = NULL;
    if (!json_is_object(value)) {
        return "object expected";
    }
    json_object_foreach(value, name, text)
    {
        if (!json_is_string(text)) {
            return "string values expected";
        }
    }
    return (double)json_object_size(value) > most_of(member) ? "too many members" : NULL;
}

static const char *judge_number(const ShapeMember *member, double number)
{
    return number < member->least || number > most_of(member) ? "number out of range" : NULL;
}

/* A value that has no members or items of its own. */
static const char *judge_plain(const ShapeMember *member, json_t *value)
{
    switch (member->type) {
    case SHAPE_TEXTS:
        return judge_texts(member, value);
    case SHAPE_STRING:
    case SHAPE_ID:
    case SHAPE_UUID:
    case SHAPE_TIME:
        return json_is_string(value) ? judge_text(member, json_string_value(value))
                                     : "string expected";
    case SHAPE_INTEGER:
        return json_is_integer(value) ? judge_number(member, (double)json_integer_value(value))
                                      : "integer expected";
    case SHAPE_NUMBER:
        return json_is_number(value) ? judge_number(member, json_number_value(value))
                                     : "number expected";
    case SHAPE_BOOLEAN:
        return json_is_boolean(value) ? NULL : "boolean expected";
    case SHAPE_OBJECT:
        return json_is_object(value) ? NULL : "object expected";
    case SHAPE_LIST:
        return json_is_array(value) ? NULL : "array expected";
    }
    return NULL;
}

static bool check_members(Exchange *exchange, const char *path, const ShapeMember *members,
                          const json_t *object);

static bool check_items(Exchange *exchange, const char *path, const ShapeMember *item,
                        const json_t *list)
{
    size_t i = 0;
    json_t *value = NULL;
    json_array_foreach(list, i, value)
    {
        const char *fault = judge_plain(item, value);
        if (fault != NULL) {
            exchange_fail(exchange, 400, "",
                          "invalid request: decode application/json: invalid: %s[%zu] (%s)", path,
                          i, fault);
            return false;
        }
        if (item->type == SHAPE_OBJECT && !check_members(exchange, path, item->members, value)) {
            return false;
        }
    }
    return true;
}

static bool check_value(Exchange *exchange, const char *path, const ShapeMember *member,
                        json_t *value)
{
    if (member->may_be_null && json_is_null(value)) {
        return true;
    }
    const char *fault = judge_plain(member, value);
    if (fault != NULL) {
        exchange_fail(exchange, 400, "",
                      "invalid request: decode application/json: invalid: %s (%s)", path, fault);
        return false;
    }
    if (member->type == SHAPE_OBJECT) {
        return check_members(exchange, path, member->members, value);
    }
    return member->type != SHAPE_LIST || check_items(exchange, path, member->members, value);
}

static bool check_members(Exchange *exchange, const char *path, const ShapeMember *members,
                          const json_t *object)
{
    for (const ShapeMember *member = members; member->name != NULL; member++) {
        char member_path[SHAPES_PATH_BYTES];
        json_t *value = json_object_get(object, member->name);
        if (value == NULL && member->is_required) {
            exchange_fail_required(exchange, path, member->name);
            return false;
        }
        text_build(member_path, sizeof(member_path), "%s%s%s", path, path[0] == '\0' ? "" : ".",
                   member->name);
        if (value != NULL && !check_value(exchange, member_path, member, value)) {
            return false;
        }
    }
    return true;
}

static const char *judge_integer_text(const ShapeMember *member, const char *text)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool is_integer = errno == 0 && end != text && *end == '\0' && strchr(" \t", text[0]) == NULL;
    return is_integer ? judge_number(member, (double)number) : "integer expected";
}

static bool is_truth(const char *text)
{
    static const char *const WORDS[] = {"true", "false", "True", "False", "1", "0", "t", "f", NULL};
    return is_choice(text, WORDS);
}

static const char *judge_argument(const ShapeMember *member, const char *text)
{
    if (member->type == SHAPE_INTEGER) {
        return judge_integer_text(member, text);
    }
    if (member->type == SHAPE_BOOLEAN) {
        return is_truth(text) ? NULL : "boolean expected";
    }
    return judge_text(member, text);
}

static bool fail_parameter(Exchange *exchange, const char *place, const char *name,
                           const char *fault)
{
    exchange_fail(exchange, 400, "", "invalid request: decode params: %s: \"%s\": %s", place, name,
                  fault);
    return false;
}

static bool check_query(Exchange *exchange, const ShapeMember *arguments)
{
    for (const ShapeMember *member = arguments; member != NULL && member->name != NULL; member++) {
        const char *text = exchange_query(exchange, member->name);
        if (text == NULL && member->is_required) {
            return fail_parameter(exchange, "query", member->name, "field required");
        }
        const char *fault = text == NULL ? NULL : judge_argument(member, text);
        if (fault != NULL) {
            return fail_parameter(exchange, "query", member->name, fault);
        }
    }
    return true;
}

/* Names of roles and databases are free; everything else in a path has a form. */
static const ShapeMember PARAMETERS[] = {
    {"project_id", .type = SHAPE_ID},
    {"branch_id", .type = SHAPE_ID},
    {"endpoint_id", .type = SHAPE_ID},
    {"org_id", .type = SHAPE_ID},
    {"member_id", .type = SHAPE_UUID},
    {"operation_id", .type = SHAPE_UUID},
    {"key_id", .type = SHAPE_INTEGER, .least = -INFINITY},
    {NULL},
};

static bool check_path(Exchange *exchange)
{
    const char *place = strchr(exchange->route->pattern, '{');
    for (int i = 0; place != NULL; i++) {
        size_t length = strcspn(place + 1, "}");
        for (const ShapeMember *member = PARAMETERS; member->name != NULL; member++) {
            bool is_it =
                strlen(member->name) == length && strncmp(member->name, place + 1, length) == 0;
            const char *fault = is_it ? judge_argument(member, exchange->parameters[i]) : NULL;
            if (fault != NULL) {
                return fail_parameter(exchange, "path", member->name, fault);
            }
        }
        place = strchr(place + 1, '{');
    }
    return true;
}

bool shapes_has_body(const char *route)
{
    const Shape *shape = shapes_find(route);
    return shape != NULL && shape->body != NULL;
}

bool shapes_check(Exchange *exchange)
{
    const Shape *shape = shapes_find(exchange->route->name);
    if (!check_path(exchange)) {
        return false;
    }
    if (shape == NULL) {
        return true;
    }
    return check_query(exchange, shape->query) &&
           (shape->body == NULL || check_members(exchange, "", shape->body, exchange->body));
}
