#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "render.h"

typedef enum SortBy { SORT_NAME, SORT_CREATED, SORT_UPDATED } SortBy;

static const char *const SORT_NAMES[] = {"name", "created_at", "updated_at", NULL};
static const char *const ORDER_NAMES[] = {"asc", "desc", NULL};

enum { BRANCHES_CURSOR_BYTES = 2048 };

/* How a listing is ordered and where it goes on. */
typedef struct Listing {
    int sort_by;
    int order; /* index into ORDER_NAMES */
    bool include_deleted;
    bool has_cursor;
    char cursor_id[IDS_BYTES];
    char cursor_name[STORE_NAME_BYTES];
    int64_t cursor_ms;
} Listing;

static int64_t sort_time(const Branch *branch, int sort_by)
{
    return sort_by == SORT_CREATED ? branch->life.created_ms : branch->life.updated_ms;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_branches(const void *a, const void *b, void *argument)
{
    const Branch *left = *(const Branch *const *)a;
    const Branch *right = *(const Branch *const *)b;
    const Listing *listing = argument;
    int result = listing->sort_by == SORT_NAME
                     ? strcmp(left->name, right->name)
                     : compare_numbers(sort_time(left, listing->sort_by),
                                       sort_time(right, listing->sort_by));
    result = result != 0 ? result : strcmp(left->id, right->id);
    return listing->order == 0 ? result : -result;
}

/* Whether the branch comes after the cursor in the listing's order. */
static bool is_after_cursor(const Branch *branch, const Listing *listing)
{
    if (!listing->has_cursor) {
        return true;
    }
    int result = listing->sort_by == SORT_NAME
                     ? strcmp(branch->name, listing->cursor_name)
                     : compare_numbers(sort_time(branch, listing->sort_by), listing->cursor_ms);
    result = result != 0 ? result : strcmp(branch->id, listing->cursor_id);
    return listing->order == 0 ? result > 0 : result < 0;
}

static void build_cursor(const Branch *last, const Listing *listing,
                         char ret_cursor[BRANCHES_CURSOR_BYTES])
{
    char time[TEXT_TIME_BYTES];
    text_time_us(sort_time(last, listing->sort_by) * 1000, time);
    const char *value = listing->sort_by == SORT_NAME ? last->name : time;
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "branch_id", last->id, "sort_by",
                             SORT_NAMES[listing->sort_by], "sort_by_value", value, "sort_order",
                             listing->order == 0 ? "ASC" : "DESC");
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    size_t length = strlen(text);
    if (sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL) > BRANCHES_CURSOR_BYTES) {
        abort();
    }
    sodium_bin2base64(ret_cursor, BRANCHES_CURSOR_BYTES, (const unsigned char *)text, length,
                      sodium_base64_VARIANT_ORIGINAL);
    free(text);
}

/* Takes order and place from a cursor that build_cursor made. */
static bool parse_cursor(json_t *json, Listing *listing)
{
    const char *id = NULL;
    const char *sort_by = NULL;
    const char *value = NULL;
    const char *order = NULL;
    if (json_unpack(json, "{s:s, s:s, s:s, s:s}", "branch_id", &id, "sort_by", &sort_by,
                    "sort_by_value", &value, "sort_order", &order) != 0) {
        return false;
    }
    listing->order = strcmp(order, "ASC") == 0 ? 0 : 1;
    listing->sort_by = -1;
    for (int i = 0; SORT_NAMES[i] != NULL; i++) {
        listing->sort_by = strcmp(SORT_NAMES[i], sort_by) == 0 ? i : listing->sort_by;
    }
    int64_t time_us = 0;
    bool is_name = listing->sort_by == SORT_NAME;
    if (listing->sort_by < 0 || (!is_name && !text_parse_time_us(value, &time_us)) ||
        !text_copy(listing->cursor_id, sizeof(listing->cursor_id), id) ||
        !text_copy(listing->cursor_name, sizeof(listing->cursor_name), value)) {
        return false;
    }
    listing->cursor_ms = time_us / 1000;
    listing->has_cursor = true;
    return true;
}

