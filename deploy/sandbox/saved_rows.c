#include "saved_rows.h"

#include <stdlib.h>
#include <string.h>

#include "render.h"
#include "saved_fields.h"

/* Members of members, and pointers among them, by their names. */
/* NOLINTBEGIN(bugprone-macro-parentheses, bugprone-sizeof-expression) */
#define LIFE(type)                                                                                 \
    FIELD(FIELD_INT64, type, life.created_ms), FIELD(FIELD_INT64, type, life.updated_ms),          \
        FIELD(FIELD_INT64, type, life.deleted_ms), FIELD(FIELD_INT64, type, life.found_ms),        \
        FIELD(FIELD_INT64, type, life.listed_ms), FIELD(FIELD_INT64, type, life.unlisted_ms)
#define SETTINGS(type, member)                                                                     \
    FIELD(FIELD_REAL, type, member.min_cu), FIELD(FIELD_REAL, type, member.max_cu),                \
        FIELD(FIELD_INT64, type, member.suspend_timeout_seconds)

static const Field PROJECT[] = {
    FIELD(FIELD_TEXT, Project, id),
    FIELD(FIELD_TEXT, Project, name),
    FIELD(FIELD_TEXT, Project, region),
    FIELD(FIELD_TEXT, Project, org_id),
    FIELD(FIELD_TEXT, Project, owner_id),
    FIELD(FIELD_INT, Project, pg_version),
    FIELD(FIELD_BOOL, Project, store_passwords),
    FIELD(FIELD_INT64, Project, history_retention_seconds),
    SETTINGS(Project, endpoint_defaults),
    FIELD(FIELD_JSON, Project, settings),
    FIELD(FIELD_JSON, Project, pg_settings),
    FIELD(FIELD_BOOL, Project, is_recoverable),
    LIFE(Project),
    {0},
};

static const Field BRANCH[] = {
    FIELD(FIELD_TEXT, Branch, id),
    FIELD(FIELD_TEXT, Branch, name),
    FIELD(FIELD_TEXT, Branch, parent_lsn),
    FIELD(FIELD_INT64, Branch, parent_ms),
    FIELD(FIELD_INT64, Branch, reset_ms),
    FIELD(FIELD_INT, Branch, state),
    FIELD(FIELD_BOOL, Branch, is_schema_only),
    FIELD(FIELD_BOOL, Branch, is_protected),
    FIELD(FIELD_INT64, Branch, expires_ms),
    FIELD(FIELD_INT64, Branch, ttl_seconds),
    FIELD(FIELD_BOOL, Branch, is_expired),
    FIELD(FIELD_BOOL, Branch, is_recoverable),
    FIELD(FIELD_JSON, Branch, annotation),
    FIELD(FIELD_INT64, Branch, state_changed_ms),
    FIELD(FIELD_INT, Branch, cluster_number),
    FIELD(FIELD_INT64, Branch, told_bytes),
    LIFE(Branch),
    {0},
};

static const Field ROLE[] = {
    FIELD(FIELD_TEXT, Role, name),
    FIELD(FIELD_TEXT, Role, password),
    FIELD(FIELD_BOOL, Role, is_ours),
    FIELD(FIELD_BOOL, Role, no_login),
    FIELD(FIELD_BOOL, Role, was_made_no_login),
    FIELD(FIELD_BOOL, Role, is_applied),
    FIELD(FIELD_BOOL, Role, is_known),
    FIELD(FIELD_BOOL, Role, is_pending),
    LIFE(Role),
    {0},
};

static const Field DATABASE[] = {
    FIELD(FIELD_INT64, Database, id),
    FIELD(FIELD_TEXT, Database, name),
    FIELD(FIELD_TEXT, Database, owner),
    FIELD(FIELD_BOOL, Database, is_applied),
    FIELD(FIELD_BOOL, Database, is_pending),
    LIFE(Database),
    {0},
};

static const Field ENDPOINT[] = {
    FIELD(FIELD_TEXT, Endpoint, id),
    SETTINGS(Endpoint, settings),
    FIELD(FIELD_TEXT, Endpoint, name),
    FIELD(FIELD_JSON, Endpoint, pg_settings),
    FIELD(FIELD_JSON, Endpoint, libraries),
    FIELD(FIELD_BOOL, Endpoint, is_disabled),
    FIELD(FIELD_BOOL, Endpoint, has_passwordless_access),
    FIELD(FIELD_INT, Endpoint, state),
    FIELD(FIELD_BOOL, Endpoint, is_pending_active),
    FIELD(FIELD_INT64, Endpoint, last_active_ms),
    FIELD(FIELD_INT64, Endpoint, suspended_ms),
    FIELD(FIELD_INT, Endpoint, port),
    LIFE(Endpoint),
    {0},
};
/* NOLINTEND(bugprone-macro-parentheses, bugprone-sizeof-expression) */

