#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "faults.h"

enum { FAULT_KINDS = FAULT_COMMIT_FAILS + 1 };

static bool is_setting(FaultKind kind)
{
    return kind == FAULT_LISTING_LAG || kind == FAULT_NOT_FOUND_AFTER_CREATE ||
           kind == FAULT_OPERATION_MS;
}

static bool read_kind(const char *name, FaultKind *ret_kind)
{
    for (int i = 0; i < FAULT_KINDS; i++) {
        if (strcmp(name, faults_name((FaultKind)i)) == 0) {
            *ret_kind = (FaultKind)i;
            return true;
        }
    }
    return false;
}

static bool read_text(const json_t *json, const char *name, char buffer[FAULTS_TEXT_BYTES])
{
    const json_t *value = json_object_get(json, name);
    if (value == NULL) {
        return true;
    }
    return json_is_string(value) && text_copy(buffer, FAULTS_TEXT_BYTES, json_string_value(value));
}

static bool read_number(const json_t *json, const char *name, int64_t least, int64_t *value)
{
    const json_t *found = json_object_get(json, name);
    if (found == NULL) {
        return true;
    }
    *value = json_integer_value(found);
    return json_is_integer(found) && *value >= least && *value <= INT32_MAX;
}

static bool read_boolean(const json_t *json, const char *name, bool *value)
{
    const json_t *found = json_object_get(json, name);
    *value = json_is_true(found);
    return found == NULL || json_is_boolean(found);
}

static const char *read_texts(const json_t *json, Fault *fault)
{
    if (!read_text(json, "route", fault->route) || !read_text(json, "match", fault->match) ||
        !read_text(json, "code", fault->code) || !read_text(json, "message", fault->message) ||
        !read_text(json, "object", fault->object) || !read_text(json, "action", fault->action)) {
        return "route, match, code, message, object and action are strings below 256 bytes";
    }
    if (!read_boolean(json, "html", &fault->html) ||
        !read_boolean(json, "commit", &fault->commit)) {
        return "html and commit are booleans";
    }
    return NULL;
}

static const char *read_numbers(const json_t *json, Fault *fault)
{
    int64_t status = fault->kind == FAULT_STATUS ? 500 : 0;
    int64_t retry_after = -1;
    int64_t for_ms = 0;
    fault->count = is_setting(fault->kind) ? -1 : 1;
    if (json_object_get(json, "for_ms") != NULL) {
        fault->count = -1;
    }
    if (!read_number(json, "count", -1, &fault->count) ||
        !read_number(json, "skip", 0, &fault->skip) || !read_number(json, "ms", 0, &fault->ms) ||
        !read_number(json, "for_ms", 0, &for_ms) ||
        !read_number(json, "retry_ms", 0, &fault->retry_ms) ||
        !read_number(json, "retry_after", -1, &retry_after) ||
        !read_number(json, "status", 100, &status) || status > 599) {
        return "count, skip, ms, for_ms, retry_ms, retry_after and status are numbers in range";
    }
    fault->status = (int)status;
    fault->retry_after = (int)retry_after;
    fault->until_ms = for_ms > 0 ? text_now_ms() + for_ms : 0;
    return NULL;
}

static bool is_known_object(const char *object)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        if (strcmp(object, faults_object_name((Kind)i)) == 0) {
            return true;
        }
    }
    return object[0] == '\0';
}

static const char *find_unknown_member(json_t *json)
{
    static const char *const MEMBERS[] = {
        "kind", "route",   "count", "skip",   "match",  "for_ms", "ms",       "status",
        "code", "message", "html",  "commit", "object", "action", "retry_ms", "retry_after"};
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(json, name, value)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof(MEMBERS) / sizeof(MEMBERS[0]); i++) {
            known = known || strcmp(name, MEMBERS[i]) == 0;
        }
        if (!known) {
            return name;
        }
    }
    return NULL;
}

static bool add_one(Faults *faults, json_t *json, char *ret_error, size_t error_bytes)
{
    Fault fault = {.route = "*"};
    const char *kind = json_string_value(json_object_get(json, "kind"));
    if (kind == NULL || !read_kind(kind, &fault.kind)) {
        text_build(ret_error, error_bytes, "a fault needs a known kind (see --help)");
        return false;
    }
    const char *unknown = find_unknown_member(json);
    if (unknown != NULL) {
        text_format(ret_error, error_bytes, "a fault has no member '%s'", unknown);
        return false;
    }
    const char *error = read_texts(json, &fault);
    error = error != NULL ? error : read_numbers(json, &fault);
    if (error == NULL && !is_known_object(fault.object)) {
        error = "object is project, branch, endpoint, role, database or operation";
    }
    if (error != NULL) {
        text_build(ret_error, error_bytes, "%s", error);
        return false;
    }
    fault.id = faults->next_id++;
    Fault *kept = malloc(sizeof(*kept));
    if (kept == NULL) {
        abort();
    }
    *kept = fault;
    DL_APPEND(faults->list, kept);
    return true;
}

bool faults_add_json(Faults *faults, json_t *json, char *ret_error, size_t error_bytes)
{
    if (!json_is_array(json)) {
        return add_one(faults, json, ret_error, error_bytes);
    }
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(json, i, item)
    {
        if (!add_one(faults, item, ret_error, error_bytes)) {
            return false;
        }
    }
    return true;
}

bool faults_load(Faults *faults, const char *path, char *ret_error, size_t error_bytes)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        text_format(ret_error, error_bytes, "line %d: %s", error.line, error.text);
        return false;
    }
    bool loaded = faults_add_json(faults, json, ret_error, error_bytes);
    json_decref(json);
    return loaded;
}