static bool read_cursor(Exchange *exchange, Listing *listing)
{
    const char *text = exchange_query(exchange, "cursor");
    if (text == NULL || text[0] == '\0') {
        return true;
    }
    unsigned char decoded[BRANCHES_CURSOR_BYTES];
    size_t length = 0;
    bool valid = sodium_base642bin(decoded, sizeof(decoded), text, strlen(text), NULL, &length,
                                   NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
    json_t *json = valid ? json_loadb((const char *)decoded, length, 0, NULL) : NULL;
    valid = json != NULL && parse_cursor(json, listing);
    json_decref(json);
    if (!valid) {
        exchange_fail(exchange, 400, "", "invalid request: query parameter \"cursor\"");
    }
    return valid;
}

static bool is_wanted(const Exchange *exchange, const Branch *branch, const Listing *listing,
                      const char *search)
{
    bool is_shown = store_is_listed(&branch->life, exchange->now_ms) ||
                    (listing->include_deleted && !store_is_alive(&branch->life));
    return is_shown && is_after_cursor(branch, listing) &&
           (search == NULL || strcasestr(branch->name, search) != NULL ||
            strcasestr(branch->id, search) != NULL);
}

/* Collects and sorts what the listing shows; the caller frees the array. */
static Branch **collect(const Exchange *exchange, Listing *listing, size_t *ret_count)
{
    size_t count = 0;
    size_t capacity = 0;
    const char *search = exchange_query(exchange, "search");
    Branch **found = NULL;
    for (Branch *branch = exchange->project->branches; branch != NULL; branch = branch->next) {
        if (!is_wanted(exchange, branch, listing, search)) {
            continue;
        }
        if (count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            found = realloc((void *)found, capacity * sizeof(Branch *));
            if (found == NULL) {
                abort();
            }
        }
        found[count++] = branch;
    }
    if (count > 0) {
        qsort_r((void *)found, count, sizeof(Branch *), compare_branches, listing);
    }
    *ret_count = count;
    return found;
}

static void reply_list(Exchange *exchange, Listing *listing, int64_t limit)
{
    size_t count = 0;
    Branch **found = collect(exchange, listing, &count);
    size_t shown = count < (size_t)limit ? count : (size_t)limit;
    json_t *list = json_array();
    json_t *annotations = json_object();
    for (size_t i = 0; i < shown; i++) {
        json_array_append_new(list, render_branch(found[i]));
        if (json_object_size(found[i]->annotation) > 0) {
            json_object_set_new(annotations, found[i]->id, render_annotation(found[i]));
        }
    }
    json_t *pagination = json_pack("{s:s, s:s}", "sort_by", SORT_NAMES[listing->sort_by],
                                   "sort_order", listing->order == 0 ? "ASC" : "DESC");
    if (shown > 0) {
        /* As Neon, also on the last page: readers stop at an empty one. */
        char cursor[BRANCHES_CURSOR_BYTES];
        build_cursor(found[shown - 1], listing, cursor);
        json_object_set_new(pagination, "next", json_string(cursor));
    }
    free((void *)found);
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:o, s:o}", "branches", list, "annotations", annotations,
                             "pagination", pagination));
}

void branches_list(Exchange *exchange)
{
    Listing listing = {.sort_by = SORT_UPDATED, .order = 1};
    int64_t limit = 10000;
    if (!exchange_query_integer(exchange, "limit", 1, 10000, &limit) ||
        !exchange_query_choice(exchange, "sort_by", SORT_NAMES, &listing.sort_by) ||
        !exchange_query_choice(exchange, "sort_order", ORDER_NAMES, &listing.order) ||
        !exchange_query_boolean(exchange, "include_deleted", &listing.include_deleted) ||
        !read_cursor(exchange, &listing)) {
        return;
    }
    reply_list(exchange, &listing, limit);
}

/* What POST branches asks for; texts stay the body's. */
typedef struct BranchRequest {
    const char *name;
    const char *parent_id;
    const char *expires_at;
    bool is_protected;
    json_t *annotations;
    bool has_endpoint;
    EndpointSettings settings;
} BranchRequest;

static bool refuse_unsupported(Exchange *exchange, const json_t *branch)
{
    static const char *const NAMES[] = {"parent_lsn", "parent_timestamp", "archived"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        const json_t *value = json_object_get(branch, NAMES[i]);
        if (value != NULL && !json_is_null(value) && !json_is_false(value)) {
            exchange_fail(exchange, 400, "", "branch.%s is not supported by this sandbox",
                          NAMES[i]);
            return false;
        }
    }
    const char *source = "parent-data";
    if (!exchange_get_string(exchange, branch, "branch", "init_source", 1, 32, &source)) {
        return false;
    }
    if (strcmp(source, "parent-data") != 0) {
        exchange_fail(exchange, 400, "", "branch.init_source is not supported by this sandbox");
        return false;
    }
    return true;
}

