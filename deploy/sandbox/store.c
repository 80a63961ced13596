#include "store.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void store_init(Store *store)
{
    *store = (Store){.next_database_id = 39724308};
}

static Lifetime begin_life(Store *store, Kind kind, int64_t now_ms)
{
    return (Lifetime){
        .created_ms = now_ms,
        .updated_ms = now_ms,
        .found_ms = now_ms + store->not_found_ms[kind],
        .listed_ms = now_ms + store->lag_ms[kind],
    };
}

Project *store_add_project(Store *store, int64_t now_ms)
{
    Project *project = allocate(sizeof(*project));
    Project *other = NULL;
    do {
        ids_make_project(project->id);
        HASH_FIND_STR(store->projects_by_id, project->id, other);
    } while (other != NULL);
    project->life = begin_life(store, KIND_PROJECT, now_ms);
    store_link_project(store, project);
    store_touch(&project->mark);
    return project;
}

Branch *store_add_branch(Store *store, Project *project, const char *name, int64_t now_ms)
{
    Branch *branch = allocate(sizeof(*branch));
    Branch *other = NULL;
    do {
        ids_make_resource("br", branch->id);
        HASH_FIND_STR(store->branches_by_id, branch->id, other);
    } while (other != NULL);
    text_build(branch->name, sizeof(branch->name), "%s", name == NULL ? branch->id : name);
    branch->project = project;
    branch->state_changed_ms = now_ms;
    branch->life = begin_life(store, KIND_BRANCH, now_ms);
    store_link_branch(store, branch);
    store_touch(&branch->mark);
    return branch;
}

void store_move_branch(Branch *branch, Branch *parent)
{
    if (branch->parent != NULL) {
        branch->parent->children--;
    }
    branch->parent = parent;
    store_touch(&branch->mark);
    if (parent != NULL) {
        parent->children++;
    }
}

void store_update_branch(Branch *branch, int64_t now_ms)
{
    Orders *orders =
        store_is_alive(&branch->life) ? &branch->project->orders : &branch->project->gone;
    order_remove(orders, ORDER_UPDATED, branch);
    branch->life.updated_ms = now_ms;
    order_add(orders, ORDER_UPDATED, branch);
    store_touch(&branch->mark);
}

void store_rename_branch(Branch *branch, const char *name, int64_t now_ms)
{
    Project *project = branch->project;
    order_remove_all(&project->orders, branch);
    HASH_DELETE(hh_name, project->branches_by_name, branch);
    text_build(branch->name, sizeof(branch->name), "%s", name);
    HASH_ADD(hh_name, project->branches_by_name, name, strlen(branch->name), branch);
    branch->life.updated_ms = now_ms;
    order_add_all(&project->orders, branch);
    store_touch(&branch->mark);
}

Endpoint *store_add_endpoint(Store *store, Branch *branch, int64_t now_ms)
{
    Endpoint *endpoint = allocate(sizeof(*endpoint));
    Endpoint *other = NULL;
    do {
        ids_make_resource("ep", endpoint->id);
        HASH_FIND_STR(store->endpoints_by_id, endpoint->id, other);
    } while (other != NULL);
    endpoint->project = branch->project;
    endpoint->branch = branch;
    endpoint->settings = branch->project->endpoint_defaults;
    endpoint->pg_settings = json_deep_copy(branch->project->pg_settings);
    endpoint->has_passwordless_access = true;
    endpoint->is_pending_active = true;
    endpoint->port = 5432;
    endpoint->life = begin_life(store, KIND_ENDPOINT, now_ms);
    store_link_endpoint(store, endpoint);
    store_touch(&endpoint->mark);
    return endpoint;
}

Role *store_add_role(Store *store, Branch *branch, const char *name, int64_t now_ms)
{
    Role *role = allocate(sizeof(*role));
    text_build(role->name, sizeof(role->name), "%s", name);
    role->life = begin_life(store, KIND_ROLE, now_ms);
    store_link_role(store, branch, role);
    store_touch(&branch->mark);
    return role;
}

Database *store_add_database(Store *store, Branch *branch, const char *name, const char *owner,
                             int64_t now_ms)
{
    Database *database = allocate(sizeof(*database));
    database->id = store->next_database_id;
    text_build(database->name, sizeof(database->name), "%s", name);
    text_build(database->owner, sizeof(database->owner), "%s", owner);
    database->life = begin_life(store, KIND_DATABASE, now_ms);
    store_link_database(store, branch, database);
    store_touch(&branch->mark);
    return database;
}

Operation *store_add_operation(Store *store, Project *project, Branch *branch, Action action)
{
    Operation *operation = allocate(sizeof(*operation));
    ids_make_uuid(operation->id);
    operation->project = project;
    operation->branch = branch;
    operation->action = action;
    /* The listing's cursor is created_at, so no two may be equal. */
    int64_t now_us = text_now_ms() * 1000;
    operation->created_us =
        now_us > store->last_operation_us ? now_us : store->last_operation_us + 1;
    operation->updated_us = operation->created_us;
    store_link_operation(store, operation);
    store_touch(&operation->mark);
    if (project->current == NULL) {
        project->current = operation;
    }
    return operation;
}

