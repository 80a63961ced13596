#include "faults.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static const char *const KIND_NAMES[] = {
    [FAULT_STATUS] = "status",
    [FAULT_REPLY_LOST] = "reply_lost",
    [FAULT_REQUEST_LOST] = "request_lost",
    [FAULT_SLOW] = "slow",
    [FAULT_SLOW_BEFORE] = "slow_before",
    [FAULT_LOCKED] = "locked",
    [FAULT_RATE_LIMITED] = "rate_limited",
    [FAULT_PARTIAL_LISTING] = "partial_listing",
    [FAULT_LISTING_LAG] = "listing_lag",
    [FAULT_NOT_FOUND_AFTER_CREATE] = "not_found_after_create",
    [FAULT_OPERATION_MS] = "operation_ms",
    [FAULT_OPERATION_FAILS] = "operation_fails",
    [FAULT_ENDPOINT_REFUSES] = "endpoint_refuses",
};

static const char *const OBJECT_NAMES[KIND_COUNT] = {
    [KIND_PROJECT] = "project", [KIND_BRANCH] = "branch",     [KIND_ENDPOINT] = "endpoint",
    [KIND_ROLE] = "role",       [KIND_DATABASE] = "database", [KIND_OPERATION] = "operation",
};

const char *faults_name(FaultKind kind)
{
    return KIND_NAMES[kind];
}

void faults_init(Faults *faults)
{
    *faults = (Faults){.next_id = 1};
}

void faults_free(Faults *faults)
{
    faults_remove(faults, 0);
}

static bool is_operation_or_setting(FaultKind kind)
{
    return kind >= FAULT_LISTING_LAG;
}

static bool is_setting(FaultKind kind)
{
    return kind == FAULT_LISTING_LAG || kind == FAULT_NOT_FOUND_AFTER_CREATE ||
           kind == FAULT_OPERATION_MS;
}