static const Field OPERATION[] = {
    FIELD(FIELD_TEXT, Operation, id),
    FIELD(FIELD_INT, Operation, action),
    FIELD(FIELD_INT, Operation, change.kind),
    FIELD(FIELD_TEXT, Operation, change.name),
    FIELD(FIELD_TEXT, Operation, change.owner),
    FIELD(FIELD_TEXT, Operation, change.new_name),
    FIELD(FIELD_TEXT, Operation, change.password),
    FIELD(FIELD_BOOL, Operation, change.no_login),
    FIELD(FIELD_INT, Operation, status),
    FIELD(FIELD_TEXT, Operation, error),
    FIELD(FIELD_INT, Operation, failures_count),
    FIELD(FIELD_INT64, Operation, created_us),
    FIELD(FIELD_INT64, Operation, updated_us),
    FIELD(FIELD_INT64, Operation, started_us),
    FIELD(FIELD_INT64, Operation, retry_ms),
    {0},
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static void set_id(json_t *json, const char *name, const char *id)
{
    json_object_set_new_nocheck(json, name, json_string_nocheck(id));
}

static void write_branch(json_t *json, const Branch *branch)
{
    saved_fields_write(json, BRANCH, branch);
    set_id(json, "project", branch->project->id);
    if (branch->parent != NULL) {
        set_id(json, "parent", branch->parent->id);
    }
    if (branch->source != NULL) {
        set_id(json, "source", branch->source->id);
    }
    json_t *roles = json_array();
    for (const Role *role = branch->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life)) {
            json_t *row = json_object();
            saved_fields_write(row, ROLE, role);
            json_array_append_new(roles, row);
        }
    }
    json_object_set_new_nocheck(json, "roles", roles);
    json_t *databases = json_array();
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        if (store_is_alive(&database->life)) {
            json_t *row = json_object();
            saved_fields_write(row, DATABASE, database);
            json_array_append_new(databases, row);
        }
    }
    json_object_set_new_nocheck(json, "databases", databases);
}

static void write_project(json_t *json, const Project *project)
{
    saved_fields_write(json, PROJECT, project);
    if (project->default_branch != NULL) {
        set_id(json, "default_branch", project->default_branch->id);
    }
}

static void write_endpoint(json_t *json, const Endpoint *endpoint)
{
    saved_fields_write(json, ENDPOINT, endpoint);
    set_id(json, "branch", endpoint->branch->id);
}

static void write_operation(json_t *json, const Operation *operation)
{
    saved_fields_write(json, OPERATION, operation);
    set_id(json, "branch", operation->branch->id);
    if (operation->endpoint != NULL) {
        set_id(json, "endpoint", operation->endpoint->id);
    }
}

#define OWNER(type) ((const type *)(const void *)((const char *)mark - offsetof(type, mark)))

json_t *saved_rows_write(const StoreMark *mark)
{
    json_t *json = json_object();
    switch (mark->kind) {
    case KIND_PROJECT:
        write_project(json, OWNER(Project));
        break;
    case KIND_BRANCH:
        write_branch(json, OWNER(Branch));
        break;
    case KIND_ENDPOINT:
        write_endpoint(json, OWNER(Endpoint));
        break;
    case KIND_OPERATION:
        write_operation(json, OWNER(Operation));
        break;
    case KIND_ROLE:
    case KIND_DATABASE:
    case KIND_COUNT:
        break;
    }
    return json;
}

static Branch *find_branch(const Store *store, const json_t *json, const char *name)
{
    Branch *branch = NULL;
    const char *id = json_string_value(json_object_get(json, name));
    if (id != NULL) {
        HASH_FIND_STR(store->branches_by_id, id, branch);
    }
    return branch;
}

