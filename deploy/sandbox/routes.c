#include "routes.h"

#include <string.h>

#include "handlers.h"

#define O "/organizations/{org_id}"
#define P "/projects/{project_id}"
#define B P "/branches/{branch_id}"
#define ROUTE(method, pattern, handle, flags)                                                      \
    {                                                                                              \
        method, pattern, method " " pattern, handle, flags                                         \
    }

static const Route ROUTES[] = {
    ROUTE("GET", "/auth", accounts_get_auth, 0),
    ROUTE("GET", "/users/me", accounts_get_me, 0),
    ROUTE("GET", "/users/me/organizations", accounts_list_organizations, 0),
    ROUTE("GET", O, accounts_get_organization, 0),
    ROUTE("GET", O "/members", members_list, 0),
    ROUTE("GET", O "/members/{member_id}", members_get, 0),
    ROUTE("GET", "/regions", accounts_list_regions, 0),

    ROUTE("GET", "/api_keys", keys_list_own, 0),
    ROUTE("POST", "/api_keys", keys_create_own, 0),
    ROUTE("DELETE", "/api_keys/{key_id}", keys_revoke_own, 0),
    ROUTE("GET", O "/api_keys", keys_list_of_organization, 0),
    ROUTE("POST", O "/api_keys", keys_create_of_organization, 0),
    ROUTE("DELETE", O "/api_keys/{key_id}", keys_revoke_of_organization, 0),

    ROUTE("GET", "/projects", projects_list, 0),
    ROUTE("POST", "/projects", projects_create, 0),
    ROUTE("GET", "/projects/shared", projects_list_shared, 0),
    ROUTE("GET", P, projects_get, 0),
    ROUTE("PATCH", P, projects_update, 0),
    /* Neon deletes a project while its first operations still run (recorded). */
    ROUTE("DELETE", P, projects_delete, 0),
    ROUTE("POST", P "/recover", projects_recover, ROUTE_DELETED),
    ROUTE("GET", P "/connection_uri", projects_get_connection_uri, 0),
    ROUTE("GET", P "/available_preload_libraries", projects_list_preload_libraries, 0),

    ROUTE("GET", P "/branches", branches_list, 0),
    ROUTE("POST", P "/branches", branches_create, ROUTE_LOCKS | ROUTE_SYNC),
    ROUTE("GET", P "/branches/count", branches_count, 0),
    ROUTE("GET", B, branches_get, 0),
    ROUTE("PATCH", B, branches_update, ROUTE_LOCKS),
    ROUTE("GET", B "/schema", branches_get_schema, ROUTE_SYNC | ROUTE_SCHEMA),
    ROUTE("GET", B "/compare_schema", branches_compare_schema, ROUTE_SYNC | ROUTE_SCHEMA),
    ROUTE("POST", B "/restore", branches_restore, ROUTE_LOCKS | ROUTE_SYNC),
    ROUTE("POST", B "/set_as_default", branches_set_as_default, ROUTE_LOCKS),
    ROUTE("DELETE", B, branches_delete, ROUTE_LOCKS | ROUTE_ABSENT_OK),
    ROUTE("POST", B "/recover", branches_recover, ROUTE_LOCKS | ROUTE_DELETED_BRANCH),
    ROUTE("GET", B "/endpoints", endpoints_list_of_branch, 0),

    ROUTE("GET", P "/endpoints", endpoints_list, 0),
    ROUTE("POST", P "/endpoints", endpoints_create, ROUTE_LOCKS),
    ROUTE("GET", P "/endpoints/{endpoint_id}", endpoints_get, 0),
    ROUTE("PATCH", P "/endpoints/{endpoint_id}", endpoints_update, ROUTE_LOCKS),
    ROUTE("DELETE", P "/endpoints/{endpoint_id}", endpoints_delete, ROUTE_LOCKS),
    ROUTE("POST", P "/endpoints/{endpoint_id}/start", endpoints_start, ROUTE_LOCKS),
    ROUTE("POST", P "/endpoints/{endpoint_id}/suspend", endpoints_suspend, ROUTE_LOCKS),
    ROUTE("POST", P "/endpoints/{endpoint_id}/restart", endpoints_restart, ROUTE_LOCKS),

    ROUTE("GET", B "/roles", roles_list, ROUTE_SYNC),
    ROUTE("POST", B "/roles", roles_create, ROUTE_LOCKS | ROUTE_SYNC),
    ROUTE("GET", B "/roles/{role_name}", roles_get, ROUTE_SYNC),
    ROUTE("DELETE", B "/roles/{role_name}", roles_delete, ROUTE_LOCKS | ROUTE_SYNC),
    ROUTE("GET", B "/roles/{role_name}/reveal_password", roles_reveal_password, ROUTE_SYNC),
    ROUTE("POST", B "/roles/{role_name}/reset_password", roles_reset_password,
          ROUTE_LOCKS | ROUTE_SYNC),

    ROUTE("GET", B "/databases", databases_list, ROUTE_SYNC),
    ROUTE("POST", B "/databases", databases_create, ROUTE_LOCKS | ROUTE_SYNC),
    ROUTE("GET", B "/databases/{database_name}", databases_get, ROUTE_SYNC),
    ROUTE("PATCH", B "/databases/{database_name}", databases_update, ROUTE_LOCKS | ROUTE_SYNC),
    ROUTE("DELETE", B "/databases/{database_name}", databases_delete, ROUTE_LOCKS | ROUTE_SYNC),

    ROUTE("GET", P "/operations", operations_list, 0),
    ROUTE("GET", P "/operations/{operation_id}", operations_get, 0),

    ROUTE("GET", "/sandbox/state", admin_get_state, ROUTE_ADMIN),
    ROUTE("GET", "/sandbox/calls", admin_list_calls, ROUTE_ADMIN),
    ROUTE("GET", "/sandbox/faults", admin_list_faults, ROUTE_ADMIN),
    ROUTE("POST", "/sandbox/faults", admin_add_faults, ROUTE_ADMIN),
    ROUTE("DELETE", "/sandbox/faults", admin_clear_faults, ROUTE_ADMIN),
    ROUTE("DELETE", "/sandbox/faults/{fault_id}", admin_remove_fault, ROUTE_ADMIN),
    ROUTE("POST", "/sandbox/keys", admin_add_keys, ROUTE_ADMIN),
    ROUTE("POST", "/sandbox/knowledge", admin_set_knowledge, ROUTE_ADMIN),
};

