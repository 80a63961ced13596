#include <string.h>

#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "knowledge.h"
#include "plans.h"
#include "render.h"

/* What POST branches asks for; texts stay the body's. */
typedef struct BranchRequest {
    const char *name;
    const char *parent_id;
    int64_t expires_ms; /* 0: never */
    BranchPoint point;
    bool is_protected;
    bool is_schema_only;
    json_t *annotations;
    bool has_endpoint;
    EndpointSettings settings;
    EndpointDetails details;
} BranchRequest;

static bool read_source(Exchange *exchange, const json_t *branch, BranchRequest *request)
{
    bool is_archived = false;
    const char *source = "parent-data";
    if (!exchange_get_boolean(exchange, branch, "branch", "archived", &is_archived) ||
        !exchange_get_string(exchange, branch, "branch", "init_source", 1, 32, &source)) {
        return false;
    }
    request->is_schema_only = strcmp(source, "schema-only") == 0;
    bool is_known = request->is_schema_only || strcmp(source, "parent-data") == 0;
    if (is_archived || !is_known) {
        exchange_fail(exchange, 400, "", "branch.%s is not supported by this sandbox",
                      is_archived ? "archived" : "init_source");
    }
    return is_known && !is_archived;
}

static bool read_endpoint(Exchange *exchange, const json_t *item, BranchRequest *request)
{
    const char *type = NULL;
    if (!json_is_object(item)) {
        exchange_fail(exchange, 400, "", "invalid request: endpoints: object expected");
        return false;
    }
    if (!exchange_get_string(exchange, item, "endpoints", "type", 1, 32, &type) ||
        !endpoints_read_settings(exchange, item, "endpoints", &request->settings) ||
        !endpoints_read_pg_settings(exchange, item, "endpoints", &request->details)) {
        return false;
    }
    if (type == NULL) {
        exchange_fail_required(exchange, "endpoints", "type");
        return false;
    }
    if (strcmp(type, "read_write") != 0) {
        exchange_fail(exchange, strcmp(type, "read_only") == 0 ? 422 : 400,
                      "ENDPOINTS_LIMIT_EXCEEDED", "read_only endpoints limit exceeded");
        return false;
    }
    if (request->has_endpoint) {
        exchange_fail(exchange, 409, "ENDPOINTS_LIMIT_EXCEEDED",
                      "read_write endpoint already exists");
        return false;
    }
    request->has_endpoint = true;
    return true;
}

static bool read_endpoints(Exchange *exchange, BranchRequest *request)
{
    json_t *list = NULL;
    if (!exchange_get_array(exchange, exchange->body, "", "endpoints", &list)) {
        return false;
    }
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        if (!read_endpoint(exchange, item, request)) {
            return false;
        }
    }
    return true;
}

static bool read_request(Exchange *exchange, BranchRequest *request)
{
    json_t *branch = NULL;
    return exchange_get_object(exchange, exchange->body, "", "branch", &branch) &&
           exchange_get_string(exchange, branch, "branch", "name", 1, 256, &request->name) &&
           exchange_get_string(exchange, branch, "branch", "parent_id", 0, 60,
                               &request->parent_id) &&
           exchange_get_boolean(exchange, branch, "branch", "protected", &request->is_protected) &&
           read_source(exchange, branch, request) &&
           branches_read_point(exchange, branch, "parent_lsn", "parent_timestamp",
                               &request->point) &&
           branches_read_expiry(exchange, branch, &request->expires_ms) &&
           exchange_get_texts(exchange, exchange->body, "", "annotation_value",
                              HANDLERS_ANNOTATIONS_MAX, &request->annotations) &&
           read_endpoints(exchange, request);
}

Branch *branches_find_parent(const Exchange *exchange)
{
    const json_t *branch = json_object_get(exchange->body, "branch");
    const char *id = json_string_value(json_object_get(branch, "parent_id"));
    return id == NULL || id[0] == '\0'
               ? exchange->project->default_branch
               : store_find_branch(&exchange->sandbox->store, exchange->project, id);
}

static Branch *find_parent(Exchange *exchange)
{
    Branch *parent = branches_find_parent(exchange);
    if (parent == NULL) {
        exchange_fail(exchange, 404, "", "parent branch not found");
        return NULL;
    }
    if (parent->state != BRANCH_READY) {
        exchange_fail(exchange, 422, "", "branch not ready yet");
        return NULL;
    }
    if (parent->expires_ms != 0) {
        exchange_fail(exchange, 422, "", "cannot create a child of a branch that expires");
        return NULL;
    }
    return parent;
}

void branches_inherit_role(Store *store, const Role *role, Branch *branch, int64_t now_ms)
{
    Role *copy = store_add_role(store, branch, role->name, now_ms);
    text_build(copy->password, sizeof(copy->password), "%s", role->password);
    copy->no_login = role->no_login;
    copy->was_made_no_login = role->was_made_no_login;
    copy->is_applied = role->is_applied;
    copy->is_ours = role->is_ours;
    copy->is_known = role->is_known;
    copy->is_pending = role->is_pending;
}

