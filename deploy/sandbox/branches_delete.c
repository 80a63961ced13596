#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "render.h"

static const char *find_refusal(const Branch *branch)
{
    if (branch->is_protected) {
        return "cannot delete protected branch";
    }
    if (branch->is_default || (branch->parent == NULL && !branch->is_schema_only)) {
        return "cannot delete project's root or default branch";
    }
    return branch->children > 0 ? "cannot delete branch that has children" : NULL;
}

Operation *branches_remove(Sandbox *sandbox, Branch *branch, bool for_good, int64_t now_ms)
{
    Endpoint *endpoint = branch->endpoint;
    if (endpoint != NULL && sandbox->compute != NULL) {
        compute_remove_endpoint(sandbox->compute, endpoint);
    }
    if (!for_good && branches_can_be_kept(sandbox, branch)) {
        store_hide_branch(&sandbox->store, branch, now_ms);
    } else {
        store_delete_branch(&sandbox->store, branch, now_ms);
    }
    Operation *first = NULL;
    if (endpoint != NULL) {
        first = chain_add(sandbox, branch, endpoint, ACTION_SUSPEND_COMPUTE, NULL);
    }
    Operation *last = chain_add(sandbox, branch, NULL, ACTION_DELETE_TIMELINE, NULL);
    chain_start(sandbox, branch->project);
    return first != NULL ? first : last;
}

void branches_delete(Exchange *exchange)
{
    Branch *branch = exchange->branch;
    bool is_hard = false;
    if (!exchange_query_boolean(exchange, "hard_delete", &is_hard)) {
        return;
    }
    if (branch == NULL) {
        exchange_reply(exchange, 204, NULL);
        return;
    }
    const char *refusal = find_refusal(branch);
    if (refusal != NULL) {
        exchange_fail(exchange, 422, "", "%s", refusal);
        return;
    }
    const Operation *first = branches_remove(exchange->sandbox, branch, is_hard, exchange->now_ms);
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:o}", "branch", render_branch(branch), "operations",
                             render_operations_from(first)));
}
