/* A branch gets the data of another one or of its own past, and keeps its id, endpoint and
 * passwords: https://neon.com/docs/guides/branch-restore */
#include <assert.h>
#include <string.h>

#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "plans.h"
#include "render.h"
#include "wal.h"

static bool check_time(Exchange *exchange, const char *name, const char *text, int64_t *ret_ms)
{
    const Project *project = exchange->project;
    int64_t time_us = 0;
    if (!text_parse_time_us(text, &time_us)) {
        exchange_fail(exchange, 400, "", "invalid request: %s: a time in RFC 3339 expected", name);
        return false;
    }
    int64_t oldest_ms = exchange->now_ms - project->history_retention_seconds * 1000;
    oldest_ms = oldest_ms > project->life.created_ms ? oldest_ms : project->life.created_ms;
    /* The text has whole seconds. */
    if (time_us / 1000 > exchange->now_ms || time_us / 1000 < oldest_ms - 1000) {
        exchange_fail(exchange, 400, "", "invalid request: %s is outside the project's history",
                      name);
        return false;
    }
    *ret_ms = time_us / 1000;
    return true;
}

bool branches_is_point(const BranchPoint *point)
{
    return point->time_ms != 0 || point->lsn[0] != '\0';
}

bool branches_read_point(Exchange *exchange, const json_t *object, const char *lsn_name,
                         const char *time_name, BranchPoint *ret_point)
{
    const char *lsn = NULL;
    const char *time = NULL;
    uint64_t position = 0;
    if (!exchange_get_string(exchange, object, "", lsn_name, 1, STORE_LSN_BYTES - 1, &lsn) ||
        !exchange_get_string(exchange, object, "", time_name, 1, TEXT_TIME_BYTES - 1, &time) ||
        (time != NULL && !check_time(exchange, time_name, time, &ret_point->time_ms))) {
        return false;
    }
    if (lsn != NULL && time != NULL) {
        exchange_fail(exchange, 400, "", "invalid request: either %s or %s can be given, not both",
                      lsn_name, time_name);
        return false;
    }
    if (lsn != NULL && !wal_parse_lsn(lsn, &position)) {
        exchange_fail(exchange, 400, "", "invalid request: %s is no LSN", lsn_name);
        return false;
    }
    text_build(ret_point->lsn, sizeof(ret_point->lsn), "%s", lsn == NULL ? "" : lsn);
    return true;
}

bool branches_check_point(Exchange *exchange, const Branch *branch, const BranchPoint *point)
{
    char error[COMPUTE_ERROR_BYTES];
    if (exchange->sandbox->compute == NULL || !branches_is_point(point) ||
        compute_check_point(branch, point->lsn, point->time_ms, error, sizeof(error))) {
        return true;
    }
    exchange_fail(exchange, 400, "", "invalid request: %s is outside the branch's history: %s",
                  point->time_ms != 0 ? "the timestamp" : "the LSN", error);
    return false;
}

/* What POST restore asks for; texts stay the body's. */
typedef struct RestoreRequest {
    const char *source_id;
    const char *preserve_name;
    BranchPoint point;
} RestoreRequest;

static bool read_request(Exchange *exchange, RestoreRequest *request)
{
    const json_t *body = exchange->body;
    if (!exchange_get_string(exchange, body, "", "source_branch_id", 1, 60, &request->source_id) ||
        !exchange_get_string(exchange, body, "", "preserve_under_name", 1, 256,
                             &request->preserve_name) ||
        !branches_read_point(exchange, body, "source_lsn", "source_timestamp", &request->point)) {
        return false;
    }
    if (request->source_id == NULL) {
        exchange_fail_required(exchange, "", "source_branch_id");
        return false;
    }
    return true;
}

static bool check_request(Exchange *exchange, const RestoreRequest *request, const Branch *source)
{
    const Branch *branch = exchange->branch;
    const char *refusal = NULL;
    if (source == NULL) {
        exchange_fail(exchange, 404, "", "source branch not found");
        return false;
    }
    if (branch->is_protected) {
        refusal = "cannot reset protected branch";
    } else if (branch->state != BRANCH_READY || source->state != BRANCH_READY) {
        refusal = "branch not ready yet";
    } else if (request->preserve_name == NULL && source == branch) {
        refusal = "preserve_under_name is required to restore a branch from itself";
    } else if (source == branch && !branches_is_point(&request->point)) {
        refusal = "source_timestamp or source_lsn is required to restore a branch from itself";
    } else if (request->preserve_name == NULL && branch->children > 0) {
        refusal = "preserve_under_name is required to restore a branch that has children";
    }
    if (refusal != NULL) {
        exchange_fail(exchange, 422, "", "%s", refusal);
        return false;
    }
    bool is_preserved = request->preserve_name != NULL;
    return branches_check_point(exchange, source, &request->point) &&
           branches_check_name(exchange, request->preserve_name) &&
           (!is_preserved || plans_allow_branch(exchange, false));
}

Branch *branches_find_source(const Exchange *exchange)
{
    const char *id = json_string_value(json_object_get(exchange->body, "source_branch_id"));
    return id == NULL ? NULL : store_find_branch(&exchange->sandbox->store, exchange->project, id);
}