/* Roles keep their passwords on a new branch, unless its parent is protected:
 * https://neon.com/docs/guides/protected-branches */
void branches_inherit(Store *store, const Branch *parent, Branch *branch, int64_t now_ms)
{
    for (const Role *role = parent->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life)) {
            branches_inherit_role(store, role, branch, now_ms);
        }
    }
    for (const Database *database = parent->databases; database != NULL;
         database = database->next) {
        if (store_is_alive(&database->life)) {
            store_add_database(store, branch, database->name, database->owner, now_ms)->is_applied =
                database->is_applied;
        }
    }
}

static Branch *add_branch(Exchange *exchange, const BranchRequest *request, Branch *parent)
{
    Store *store = &exchange->sandbox->store;
    Branch *branch = store_add_branch(store, exchange->project, request->name, exchange->now_ms);
    /* One without data is a root: https://neon.com/docs/guides/branching-schema-only */
    store_move_branch(branch, request->is_schema_only ? NULL : parent);
    branch->is_schema_only = request->is_schema_only;
    branch->source = parent;
    text_build(branch->parent_lsn, sizeof(branch->parent_lsn), "%s", request->point.lsn);
    branch->parent_ms = request->point.time_ms;
    branch->is_protected = request->is_protected;
    branch->annotation =
        request->annotations == NULL ? json_object() : json_deep_copy(request->annotations);
    branches_set_expiry(exchange->sandbox, branch, request->expires_ms, exchange->now_ms);
    branches_inherit(store, parent, branch, exchange->now_ms);
    if (parent->is_protected) {
        knowledge_renew_passwords(branch);
    }
    return branch;
}

static json_t *render_roles(const Branch *branch, bool with_password)
{
    json_t *list = json_array();
    for (const Role *role = branch->roles; role != NULL; role = role->next) {
        json_array_append_new(list, render_role(branch, role, with_password));
    }
    return list;
}

static json_t *render_databases(const Branch *branch)
{
    json_t *list = json_array();
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        json_array_append_new(list, render_database(branch, database));
    }
    return list;
}

static void set_connection_uris(json_t *reply, const Branch *branch)
{
    json_t *uris = json_array();
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        const Role *role = store_find_role(branch, database->owner);
        if (role != NULL && role->is_ours) {
            json_array_append_new(uris, render_connection(branch->endpoint, role, database->name));
        }
    }
    json_object_set_new(reply, "connection_uris", uris);
}

static void reply_created(Exchange *exchange, const Branch *branch, const Operation *first)
{
    json_t *endpoints = json_array();
    if (branch->endpoint != NULL) {
        json_array_append_new(endpoints, render_endpoint(branch->endpoint));
    }
    json_t *reply =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "branch", render_branch(branch), "endpoints",
                  endpoints, "operations", render_operations_from(first), "roles",
                  render_roles(branch, false), "databases", render_databases(branch));
    if (branch->endpoint != NULL && exchange->project->store_passwords) {
        set_connection_uris(reply, branch);
    }
    exchange_reply(exchange, 201, reply);
}

void branches_create(Exchange *exchange)
{
    Sandbox *sandbox = exchange->sandbox;
    BranchRequest request = {.settings = exchange->project->endpoint_defaults,
                             .details = {.has_passwordless_access = true}};
    if (!read_request(exchange, &request)) {
        return;
    }
    Branch *parent = find_parent(exchange);
    if (parent == NULL) {
        return;
    }
    if (!branches_check_point(exchange, parent, &request.point) ||
        !branches_check_name(exchange, request.name)) {
        return;
    }
    if (request.is_protected && request.expires_ms != 0) {
        exchange_fail(exchange, 422, "", "a protected branch cannot expire");
        return;
    }
    if (!plans_allow_branch(exchange, request.is_schema_only) ||
        (request.is_protected && !plans_allow_protection(exchange))) {
        return;
    }
    Branch *branch = add_branch(exchange, &request, parent);
    if (request.has_endpoint) {
        Endpoint *endpoint = store_add_endpoint(&sandbox->store, branch, exchange->now_ms);
        endpoint->settings = request.settings;
        endpoints_set_details(endpoint, &request.details);
    }
    if (request.has_endpoint && sandbox->compute != NULL &&
        !compute_add_endpoint(sandbox->compute, branch->endpoint)) {
        store_delete_branch(&sandbox->store, branch, exchange->now_ms);
        exchange_fail(exchange, 503, "", "please try again later");
        return;
    }
    Operation *first = chain_add(sandbox, branch, NULL, ACTION_CREATE_BRANCH, NULL);
    if (branch->endpoint != NULL) {
        chain_add(sandbox, branch, branch->endpoint, ACTION_START_COMPUTE, NULL);
    }
    chain_start(sandbox, exchange->project);
    reply_created(exchange, branch, first);
}

void branches_get(Exchange *exchange)
{
    json_t *reply = json_pack("{s:o}", "branch", render_branch(exchange->branch));
    /* The spec requires the member; a branch without annotations has an empty value. */
    json_object_set_new(reply, "annotation", render_annotation(exchange->branch));
    exchange_reply(exchange, 200, reply);
}
