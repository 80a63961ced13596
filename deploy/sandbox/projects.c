#include <ctype.h>
#include <string.h>

#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "plans.h"
#include "render.h"
#include "settings.h"

enum { PROJECTS_VERSIONS_MAX = 8 };

/* The organization a project call is about. False: replied. */
static bool read_organization(Exchange *exchange, const char *wanted, const char **ret_org_id)
{
    const Key *key = exchange->key;
    if (key->kind == KEY_PROJECT) {
        exchange_fail(exchange, 404, "",
                      "not allowed to perform actions outside the project this key is scoped to; "
                      "subject_project_id:\"%s\"",
                      key->project_id);
        return false;
    }
    if (wanted == NULL && key->kind == KEY_PERSONAL && key->organization_count > 1) {
        exchange_fail(exchange, 400, "",
                      "org_id is required, you can find it on your organization settings page");
        return false;
    }
    if (wanted != NULL && !keys_has_organization(key, wanted)) {
        exchange_fail(exchange, 404, "", "organization not found");
        return false;
    }
    *ret_org_id = wanted != NULL ? wanted : key->organizations[0];
    return true;
}

/* Which pairs of letters stand in a text, each as one bit of 64. A text has a part only where it
 * has all pairs of the part. */
static uint64_t pairs_of(const char *text)
{
    uint64_t pairs = 0;
    for (const char *at = text; at[0] != '\0' && at[1] != '\0'; at++) {
        uint32_t pair =
            (uint32_t)tolower((unsigned char)at[0]) << 8 | (uint32_t)tolower((unsigned char)at[1]);
        pairs |= UINT64_C(1) << (pair * 2654435761U >> 26); /* Knuth's multiplicative hash */
    }
    return pairs;
}

/* What a search is for; NULL: all. */
typedef struct ProjectSearch {
    const char *part;
    uint64_t pairs;
} ProjectSearch;

static bool matches_search(Project *project, const ProjectSearch *search)
{
    if (search->part == NULL) {
        return true;
    }
    if (project->pairs == 0) {
        project->pairs = pairs_of(project->name) | pairs_of(project->id);
    }
    return (project->pairs & search->pairs) == search->pairs &&
           (strcasestr(project->name, search->part) != NULL ||
            strcasestr(project->id, search->part) != NULL);
}

/* A listing that failed for some projects names them apart: it proves no absence. */
static bool is_unavailable(const Exchange *exchange, const Project *project)
{
    const Fault *fault = exchange->partial_listing;
    return fault != NULL && (fault->match[0] == '\0' || strstr(project->name, fault->match) ||
                             strstr(project->id, fault->match));
}

/* What a listing shows. */
typedef struct ProjectListing {
    const char *org_id;
    ProjectSearch search;
    int64_t limit;
    bool is_recoverable; /* of the deleted ones alone */
} ProjectListing;

static bool is_wanted(const Exchange *exchange, const ProjectListing *listing, Project *project)
{
    return matches_search(project, &listing->search) &&
           (listing->is_recoverable ? projects_is_recoverable(project, exchange->now_ms)
                                    : store_is_listed(&project->life, exchange->now_ms)) &&
           strcmp(project->org_id, listing->org_id) == 0;
}

static void reply_list(Exchange *exchange, Project *first, const ProjectListing *listing)
{
    json_t *list = json_array();
    json_t *unavailable = json_array();
    const Project *last = NULL;
    int64_t shown = 0;
    for (Project *project = first; project != NULL && shown < listing->limit;
         project = project->next) {
        if (!is_wanted(exchange, listing, project)) {
            continue;
        }
        last = project;
        shown++;
        if (is_unavailable(exchange, project)) {
            json_array_append_new(unavailable, json_string(project->id));
        } else {
            json_array_append_new(list, render_project_item(project));
        }
    }
    json_t *reply =
        json_pack("{s:o, s:{}, s:{}}", "projects", list, "applications", "integrations");
    if (json_array_size(unavailable) > 0) {
        json_object_set(reply, "unavailable_project_ids", unavailable);
    }
    json_decref(unavailable);
    if (last != NULL) {
        json_object_set_new(reply, "pagination", json_pack("{s:s}", "cursor", last->id));
    }
    exchange_reply(exchange, 200, reply);
}