/* The branch as it was, under a new name and id, with its children and without an endpoint. */
static Branch *preserve(Exchange *exchange, const char *name)
{
    Branch *branch = exchange->branch;
    Store *store = &exchange->sandbox->store;
    Branch *preserved = store_add_branch(store, exchange->project, name, exchange->now_ms);
    preserved->state = BRANCH_READY;
    preserved->annotation = json_object();
    preserved->source = branch->source;
    preserved->is_schema_only = branch->is_schema_only;
    preserved->parent_ms = branch->parent_ms;
    text_build(preserved->parent_lsn, sizeof(preserved->parent_lsn), "%s", branch->parent_lsn);
    store_move_branch(preserved, branch->parent);
    branches_inherit(store, branch, preserved, exchange->now_ms);
    for (Branch *child = exchange->project->branches; child != NULL; child = child->next) {
        if (child->parent == branch && store_is_alive(&child->life)) {
            store_move_branch(child, preserved);
        }
    }
    return preserved;
}

/* The source's roles; those that were here keep their passwords. */
static void replace_roles(Store *store, Branch *branch, const Branch *source, int64_t now_ms)
{
    for (Role *role = branch->roles; role != NULL; role = role->next) {
        const Role *theirs =
            store_is_alive(&role->life) ? store_find_role(source, role->name) : NULL;
        if (theirs != NULL) {
            role->is_applied = theirs->is_applied;
            role->is_pending = role->is_ours && strcmp(role->password, theirs->password) != 0;
        } else if (store_is_alive(&role->life)) {
            store_delete_role(store, role, now_ms);
        }
    }
    for (const Role *theirs = source->roles; theirs != NULL; theirs = theirs->next) {
        if (store_is_alive(&theirs->life) && store_find_role(branch, theirs->name) == NULL) {
            branches_inherit_role(store, theirs, branch, now_ms);
        }
    }
}

static void replace_databases(Store *store, Branch *branch, const Branch *source, int64_t now_ms)
{
    for (Database *database = branch->databases; database != NULL; database = database->next) {
        const Database *theirs =
            store_is_alive(&database->life) ? store_find_database(source, database->name) : NULL;
        if (theirs != NULL && strcmp(theirs->owner, database->owner) == 0) {
            database->is_applied = theirs->is_applied;
        } else if (store_is_alive(&database->life)) {
            store_delete_database(store, database, now_ms);
        }
    }
    for (const Database *theirs = source->databases; theirs != NULL; theirs = theirs->next) {
        if (store_is_alive(&theirs->life) && store_find_database(branch, theirs->name) == NULL) {
            store_add_database(store, branch, theirs->name, theirs->owner, now_ms)->is_applied =
                theirs->is_applied;
        }
    }
}

void branches_take_contents(Store *store, Branch *branch, int64_t now_ms)
{
    replace_roles(store, branch, branch->source, now_ms);
    replace_databases(store, branch, branch->source, now_ms);
}

static void replace(Exchange *exchange, Branch *source, Branch *preserved, const BranchPoint *point)
{
    Branch *branch = exchange->branch;
    Sandbox *sandbox = exchange->sandbox;
    Branch *parent = source == branch ? preserved : source;
    if (sandbox->compute != NULL && preserved != NULL) {
        compute_hand_over(sandbox->compute, branch, preserved);
    }
    assert(parent != NULL); /* a restore from itself is preserved */
    /* One that expires can't have children, but it may be where data come from. */
    store_move_branch(branch, parent->expires_ms != 0 ? parent->parent : parent);
    branch->source = parent;
    branch->is_schema_only = false;
    branch->parent_ms = point->time_ms;
    text_build(branch->parent_lsn, sizeof(branch->parent_lsn), "%s", point->lsn);
    branch->state = BRANCH_RESETTING;
    branch->reset_ms = exchange->now_ms;
    branch->state_changed_ms = exchange->now_ms;
    store_update_branch(branch, exchange->now_ms);
    if (branch->expires_ms != 0) {
        branches_set_expiry(sandbox, branch, exchange->now_ms + branch->ttl_seconds * 1000,
                            exchange->now_ms);
    }
}

static const Operation *begin(Exchange *exchange)
{
    Branch *branch = exchange->branch;
    Endpoint *endpoint = branch->endpoint;
    Sandbox *sandbox = exchange->sandbox;
    Operation *first = NULL;
    if (endpoint != NULL) {
        first = chain_add(sandbox, branch, endpoint, ACTION_SUSPEND_COMPUTE, NULL);
    }
    Operation *copy = chain_add(sandbox, branch, NULL, ACTION_CREATE_BRANCH, NULL);
    if (endpoint != NULL) {
        chain_add(sandbox, branch, endpoint, ACTION_START_COMPUTE, NULL);
    }
    chain_start(sandbox, exchange->project);
    return first != NULL ? first : copy;
}

void branches_restore(Exchange *exchange)
{
    RestoreRequest request = {0};
    if (!read_request(exchange, &request)) {
        return;
    }
    Branch *source =
        store_find_branch(&exchange->sandbox->store, exchange->project, request.source_id);
    if (!check_request(exchange, &request, source)) {
        return;
    }
    Branch *preserved =
        request.preserve_name == NULL ? NULL : preserve(exchange, request.preserve_name);
    replace(exchange, source, preserved, &request.point);
    const Operation *first = begin(exchange);
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:o}", "branch", render_branch(exchange->branch), "operations",
                             render_operations_from(first)));
}