enum { ROUTE_COUNT = sizeof(ROUTES) / sizeof(ROUTES[0]), SEGMENTS_MAX = 12 };

static const char BASE[] = "/api/v2";

static int split_segments(char *path, char *ret_segments[SEGMENTS_MAX])
{
    int count = 0;
    char *rest = path;
    while (*rest == '/') {
        *rest++ = '\0';
        if (count == SEGMENTS_MAX) {
            return -1;
        }
        ret_segments[count++] = rest;
        rest += strcspn(rest, "/");
    }
    return count;
}

static bool match_pattern(const char *pattern, char *const *segments, int count,
                          char *ret_parameters[EXCHANGE_PARAMETERS_MAX])
{
    int parameters = 0;
    for (int i = 0; i < count; i++) {
        if (*pattern != '/') {
            return false;
        }
        pattern++;
        size_t length = strcspn(pattern, "/");
        if (pattern[0] == '{') {
            ret_parameters[parameters++] = segments[i];
        } else if (strlen(segments[i]) != length || memcmp(segments[i], pattern, length) != 0) {
            return false;
        }
        pattern += length;
    }
    return *pattern == '\0';
}

const Route *routes_find(const char *method, char *path,
                         char *ret_parameters[EXCHANGE_PARAMETERS_MAX])
{
    bool is_api = strncmp(path, BASE, sizeof(BASE) - 1) == 0;
    char *segments[SEGMENTS_MAX];
    int count = split_segments(is_api ? path + sizeof(BASE) - 1 : path, segments);
    for (int i = 0; i < count; i++) {
        if (!text_decode_percent(segments[i]) || segments[i][0] == '\0') {
            return NULL;
        }
    }
    for (int i = 0; i < ROUTE_COUNT && count > 0; i++) {
        const Route *route = &ROUTES[i];
        bool is_admin = (route->flags & ROUTE_ADMIN) != 0;
        if (is_admin != is_api && strcmp(route->method, method) == 0 &&
            match_pattern(route->pattern, segments, count, ret_parameters)) {
            return route;
        }
    }
    return NULL;
}

static bool resolve_branch(Exchange *exchange)
{
    const Store *store = &exchange->sandbox->store;
    const char *id = exchange->parameters[1];
    exchange->branch = (exchange->route->flags & ROUTE_DELETED_BRANCH) != 0
                           ? store_find_hidden_branch(store, exchange->project, id)
                           : store_find_branch(store, exchange->project, id);
    bool is_read = strcmp(exchange->route->method, "GET") == 0;
    if (exchange->branch != NULL && is_read &&
        !store_is_found(&exchange->branch->life, exchange->now_ms)) {
        exchange->branch = NULL;
    }
    if (exchange->branch == NULL && (exchange->route->flags & ROUTE_ABSENT_OK) == 0) {
        exchange_fail(exchange, 404, "", "branch not found");
        return false;
    }
    return true;
}

static bool resolve_project(Exchange *exchange)
{
    const Key *key = exchange->key;
    const char *id = exchange->parameters[0];
    if (key->kind == KEY_PROJECT && strcmp(key->project_id, id) != 0) {
        exchange_fail(exchange, 404, "",
                      "not allowed to perform actions outside the project this key is scoped to; "
                      "subject_project_id:\"%s\"",
                      key->project_id);
        return false;
    }
    const Store *store = &exchange->sandbox->store;
    Project *project = (exchange->route->flags & ROUTE_DELETED) != 0
                           ? store_find_hidden_project(store, id)
                           : store_find_project(store, id);
    bool is_read = strcmp(exchange->route->method, "GET") == 0;
    bool is_hidden =
        project != NULL && is_read && !store_is_found(&project->life, exchange->now_ms);
    if (project == NULL || is_hidden || !keys_sees_project(key, project)) {
        exchange_fail(exchange, 404, "", "project not found");
        return false;
    }
    exchange->project = project;
    return true;
}

bool routes_resolve(Exchange *exchange)
{
    if (strncmp(exchange->route->pattern, P, sizeof(P) - 1) != 0) {
        return true;
    }
    if (!resolve_project(exchange)) {
        return false;
    }
    bool has_branch = strncmp(exchange->route->pattern, B, sizeof(B) - 1) == 0;
    if (has_branch && !resolve_branch(exchange)) {
        return false;
    }
    if ((exchange->route->flags & ROUTE_LOCKS) != 0 && store_is_locked(exchange->project)) {
        exchange_fail(exchange, 423, "",
                      "project already has running conflicting operations, scheduling of new ones "
                      "is prohibited");
        return false;
    }
    return true;
}