bool store_is_alive(const Lifetime *life)
{
    return life->deleted_ms == 0;
}

bool store_is_listed(const Lifetime *life, int64_t now_ms)
{
    return life->listed_ms <= now_ms && (life->deleted_ms == 0 || now_ms < life->unlisted_ms);
}

bool store_is_found(const Lifetime *life, int64_t now_ms)
{
    return life->deleted_ms == 0 && life->found_ms <= now_ms;
}

Project *store_find_project(const Store *store, const char *id)
{
    Project *project = NULL;
    HASH_FIND_STR(store->projects_by_id, id, project);
    return project != NULL && store_is_alive(&project->life) ? project : NULL;
}

Project *store_find_hidden_project(const Store *store, const char *id)
{
    Project *project = NULL;
    HASH_FIND_STR(store->projects_by_id, id, project);
    return project != NULL && project->is_recoverable ? project : NULL;
}

Branch *store_find_branch(const Store *store, const Project *project, const char *id)
{
    Branch *branch = NULL;
    HASH_FIND_STR(store->branches_by_id, id, branch);
    bool is_here = branch != NULL && branch->project == project && store_is_alive(&branch->life);
    return is_here ? branch : NULL;
}

Branch *store_find_hidden_branch(const Store *store, const Project *project, const char *id)
{
    Branch *branch = NULL;
    HASH_FIND_STR(store->branches_by_id, id, branch);
    return branch != NULL && branch->project == project && branch->is_recoverable ? branch : NULL;
}

Branch *store_find_branch_by_name(const Project *project, const char *name)
{
    Branch *branch = NULL;
    HASH_FIND(hh_name, project->branches_by_name, name, strlen(name), branch);
    return branch;
}

Endpoint *store_find_endpoint(const Store *store, const Project *project, const char *id)
{
    Endpoint *endpoint = NULL;
    HASH_FIND_STR(store->endpoints_by_id, id, endpoint);
    bool is_here =
        endpoint != NULL && endpoint->project == project && store_is_alive(&endpoint->life);
    return is_here ? endpoint : NULL;
}

Role *store_find_role(const Branch *branch, const char *name)
{
    Role *role = NULL;
    DL_FOREACH(branch->roles, role)
    {
        if (store_is_alive(&role->life) && strcmp(role->name, name) == 0) {
            return role;
        }
    }
    return NULL;
}

Database *store_find_database(const Branch *branch, const char *name)
{
    Database *database = NULL;
    DL_FOREACH(branch->databases, database)
    {
        if (store_is_alive(&database->life) && strcmp(database->name, name) == 0) {
            return database;
        }
    }
    return NULL;
}

Operation *store_find_operation(const Store *store, const Project *project, const char *id)
{
    Operation *operation = NULL;
    HASH_FIND_STR(store->operations_by_id, id, operation);
    return operation != NULL && operation->project == project ? operation : NULL;
}

bool store_is_locked(const Project *project)
{
    return project->current != NULL;
}

static void free_branch(Branch *branch)
{
    Role *role = NULL;
    Role *next_role = NULL;
    DL_FOREACH_SAFE(branch->roles, role, next_role)
    {
        sodium_memzero(role, sizeof(*role));
        free(role);
    }
    Database *database = NULL;
    Database *next_database = NULL;
    DL_FOREACH_SAFE(branch->databases, database, next_database)
    {
        free(database);
    }
    json_decref(branch->annotation);
    free(branch);
}

static void free_project(Project *project)
{
    HASH_CLEAR(hh_name, project->branches_by_name);
    Branch *branch = NULL;
    Branch *next_branch = NULL;
    DL_FOREACH_SAFE(project->branches, branch, next_branch)
    {
        free_branch(branch);
    }
    Endpoint *endpoint = NULL;
    Endpoint *next_endpoint = NULL;
    DL_FOREACH_SAFE(project->endpoints, endpoint, next_endpoint)
    {
        json_decref(endpoint->pg_settings);
        json_decref(endpoint->libraries);
        free(endpoint);
    }
    Operation *operation = NULL;
    Operation *next_operation = NULL;
    DL_FOREACH_SAFE(project->operations, operation, next_operation)
    {
        sodium_memzero(&operation->change, sizeof(operation->change));
        free(operation);
    }
    order_close(&project->orders);
    order_close(&project->gone);
    free((void *)project->history.list);
    json_decref(project->settings);
    json_decref(project->pg_settings);
    free(project);
}

void store_free(Store *store)
{
    HASH_CLEAR(hh, store->projects_by_id);
    HASH_CLEAR(hh, store->branches_by_id);
    HASH_CLEAR(hh, store->endpoints_by_id);
    HASH_CLEAR(hh, store->operations_by_id);
    Project *project = NULL;
    Project *next = NULL;
    DL_FOREACH_SAFE(store->projects, project, next)
    {
        free_project(project);
    }
}