void projects_list(Exchange *exchange)
{
    ProjectListing listing = {.limit = 10};
    int64_t timeout_ms = 0;
    if (!exchange_query_integer(exchange, "limit", 1, 400, &listing.limit) ||
        !exchange_query_integer(exchange, "timeout", 100, 30000, &timeout_ms) ||
        !exchange_query_boolean(exchange, "recoverable", &listing.is_recoverable) ||
        !read_organization(exchange, exchange_query(exchange, "org_id"), &listing.org_id)) {
        return;
    }
    listing.search.part = exchange_query(exchange, "search");
    listing.search.pairs = listing.search.part != NULL ? pairs_of(listing.search.part) : 0;
    const Store *store = &exchange->sandbox->store;
    Project *first = store->projects;
    const char *cursor = exchange_query(exchange, "cursor");
    if (cursor != NULL && cursor[0] != '\0') {
        Project *before = NULL;
        HASH_FIND_STR(store->projects_by_id, cursor, before);
        if (before == NULL) {
            exchange_fail(exchange, 400, "", "invalid request: query parameter \"cursor\"");
            return;
        }
        first = before->next;
    }
    reply_list(exchange, first, &listing);
}

/* What POST /projects asks for; texts stay the body's. */
typedef struct ProjectRequest {
    const char *name;
    const char *region;
    const char *org_id;
    const char *branch_name;
    const char *role_name;
    const char *database_name;
    int64_t pg_version;
    int64_t retention_seconds;
    bool store_passwords;
    EndpointSettings defaults;
    json_t *pg_settings;
    json_t *settings;
    json_t *annotations;
} ProjectRequest;

static bool read_branch(Exchange *exchange, const json_t *project, ProjectRequest *request)
{
    static const char PATH[] = "project.branch";
    json_t *branch = NULL;
    return exchange_get_object(exchange, project, "project", "branch", &branch) &&
           exchange_get_string(exchange, branch, PATH, "name", 1, 256, &request->branch_name) &&
           exchange_get_sql_name(exchange, branch, PATH, "role_name", &request->role_name) &&
           exchange_get_sql_name(exchange, branch, PATH, "database_name",
                                 &request->database_name) &&
           exchange_get_texts(exchange, branch, PATH, "annotations", HANDLERS_ANNOTATIONS_MAX,
                              &request->annotations);
}

static bool read_members(Exchange *exchange, const json_t *project, ProjectRequest *request)
{
    static const char PATH[] = "project";
    return exchange_get_string(exchange, project, PATH, "name", 1, 256, &request->name) &&
           exchange_get_string(exchange, project, PATH, "region_id", 1, 60, &request->region) &&
           exchange_get_string(exchange, project, PATH, "org_id", 1, 60, &request->org_id) &&
           exchange_get_integer(exchange, project, PATH, "pg_version", 14, 18,
                                &request->pg_version) &&
           exchange_get_boolean(exchange, project, PATH, "store_passwords",
                                &request->store_passwords) &&
           exchange_get_integer(exchange, project, PATH, "history_retention_seconds", 0,
                                HANDLERS_RETENTION_MAX_SECONDS, &request->retention_seconds) &&
           projects_read_settings(exchange, project, &request->settings) &&
           /* The deprecated place; default_endpoint_settings wins. */
           endpoints_read_settings(exchange, project, PATH, &request->defaults) &&
           projects_read_defaults(exchange, project, &request->defaults, &request->pg_settings) &&
           read_branch(exchange, project, request);
}

static int pick_version(const Exchange *exchange, int wanted)
{
    int majors[PROJECTS_VERSIONS_MAX] = {14, 15, 16, 17, 18};
    int count = 5;
    if (exchange->sandbox->compute != NULL) {
        count = compute_versions(exchange->sandbox->compute, majors, PROJECTS_VERSIONS_MAX);
    }
    int best = 0;
    for (int i = 0; i < count; i++) {
        if (majors[i] == wanted || (wanted == 0 && majors[i] == 17)) {
            return majors[i];
        }
        best = majors[i] > best ? majors[i] : best;
    }
    return wanted == 0 ? best : 0;
}

static bool check_request(Exchange *exchange, ProjectRequest *request)
{
    if (!accounts_is_region(request->region)) {
        exchange_fail(exchange, 400, "", "region not found; region_id:\"%s\"", request->region);
        return false;
    }
    int version = pick_version(exchange, (int)request->pg_version);
    if (version == 0) {
        exchange_fail(exchange, 400, "",
                      "PostgreSQL %d is not installed in this sandbox, see its --postgres",
                      (int)request->pg_version);
        return false;
    }
    request->pg_version = version;
    if (!settings_check_libraries(exchange, version,
                                  json_object_get(request->settings, "preload_libraries"))) {
        return false;
    }
    return request->role_name == NULL || roles_check_name(exchange, request->role_name);
}

