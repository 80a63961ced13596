/* A branch that was deleted comes back with what was in it, as long as Neon keeps such ones. Where
 * there are clusters they are kept for that on demand only (--keep-deleted): tests delete
 * thousands. */
#include "compute.h"
#include "handlers.h"
#include "plans.h"
#include "render.h"

enum { RECOVER_DAY_MS = 86400000 };

bool branches_can_be_kept(const Sandbox *sandbox, const Branch *branch)
{
    return branch->state == BRANCH_READY &&
           (sandbox->compute == NULL || sandbox->options.keeps_deleted);
}

static bool check_branch(Exchange *exchange)
{
    const Branch *branch = exchange->branch;
    int64_t until_ms = branch->life.deleted_ms + (int64_t)RENDER_DAYS_RECOVERABLE * RECOVER_DAY_MS;
    if (exchange->now_ms >= until_ms) {
        exchange_fail(exchange, 404, "", "branch not found");
        return false;
    }
    if (branch->parent != NULL && !store_is_alive(&branch->parent->life)) {
        exchange_fail(exchange, 422, "", "cannot recover a branch whose parent was deleted");
        return false;
    }
    return branches_check_name(exchange, branch->name) &&
           plans_allow_branch(exchange, branch->parent == NULL);
}

/* Its computes are idle and wake on the first login, at the ports that their connection strings
 * name. */
static bool open_endpoints(Exchange *exchange, json_t *ret_list)
{
    Compute *compute = exchange->sandbox->compute;
    for (Endpoint *endpoint = exchange->branch->endpoints; endpoint != NULL;
         endpoint = endpoint->branch_next) {
        if (!store_is_alive(&endpoint->life)) {
            continue;
        }
        endpoint->state = ENDPOINT_IDLE;
        if (compute != NULL && !compute_reopen_endpoint(compute, endpoint)) {
            return false;
        }
        store_touch(&endpoint->mark);
        json_array_append_new(ret_list, render_endpoint(endpoint));
    }
    return true;
}

void branches_recover(Exchange *exchange)
{
    Branch *branch = exchange->branch;
    if (!check_branch(exchange)) {
        return;
    }
    json_t *endpoints = json_array();
    store_recover_branch(&exchange->sandbox->store, branch, exchange->now_ms);
    /* One that expired would at once do so again. */
    branches_set_expiry(exchange->sandbox, branch, 0, exchange->now_ms);
    branch->is_expired = false;
    if (!open_endpoints(exchange, endpoints)) {
        json_decref(endpoints);
        exchange_fail(exchange, 503, "", "please try again later");
        return;
    }
    exchange_reply(
        exchange, 200,
        json_pack("{s:o, s:o}", "branch", render_branch(branch), "endpoints", endpoints));
}
