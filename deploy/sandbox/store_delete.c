/* How things end, and how what was only hidden comes back. */
#include <sodium.h>
#include <string.h>

#include "store.h"

static void end_life(Store *store, Kind kind, Lifetime *life, int64_t now_ms)
{
    store->deleted[kind]++;
    life->deleted_ms = now_ms;
    life->updated_ms = now_ms;
    life->unlisted_ms = now_ms + store->lag_ms[kind];
}

void store_delete_role(Store *store, Role *role, int64_t now_ms)
{
    end_life(store, KIND_ROLE, &role->life, now_ms);
    sodium_memzero(role->password, sizeof(role->password));
}

void store_delete_database(Store *store, Database *database, int64_t now_ms)
{
    end_life(store, KIND_DATABASE, &database->life, now_ms);
}

void store_delete_endpoint(Store *store, Endpoint *endpoint, int64_t now_ms)
{
    end_life(store, KIND_ENDPOINT, &endpoint->life, now_ms);
    endpoint->branch->endpoint = NULL;
    store_touch(&endpoint->mark);
}

/* What a branch is found by goes; what it holds is the caller's business. */
static void end_branch(Store *store, Branch *branch, int64_t now_ms)
{
    Project *project = branch->project;
    for (Endpoint *endpoint = branch->endpoints; endpoint != NULL;
         endpoint = endpoint->branch_next) {
        if (store_is_alive(&endpoint->life)) {
            store_delete_endpoint(store, endpoint, now_ms);
        }
    }
    if (branch->parent != NULL) {
        branch->parent->children--;
    }
    project->branch_count--;
    HASH_DELETE(hh_name, project->branches_by_name, branch);
    order_remove_all(&project->orders, branch);
    end_life(store, KIND_BRANCH, &branch->life, now_ms);
    order_link_branch(branch);
    store_touch(&branch->mark);
}

void store_delete_branch(Store *store, Branch *branch, int64_t now_ms)
{
    for (Role *role = branch->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life)) {
            store_delete_role(store, role, now_ms);
        }
    }
    for (Database *database = branch->databases; database != NULL; database = database->next) {
        if (store_is_alive(&database->life)) {
            store_delete_database(store, database, now_ms);
        }
    }
    end_branch(store, branch, now_ms);
}

static void count_parts(Store *store, const Branch *branch, int64_t sign)
{
    for (const Role *role = branch->roles; role != NULL; role = role->next) {
        store->deleted[KIND_ROLE] += store_is_alive(&role->life) ? sign : 0;
    }
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        store->deleted[KIND_DATABASE] += store_is_alive(&database->life) ? sign : 0;
    }
}

void store_hide_branch(Store *store, Branch *branch, int64_t now_ms)
{
    count_parts(store, branch, 1);
    end_branch(store, branch, now_ms);
    branch->is_recoverable = true;
}

static void recover_endpoints(Store *store, Branch *branch, int64_t now_ms)
{
    for (Endpoint *endpoint = branch->endpoints; endpoint != NULL;
         endpoint = endpoint->branch_next) {
        /* Those that went with the branch, and not before. */
        if (endpoint->life.deleted_ms == branch->life.deleted_ms) {
            store->deleted[KIND_ENDPOINT]--;
            endpoint->life.deleted_ms = 0;
            endpoint->life.updated_ms = now_ms;
            branch->endpoint = endpoint;
        }
    }
}

void store_recover_branch(Store *store, Branch *branch, int64_t now_ms)
{
    Project *project = branch->project;
    recover_endpoints(store, branch, now_ms);
    count_parts(store, branch, -1);
    store->deleted[KIND_BRANCH]--;
    order_remove_all(&project->gone, branch);
    branch->is_recoverable = false;
    branch->life.deleted_ms = 0;
    branch->life.updated_ms = now_ms;
    order_link_branch(branch);
    HASH_ADD(hh_name, project->branches_by_name, name, strlen(branch->name), branch);
    project->branch_count++;
    if (branch->parent != NULL) {
        branch->parent->children++;
    }
    store_touch(&branch->mark);
}

void store_delete_project(Store *store, Project *project, int64_t now_ms)
{
    order_close(&project->orders);
    order_close(&project->gone);
    for (Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (store_is_alive(&branch->life)) {
            store_delete_branch(store, branch, now_ms);
        }
    }
    end_life(store, KIND_PROJECT, &project->life, now_ms);
    store_touch(&project->mark);
}

static void count_contents(Store *store, const Project *project, int64_t sign)
{
    for (const Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (!store_is_alive(&branch->life)) {
            continue;
        }
        store->deleted[KIND_BRANCH] += sign;
        store->deleted[KIND_ENDPOINT] += branch->endpoint != NULL ? sign : 0;
        count_parts(store, branch, sign);
    }
}

void store_hide_project(Store *store, Project *project, int64_t now_ms)
{
    count_contents(store, project, 1);
    end_life(store, KIND_PROJECT, &project->life, now_ms);
    store_touch(&project->mark);
    project->is_recoverable = true;
}

void store_recover_project(Store *store, Project *project, int64_t now_ms)
{
    count_contents(store, project, -1);
    store->deleted[KIND_PROJECT]--;
    project->is_recoverable = false;
    project->life.deleted_ms = 0;
    project->life.updated_ms = now_ms;
    store_touch(&project->mark);
}
