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
    [FAULT_COMMIT_FAILS] = "commit_fails",
};

static const char *const OBJECT_NAMES[KIND_COUNT] = {
    [KIND_PROJECT] = "project", [KIND_BRANCH] = "branch",     [KIND_ENDPOINT] = "endpoint",
    [KIND_ROLE] = "role",       [KIND_DATABASE] = "database", [KIND_OPERATION] = "operation",
};

const char *faults_name(FaultKind kind)
{
    return KIND_NAMES[kind];
}

const char *faults_object_name(Kind kind)
{
    return OBJECT_NAMES[kind];
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
    case FAULT_COMMIT_FAILS:
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

const Fault *faults_take_commits(Faults *faults)
{
    Fault *fault = NULL;
    DL_FOREACH(faults->list, fault)
    {
        if (fault->kind == FAULT_COMMIT_FAILS && fault->used == 0) {
            fault->used = fault->count;
            return fault;
        }
    }
    return NULL;
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