static bool read_kind(const char *name, FaultKind *ret_kind)
{
    for (size_t i = 0; i < sizeof(KIND_NAMES) / sizeof(KIND_NAMES[0]); i++) {
        if (strcmp(name, KIND_NAMES[i]) == 0) {
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
        if (strcmp(object, OBJECT_NAMES[i]) == 0) {
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

json_t *faults_list(const Faults *faults)
{
    json_t *list = json_array();
    const Fault *fault = NULL;
    DL_FOREACH(faults->list, fault)
    {
        json_array_append_new(
            list,
            json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "id", (json_int_t)fault->id,
                      "kind", KIND_NAMES[fault->kind], "route", fault->route, "match", fault->match,
                      "skip", (json_int_t)fault->skip, "count", (json_int_t)fault->count, "used",
                      (json_int_t)fault->used, "ms", (json_int_t)fault->ms));
    }
    return list;
}

bool faults_remove(Faults *faults, int64_t id)
{
    bool found = id == 0;
    Fault *fault = NULL;
    Fault *next = NULL;
    DL_FOREACH_SAFE(faults->list, fault, next)
    {
        if (id == 0 || fault->id == id) {
            DL_DELETE(faults->list, fault);
            free(fault);
            found = true;
        }
    }
    return found;
}

static bool is_active(const Fault *fault, int64_t now_ms)
{
    return fault->count != 0 && (fault->until_ms == 0 || now_ms < fault->until_ms);
}

/* Counts one match; false while the fault still lets matches pass. */
static bool take(Fault *fault)
{
    if (fault->skip > 0) {
        fault->skip--;
        return false;
    }
    if (fault->count > 0) {
        fault->count--;
    }
    fault->used++;
    return true;
}

static bool matches_route(const Fault *fault, const FaultTarget *target)
{
    size_t length = strlen(fault->route);
    if (strcmp(fault->route, "*") == 0) {
        return fault->kind != FAULT_LOCKED || target->takes_lock;
    }
    if (fault->route[length - 1] == '*') {
        return strncmp(fault->route, target->route, length - 1) == 0;
    }
    return strcmp(fault->route, target->route) == 0;
}

static bool matches_target(const Fault *fault, const FaultTarget *target)
{
    if (fault->kind == FAULT_PARTIAL_LISTING) {
        return strcmp(target->route, "GET /projects") == 0;
    }
    if (fault->route[0] == '\0' || !matches_route(fault, target)) {
        return false;
    }
    return fault->match[0] == '\0' || strstr(target->path, fault->match) != NULL ||
           (target->body != NULL && strstr(target->body, fault->match) != NULL);
}

static void add_to_plan(FaultPlan *plan, const Fault *fault)
{
    switch (fault->kind) {
    case FAULT_STATUS:
    case FAULT_LOCKED:
    case FAULT_RATE_LIMITED:
        plan->has_error = true;
        plan->error = *fault;
        break;
    case FAULT_REQUEST_LOST:
        plan->request_lost = true;
        break;
    case FAULT_REPLY_LOST:
        plan->reply_lost = true;
        break;
    case FAULT_SLOW:
        plan->slow_ms += fault->ms;
        break;
    case FAULT_SLOW_BEFORE:
        plan->slow_before_ms += fault->ms;
        break;
    case FAULT_PARTIAL_LISTING:
        plan->is_partial = true;
        plan->partial = *fault;
        break;
    case FAULT_LISTING_LAG:
    case FAULT_NOT_FOUND_AFTER_CREATE:
    case FAULT_OPERATION_MS:
    case FAULT_OPERATION_FAILS:
    case FAULT_ENDPOINT_REFUSES:
        break;
    }
    plan->label = KIND_NAMES[fault->kind];
}

FaultPlan faults_plan(Faults *faults, const FaultTarget *target, int64_t now_ms)
{
    FaultPlan plan = {0};
    Fault *fault = NULL;
    DL_FOREACH(faults->list, fault)
    {
        /* What ends the call uses up only itself: the next one waits for the next call. */
        bool ends_call = fault->kind <= FAULT_REQUEST_LOST || fault->kind == FAULT_LOCKED ||
                         fault->kind == FAULT_RATE_LIMITED;
        bool is_ended = plan.has_error || plan.request_lost || plan.reply_lost;
        if (is_operation_or_setting(fault->kind) || !is_active(fault, now_ms) ||
            (ends_call && is_ended) || !matches_target(fault, target)) {
            continue;
        }
        if (take(fault)) {
            add_to_plan(&plan, fault);
        }
    }
    return plan;
}

const Fault *faults_take_operation(Faults *faults, const char *action, int64_t now_ms)
{
    Fault *fault = NULL;
    DL_FOREACH(faults->list, fault)
    {
        bool is_meant = fault->kind == FAULT_OPERATION_FAILS &&
                        (fault->action[0] == '\0' || strcmp(fault->action, action) == 0);
        if (is_meant && is_active(fault, now_ms) && take(fault)) {
            return fault;
        }
    }
    return NULL;
}

bool faults_take_login(Faults *faults, const char *endpoint_id, int64_t now_ms)
{
    Fault *fault = NULL;
    DL_FOREACH(faults->list, fault)
    {
        bool is_meant = fault->kind == FAULT_ENDPOINT_REFUSES &&
                        (fault->match[0] == '\0' || strstr(endpoint_id, fault->match) != NULL);
        if (is_meant && is_active(fault, now_ms) && take(fault)) {
            return true;
        }
    }
    return false;
}

int64_t faults_operation_ms(const Faults *faults, int64_t usual_ms, int64_t now_ms)
{
    int64_t ms = usual_ms;
    const Fault *fault = NULL;
    DL_FOREACH(faults->list, fault)
    {
        if (fault->kind == FAULT_OPERATION_MS && is_active(fault, now_ms)) {
            ms = fault->ms;
        }
    }
    return ms;
}

void faults_apply_lags(const Faults *faults, Store *store, int64_t now_ms)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        store->lag_ms[kind] = 0;
        store->not_found_ms[kind] = 0;
        const Fault *fault = NULL;
        DL_FOREACH(faults->list, fault)
        {
            bool is_meant =
                fault->object[0] == '\0' || strcmp(fault->object, OBJECT_NAMES[kind]) == 0;
            if (!is_meant || !is_active(fault, now_ms)) {
                continue;
            }
            if (fault->kind == FAULT_LISTING_LAG) {
                store->lag_ms[kind] = fault->ms;
            } else if (fault->kind == FAULT_NOT_FOUND_AFTER_CREATE) {
                store->not_found_ms[kind] = fault->ms;
            }
        }
    }
}
