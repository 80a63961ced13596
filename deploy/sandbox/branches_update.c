#include <string.h>

#include "handlers.h"
#include "plans.h"
#include "render.h"

bool branches_check_name(Exchange *exchange, const char *name)
{
    if (name == NULL || store_find_branch_by_name(exchange->project, name) == NULL) {
        return true;
    }
    exchange_fail(exchange, 409, "BRANCH_ALREADY_EXISTS",
                  "branch with the provided name already exists; name:\"%s\"", name);
    return false;
}

/* What PATCH asks for; what wasn't sent stays as it is. */
typedef struct BranchUpdate {
    const char *name;
    bool is_protected;
    bool sets_expiry;
    int64_t expires_ms;
} BranchUpdate;

static bool read_update(Exchange *exchange, BranchUpdate *update)
{
    json_t *body = NULL;
    if (!exchange_get_subject(exchange, "branch", &body)) {
        return false;
    }
    const json_t *expires_at = json_object_get(body, "expires_at");
    update->sets_expiry = expires_at != NULL;
    if (json_is_null(expires_at)) {
        /* The one null that means something: the branch stays. */
        update->expires_ms = 0;
        json_object_del(body, "expires_at");
    }
    return exchange_get_string(exchange, body, "branch", "name", 1, 256, &update->name) &&
           exchange_get_boolean(exchange, body, "branch", "protected", &update->is_protected) &&
           branches_read_expiry(exchange, body, &update->expires_ms);
}

static bool check_update(Exchange *exchange, const BranchUpdate *update)
{
    const Branch *branch = exchange->branch;
    const char *refusal = NULL;
    if (update->expires_ms != 0) {
        if (update->is_protected) {
            refusal = "a protected branch cannot expire";
        } else if (branch->is_default) {
            refusal = "the default branch cannot expire";
        } else if (branch->children > 0) {
            refusal = "a branch that has children cannot expire";
        }
    }
    if (refusal != NULL) {
        exchange_fail(exchange, 422, "", "%s", refusal);
        return false;
    }
    if (update->is_protected && !branch->is_protected && !plans_allow_protection(exchange)) {
        return false;
    }
    bool is_renamed = update->name != NULL && strcmp(update->name, branch->name) != 0;
    return !is_renamed || branches_check_name(exchange, update->name);
}

static void reply_branch(Exchange *exchange)
{
    exchange_reply(
        exchange, 200,
        json_pack("{s:o, s:[]}", "branch", render_branch(exchange->branch), "operations"));
}

void branches_update(Exchange *exchange)
{
    Branch *branch = exchange->branch;
    BranchUpdate update = {
        .is_protected = branch->is_protected,
        .expires_ms = branch->expires_ms,
    };
    if (!read_update(exchange, &update) || !check_update(exchange, &update)) {
        return;
    }
    if (update.name != NULL) {
        store_rename_branch(branch, update.name, exchange->now_ms);
    }
    branch->is_protected = update.is_protected;
    if (update.sets_expiry) {
        branches_set_expiry(exchange->sandbox, branch, update.expires_ms, exchange->now_ms);
    }
    store_update_branch(branch, exchange->now_ms);
    reply_branch(exchange);
}

void branches_set_as_default(Exchange *exchange)
{
    Branch *branch = exchange->branch;
    if (branch->expires_ms != 0) {
        exchange_fail(exchange, 422, "", "a branch that expires cannot be the default one");
        return;
    }
    exchange->project->default_branch->is_default = false;
    exchange->project->default_branch = branch;
    branch->is_default = true;
    store_update_branch(branch, exchange->now_ms);
    reply_branch(exchange);
}