static bool read_annotations(Exchange *exchange, BranchRequest *request)
{
    if (!exchange_get_object(exchange, exchange->body, "", "annotation_value",
                             &request->annotations)) {
        return false;
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(request->annotations, name, value)
    {
        if (!json_is_string(value)) {
            exchange_fail(exchange, 400, "",
                          "invalid request: annotation_value: string values expected");
            return false;
        }
    }
    if (json_object_size(request->annotations) > 50) {
        exchange_fail(exchange, 400, "", "invalid request: annotation_value: 50 at most");
        return false;
    }
    return true;
}

static bool read_endpoint(Exchange *exchange, const json_t *item, BranchRequest *request)
{
    const char *type = NULL;
    if (!json_is_object(item)) {
        exchange_fail(exchange, 400, "", "invalid request: endpoints: object expected");
        return false;
    }
    if (!exchange_get_string(exchange, item, "endpoints", "type", 1, 32, &type) ||
        !endpoints_read_settings(exchange, item, "endpoints", &request->settings)) {
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

static bool read_expiry(Exchange *exchange, const BranchRequest *request)
{
    int64_t time_us = 0;
    if (request->expires_at == NULL) {
        return true;
    }
    if (!text_parse_time_us(request->expires_at, &time_us) || time_us / 1000 <= exchange->now_ms) {
        exchange_fail(exchange, 400, "",
                      "invalid request: branch.expires_at: a future time in RFC 3339 expected");
        return false;
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
           exchange_get_string(exchange, branch, "branch", "expires_at", 1, TEXT_TIME_BYTES - 1,
                               &request->expires_at) &&
           exchange_get_boolean(exchange, branch, "branch", "protected", &request->is_protected) &&
           refuse_unsupported(exchange, branch) && read_expiry(exchange, request) &&
           read_annotations(exchange, request) && read_endpoints(exchange, request);
}

static Branch *find_parent(Exchange *exchange, const BranchRequest *request)
{
    bool is_given = request->parent_id != NULL && request->parent_id[0] != '\0';
    Branch *parent = is_given ? store_find_branch(&exchange->sandbox->store, exchange->project,
                                                  request->parent_id)
                              : exchange->project->default_branch;
    if (parent == NULL) {
        exchange_fail(exchange, 404, "", "parent branch not found");
        return NULL;
    }
    if (parent->state != BRANCH_READY) {
        exchange_fail(exchange, 422, "", "branch not ready yet");
        return NULL;
    }
    return parent;
}

/* Roles keep their passwords on a new branch. */
static void inherit(Store *store, const Branch *parent, Branch *branch, int64_t now_ms)
{
    for (const Role *role = parent->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life)) {
            Role *copy = store_add_role(store, branch, role->name, now_ms);
            text_build(copy->password, sizeof(copy->password), "%s", role->password);
            copy->no_login = role->no_login;
            copy->is_applied = role->is_applied;
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
    branch->parent = parent;
    parent->children++;
    branch->is_protected = request->is_protected;
    branch->annotation =
        request->annotations == NULL ? json_object() : json_deep_copy(request->annotations);
    if (request->expires_at != NULL) {
        text_build(branch->expires_at, sizeof(branch->expires_at), "%s", request->expires_at);
    }
    inherit(store, parent, branch, exchange->now_ms);
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
        if (role != NULL && role->password[0] != '\0') {
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
    BranchRequest request = {.settings = exchange->project->endpoint_defaults};
    if (!read_request(exchange, &request)) {
        return;
    }
    Branch *parent = find_parent(exchange, &request);
    if (parent == NULL) {
        return;
    }
    if (request.name != NULL &&
        store_find_branch_by_name(exchange->project, request.name) != NULL) {
        exchange_fail(exchange, 409, "BRANCH_ALREADY_EXISTS",
                      "branch with the provided name already exists; name:\"%s\"", request.name);
        return;
    }
    Branch *branch = add_branch(exchange, &request, parent);
    if (request.has_endpoint) {
        store_add_endpoint(&sandbox->store, branch, exchange->now_ms)->settings = request.settings;
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

void branches_delete(Exchange *exchange)
{
    Sandbox *sandbox = exchange->sandbox;
    Branch *branch = exchange->branch;
    if (branch == NULL) {
        exchange_reply(exchange, 204, NULL);
        return;
    }
    const char *refusal = NULL;
    if (branch->is_protected) {
        refusal = "cannot delete protected branch";
    } else if (branch->is_default || branch->parent == NULL) {
        refusal = "cannot delete project's root or default branch";
    } else if (branch->children > 0) {
        refusal = "cannot delete branch that has children";
    }
    if (refusal != NULL) {
        exchange_fail(exchange, 422, "", "%s", refusal);
        return;
    }
    Endpoint *endpoint = branch->endpoint;
    if (endpoint != NULL && sandbox->compute != NULL) {
        compute_remove_endpoint(sandbox->compute, endpoint);
    }
    store_delete_branch(&sandbox->store, branch, exchange->now_ms);
    Operation *first = NULL;
    if (endpoint != NULL) {
        first = chain_add(sandbox, branch, endpoint, ACTION_SUSPEND_COMPUTE, NULL);
    }
    Operation *last = chain_add(sandbox, branch, NULL, ACTION_DELETE_TIMELINE, NULL);
    chain_start(sandbox, exchange->project);
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:o}", "branch", render_branch(branch), "operations",
                             render_operations_from(first != NULL ? first : last)));
}