static Project *add_project(Exchange *exchange, const ProjectRequest *request)
{
    Project *project = store_add_project(&exchange->sandbox->store, exchange->now_ms);
    text_build(project->name, sizeof(project->name), "%s",
               request->name != NULL ? request->name : project->id);
    text_build(project->region, sizeof(project->region), "%s", request->region);
    text_build(project->org_id, sizeof(project->org_id), "%s", request->org_id);
    text_build(project->owner_id, sizeof(project->owner_id), "%s", request->org_id);
    project->pg_version = (int)request->pg_version;
    project->store_passwords = request->store_passwords;
    project->history_retention_seconds = request->retention_seconds;
    project->endpoint_defaults = request->defaults;
    project->pg_settings = json_deep_copy(request->pg_settings);
    project->settings = projects_build_settings();
    projects_merge_settings(project->settings, request->settings);
    return project;
}

static Branch *add_main_branch(Exchange *exchange, Project *project, const ProjectRequest *request)
{
    Store *store = &exchange->sandbox->store;
    Branch *branch = store_add_branch(store, project, request->branch_name, exchange->now_ms);
    branch->is_default = true;
    branch->annotation =
        request->annotations == NULL ? json_object() : json_deep_copy(request->annotations);
    project->default_branch = branch;
    char owner[STORE_SQL_NAME_BYTES + 16];
    text_build(owner, sizeof(owner), "%s_owner", request->database_name);
    /* A database name of 63 bytes leaves no room for the suffix. */
    text_cut(owner, STORE_SQL_NAME_BYTES - 1);
    Role *role = store_add_role(
        store, branch, request->role_name != NULL ? request->role_name : owner, exchange->now_ms);
    ids_make_password(role->password);
    role->is_ours = true;
    role->is_known = true;
    store_add_database(store, branch, request->database_name, role->name, exchange->now_ms);
    return branch;
}

static void add_operations(Exchange *exchange, Branch *branch, Endpoint *endpoint)
{
    Sandbox *sandbox = exchange->sandbox;
    chain_add(sandbox, branch, NULL, ACTION_CREATE_TIMELINE, NULL);
    chain_add(sandbox, branch, endpoint, ACTION_START_COMPUTE, NULL);
    chain_start(sandbox, branch->project);
}

static void reply_created(Exchange *exchange, const Project *project)
{
    const Branch *branch = project->default_branch;
    const Endpoint *endpoint = branch->endpoint;
    const Role *role = branch->roles;
    const Database *database = branch->databases;
    exchange_reply(
        exchange, 201,
        json_pack("{s:o, s:[o], s:[o], s:[o], s:o, s:o, s:[o]}", "project", render_project(project),
                  "connection_uris", render_connection(endpoint, role, database->name), "roles",
                  render_role(branch, role, true), "databases", render_database(branch, database),
                  "operations", render_operations_from(project->operations), "branch",
                  render_branch(branch), "endpoints", render_endpoint(endpoint)));
}

void projects_create(Exchange *exchange)
{
    ProjectRequest request = {
        .region = "aws-us-east-2",
        .branch_name = "main",
        .database_name = "neondb",
        .retention_seconds = plans_default_retention(exchange->sandbox->options.plan),
        .store_passwords = true,
        .defaults = {.min_cu = 0.25, .max_cu = 0.25},
    };
    json_t *body = NULL;
    if (!exchange_get_subject(exchange, "project", &body) ||
        !read_members(exchange, body, &request) ||
        !read_organization(exchange, request.org_id, &request.org_id) ||
        !plans_allow_project(exchange, request.org_id) ||
        !plans_allow_retention(exchange, request.retention_seconds) ||
        !check_request(exchange, &request)) {
        return;
    }
    Project *project = add_project(exchange, &request);
    Branch *branch = add_main_branch(exchange, project, &request);
    Endpoint *endpoint = store_add_endpoint(&exchange->sandbox->store, branch, exchange->now_ms);
    if (exchange->sandbox->compute != NULL &&
        !compute_add_endpoint(exchange->sandbox->compute, endpoint)) {
        store_delete_project(&exchange->sandbox->store, project, exchange->now_ms);
        exchange_fail(exchange, 503, "", "please try again later");
        return;
    }
    add_operations(exchange, branch, endpoint);
    reply_created(exchange, project);
}

void projects_get(Exchange *exchange)
{
    exchange_reply(exchange, 200, json_pack("{s:o}", "project", render_project(exchange->project)));
}