bool saved_rows_read_project(Store *store, const json_t *json, int64_t row, bool *ret_is_gone)
{
    Project *project = allocate(sizeof(*project));
    bool is_valid = saved_fields_read(json, PROJECT, project);
    int64_t kept_until_ms = project->life.deleted_ms + RENDER_DAYS_RECOVERABLE * 86400000LL;
    *ret_is_gone = project->life.deleted_ms != 0 &&
                   (!project->is_recoverable || kept_until_ms < text_now_ms());
    if (!is_valid || *ret_is_gone) {
        json_decref(project->settings);
        json_decref(project->pg_settings);
        free(project);
        return is_valid;
    }
    store_link_project(store, project);
    project->mark.row = row;
    return true;
}

static bool read_roles(Store *store, const json_t *list, Branch *branch)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        Role *role = allocate(sizeof(*role));
        bool is_valid = saved_fields_read(item, ROLE, role);
        store_link_role(store, branch, role);
        if (!is_valid) {
            return false;
        }
    }
    return true;
}

static bool read_databases(Store *store, const json_t *list, Branch *branch)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        Database *database = allocate(sizeof(*database));
        bool is_valid = saved_fields_read(item, DATABASE, database);
        store_link_database(store, branch, database);
        if (!is_valid) {
            return false;
        }
    }
    return true;
}

static bool is_long_gone(const Branch *branch)
{
    int64_t deleted_ms = branch->life.deleted_ms;
    return deleted_ms != 0 && deleted_ms + RENDER_DAYS_RECOVERABLE * 86400000LL < text_now_ms();
}

bool saved_rows_read_branch(Store *store, const json_t *json, int64_t row, bool *ret_is_gone)
{
    Project *project = NULL;
    const char *project_id = json_string_value(json_object_get(json, "project"));
    if (project_id == NULL) {
        return false;
    }
    HASH_FIND_STR(store->projects_by_id, project_id, project);
    Branch *branch = allocate(sizeof(*branch));
    bool is_valid = saved_fields_read(json, BRANCH, branch);
    *ret_is_gone = project == NULL || is_long_gone(branch);
    if (!is_valid || *ret_is_gone) {
        json_decref(branch->annotation);
        free(branch);
        return is_valid;
    }
    branch->project = project;
    store_link_branch(store, branch);
    branch->mark.row = row;
    return read_roles(store, json_object_get(json, "roles"), branch) &&
           read_databases(store, json_object_get(json, "databases"), branch);
}

bool saved_rows_join_project(Store *store, const json_t *json, int64_t row, bool *ret_is_gone)
{
    (void)row;
    Branch *branch = find_branch(store, json, "default_branch");
    *ret_is_gone = false;
    if (branch != NULL) {
        branch->is_default = true;
        branch->project->default_branch = branch;
    }
    return true;
}

bool saved_rows_join_branch(Store *store, const json_t *json, int64_t row, bool *ret_is_gone)
{
    (void)row;
    Branch *branch = find_branch(store, json, "id");
    *ret_is_gone = branch == NULL;
    if (branch == NULL) {
        return true;
    }
    branch->source = find_branch(store, json, "source");
    branch->parent = find_branch(store, json, "parent");
    if (branch->parent != NULL && store_is_alive(&branch->life)) {
        branch->parent->children++;
    }
    return true;
}

bool saved_rows_read_endpoint(Store *store, const json_t *json, int64_t row, bool *ret_is_gone)
{
    Branch *branch = find_branch(store, json, "branch");
    *ret_is_gone = branch == NULL;
    if (branch == NULL) {
        return true;
    }
    Endpoint *endpoint = allocate(sizeof(*endpoint));
    if (!saved_fields_read(json, ENDPOINT, endpoint)) {
        json_decref(endpoint->pg_settings);
        json_decref(endpoint->libraries);
        free(endpoint);
        return false;
    }
    endpoint->branch = branch;
    endpoint->project = branch->project;
    store_link_endpoint(store, endpoint);
    endpoint->mark.row = row;
    return true;
}

bool saved_rows_read_operation(Store *store, const json_t *json, int64_t row, bool *ret_is_gone)
{
    Branch *branch = find_branch(store, json, "branch");
    *ret_is_gone = branch == NULL;
    if (branch == NULL) {
        return true;
    }
    Operation *operation = allocate(sizeof(*operation));
    if (!saved_fields_read(json, OPERATION, operation)) {
        free(operation);
        return false;
    }
    const char *endpoint_id = json_string_value(json_object_get(json, "endpoint"));
    if (endpoint_id != NULL) {
        HASH_FIND_STR(store->endpoints_by_id, endpoint_id, operation->endpoint);
    }
    operation->project = branch->project;
    operation->branch = branch;
    store_link_operation(store, operation);
    operation->mark.row = row;
    return true;
}
