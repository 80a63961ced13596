/* Where things hang in the store, and which of them changed. */
#include <string.h>
#include <utlist.h>

#include "store.h"

void store_touch(StoreMark *mark)
{
    Store *store = mark->store;
    if (!store->is_kept || mark->is_touched) {
        return;
    }
    if (mark->row == 0) {
        mark->row = ++store->last_row;
    }
    mark->is_touched = true;
    mark->next_touched = store->touched;
    store->touched = mark;
}

static void begin_mark(Store *store, StoreMark *mark, Kind kind)
{
    mark->store = store;
    mark->kind = kind;
}

static void count(Store *store, Kind kind, const Lifetime *life)
{
    store->created[kind]++;
    store->deleted[kind] += store_is_alive(life) ? 0 : 1;
}

void store_link_project(Store *store, Project *project)
{
    begin_mark(store, &project->mark, KIND_PROJECT);
    count(store, KIND_PROJECT, &project->life);
    DL_APPEND(store->projects, project);
    HASH_ADD_STR(store->projects_by_id, id, project);
}

void store_link_branch(Store *store, Branch *branch)
{
    Project *project = branch->project;
    begin_mark(store, &branch->mark, KIND_BRANCH);
    count(store, KIND_BRANCH, &branch->life);
    DL_APPEND(project->branches, branch);
    HASH_ADD_STR(store->branches_by_id, id, branch);
    order_link_branch(branch);
    if (store_is_alive(&branch->life)) {
        project->branch_count++;
        HASH_ADD(hh_name, project->branches_by_name, name, strlen(branch->name), branch);
    }
}

void store_link_endpoint(Store *store, Endpoint *endpoint)
{
    begin_mark(store, &endpoint->mark, KIND_ENDPOINT);
    count(store, KIND_ENDPOINT, &endpoint->life);
    DL_APPEND(endpoint->project->endpoints, endpoint);
    LL_APPEND2(endpoint->branch->endpoints, endpoint, branch_next);
    HASH_ADD_STR(store->endpoints_by_id, id, endpoint);
    if (store_is_alive(&endpoint->life)) {
        endpoint->branch->endpoint = endpoint;
    }
}

void store_link_role(Store *store, Branch *branch, Role *role)
{
    count(store, KIND_ROLE, &role->life);
    DL_APPEND(branch->roles, role);
}

void store_link_database(Store *store, Branch *branch, Database *database)
{
    count(store, KIND_DATABASE, &database->life);
    DL_APPEND(branch->databases, database);
    if (database->id >= store->next_database_id) {
        store->next_database_id = database->id + 1;
    }
}

void store_link_operation(Store *store, Operation *operation)
{
    begin_mark(store, &operation->mark, KIND_OPERATION);
    store->created[KIND_OPERATION]++;
    DL_APPEND(operation->project->operations, operation);
    order_link_operation(operation);
    HASH_ADD_STR(store->operations_by_id, id, operation);
    if (operation->created_us > store->last_operation_us) {
        store->last_operation_us = operation->created_us;
    }
}
