/* Deletion and, as long as Neon keeps what was deleted, recovery. Where there are clusters they are
 * kept for that on demand only (--keep-deleted): tests delete thousands. */
#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "render.h"

static bool has_protected_branch(const Project *project)
{
    for (const Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (branch->is_protected && store_is_alive(&branch->life)) {
            return true;
        }
    }
    return false;
}

/* A project whose first operations still run is gone for good: its branches aren't made yet. */
static bool can_be_kept(const Sandbox *sandbox, const Project *project)
{
    return !store_is_locked(project) &&
           (sandbox->compute == NULL || sandbox->options.keeps_deleted);
}

void projects_delete(Exchange *exchange)
{
    Project *project = exchange->project;
    Store *store = &exchange->sandbox->store;
    if (exchange->key->kind == KEY_PROJECT) {
        exchange_fail(exchange, 404, "", "not allowed to delete the project this key is scoped to");
        return;
    }
    if (has_protected_branch(project)) {
        exchange_fail(exchange, 422, "", "cannot delete project with protected branches");
        return;
    }
    if (can_be_kept(exchange->sandbox, project)) {
        store_hide_project(store, project, exchange->now_ms);
    } else {
        store_delete_project(store, project, exchange->now_ms);
    }
    chain_abandon(exchange->sandbox, project);
    exchange_reply(exchange, 200, json_pack("{s:o}", "project", render_project(project)));
}

bool projects_is_recoverable(const Project *project, int64_t now_ms)
{
    return project->is_recoverable &&
           now_ms < project->life.deleted_ms + RENDER_DAYS_RECOVERABLE * 86400000LL;
}

/* Its computes are idle and wake on the first login, at the ports that their
 * connection strings name. */
static bool open_endpoints(Compute *compute, Project *project)
{
    for (Endpoint *endpoint = project->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        if (!store_is_alive(&endpoint->life)) {
            continue;
        }
        endpoint->state = ENDPOINT_IDLE;
        if (compute != NULL && !compute_reopen_endpoint(compute, endpoint)) {
            return false;
        }
    }
    return true;
}

void projects_recover(Exchange *exchange)
{
    Project *project = exchange->project;
    Sandbox *sandbox = exchange->sandbox;
    if (exchange->key->kind == KEY_PROJECT || !projects_is_recoverable(project, exchange->now_ms)) {
        exchange_fail(exchange, 404, "", "project not found");
        return;
    }
    if (!open_endpoints(sandbox->compute, project)) {
        exchange_fail(exchange, 503, "", "please try again later");
        return;
    }
    store_recover_project(&sandbox->store, project, exchange->now_ms);
    json_t *branches = json_array();
    for (Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (store_is_alive(&branch->life)) {
            branches_watch_expiry(sandbox, branch, exchange->now_ms);
            json_array_append_new(branches, render_branch(branch));
        }
    }
    exchange_reply(
        exchange, 200,
        json_pack("{s:o, s:o}", "project", render_project(project), "branches", branches));
}
