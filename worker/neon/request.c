#include "neon/request.h"

#include <assert.h>
#include <string.h>

#include "neon/request_body.h"

// The paths, https://api-docs.neon.tech/reference/; each {…} stands for one argument.
static const struct {
    const char *method;
    const char *name;
} ROUTES[NEON_ROUTE_COUNT_OF] = {
    [NEON_ROUTE_NONE] = {"", "none"},
    [NEON_ROUTE_GET_AUTH] = {"GET", "GET /auth"},
    [NEON_ROUTE_LIST_ORGANIZATIONS] = {"GET", "GET /users/me/organizations"},
    [NEON_ROUTE_LIST_REGIONS] = {"GET", "GET /regions"},
    [NEON_ROUTE_LIST_PROJECTS] = {"GET", "GET /projects"},
    [NEON_ROUTE_GET_PROJECT] = {"GET", "GET /projects/{project_id}"},
    [NEON_ROUTE_CREATE_PROJECT] = {"POST", "POST /projects"},
    [NEON_ROUTE_UPDATE_PROJECT] = {"PATCH", "PATCH /projects/{project_id}"},
    [NEON_ROUTE_DELETE_PROJECT] = {"DELETE", "DELETE /projects/{project_id}"},
    [NEON_ROUTE_LIST_BRANCHES] = {"GET", "GET /projects/{project_id}/branches"},
    [NEON_ROUTE_GET_BRANCH] = {"GET", "GET /projects/{project_id}/branches/{branch_id}"},
    [NEON_ROUTE_CREATE_BRANCH] = {"POST", "POST /projects/{project_id}/branches"},
    [NEON_ROUTE_UPDATE_BRANCH] = {"PATCH", "PATCH /projects/{project_id}/branches/{branch_id}"},
    [NEON_ROUTE_RESTORE_BRANCH] = {"POST",
                                   "POST /projects/{project_id}/branches/{branch_id}/restore"},
    [NEON_ROUTE_DELETE_BRANCH] = {"DELETE", "DELETE /projects/{project_id}/branches/{branch_id}"},
    [NEON_ROUTE_LIST_ENDPOINTS] = {"GET",
                                   "GET /projects/{project_id}/branches/{branch_id}/endpoints"},
    [NEON_ROUTE_CREATE_ENDPOINT] = {"POST", "POST /projects/{project_id}/endpoints"},
    [NEON_ROUTE_GET_ENDPOINT] = {"GET", "GET /projects/{project_id}/endpoints/{endpoint_id}"},
    [NEON_ROUTE_UPDATE_ENDPOINT] = {"PATCH",
                                    "PATCH /projects/{project_id}/endpoints/{endpoint_id}"},
    [NEON_ROUTE_DELETE_ENDPOINT] = {"DELETE",
                                    "DELETE /projects/{project_id}/endpoints/{endpoint_id}"},
    [NEON_ROUTE_LIST_DATABASES] = {"GET",
                                   "GET /projects/{project_id}/branches/{branch_id}/databases"},
    [NEON_ROUTE_LIST_ROLES] = {"GET", "GET /projects/{project_id}/branches/{branch_id}/roles"},
    [NEON_ROUTE_REVEAL_PASSWORD] = {"GET", "GET /projects/{project_id}/branches/{branch_id}/roles/"
                                           "{role_name}/reveal_password"},
    [NEON_ROUTE_RESET_PASSWORD] = {"POST", "POST /projects/{project_id}/branches/{branch_id}/roles/"
                                           "{role_name}/reset_password"},
    [NEON_ROUTE_GET_CONNECTION_URI] = {"GET", "GET /projects/{project_id}/connection_uri"},
    [NEON_ROUTE_GET_OPERATION] = {"GET", "GET /projects/{project_id}/operations/{operation_id}"},
};

void neon_request_clear(NeonRequest *request)
{
    text_clear(&request->path);
    text_clear(&request->body);
    request->route = NEON_ROUTE_NONE;
    request->method = ROUTES[NEON_ROUTE_NONE].method;
}

const char *neon_route_name(NeonRoute route)
{
    return ROUTES[route].name;
}

bool neon_route_is_mutating(NeonRoute route)
{
    return route != NEON_ROUTE_NONE && strcmp(ROUTES[route].method, "GET") != 0;
}

// A role may be called "..", and RFC 3986 §5.2.4 would take that for a step up.
static void append_segment(Text *path, const char *segment)
{
    assert(segment[0] != '\0');
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0) {
        text_append(path, segment[1] == '\0' ? "%2E" : "%2E%2E");
    } else {
        text_append_url(path, segment);
    }
}

// What stands for the {…} of a path, in their order.
enum { SEGMENTS_MAX = 3 };
typedef struct Segments {
    const char *at[SEGMENTS_MAX];
} Segments;

static void begin(NeonRequest *request, NeonRoute route, Segments segments)
{
    neon_request_clear(request);
    request->route = route;
    request->method = ROUTES[route].method;
    const char *pattern = ROUTES[route].name + strlen(request->method) + 1;
    for (size_t i = 0; *pattern != '\0'; pattern++) {
        if (*pattern == '{') {
            assert(i < SEGMENTS_MAX && segments.at[i] != NULL);
            append_segment(&request->path, segments.at[i++]);
            pattern = strchr(pattern, '}');
        } else {
            text_append_char(&request->path, *pattern);
        }
    }
}

static void begin_in_branch(NeonRequest *request, NeonRoute route, const char *project_id,
                            const char *branch_id)
{
    begin(request, route, (Segments){{project_id, branch_id}});
}

// Leaves an empty value out.
static void add_query(NeonRequest *request, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        return;
    }
    char separator = strchr(text_get(&request->path), '?') == NULL ? '?' : '&';
    text_append_char(&request->path, separator);
    text_append(&request->path, name);
    text_append_char(&request->path, '=');
    text_append_url(&request->path, value);
}

void neon_request_auth(NeonRequest *request)
{
    begin(request, NEON_ROUTE_GET_AUTH, (Segments){{NULL}});
}

void neon_request_organizations(NeonRequest *request)
{
    begin(request, NEON_ROUTE_LIST_ORGANIZATIONS, (Segments){{NULL}});
}

void neon_request_regions(NeonRequest *request, const char *org_id)
{
    begin(request, NEON_ROUTE_LIST_REGIONS, (Segments){{NULL}});
    add_query(request, "org_id", org_id);
}

// 400 is the largest page and 30,000 ms the longest that Neon collects; after that the list is
// partial (https://api-docs.neon.tech/reference/listprojects).
void neon_request_projects(NeonRequest *request, const char *search, const char *org_id,
                           const char *cursor)
{
    begin(request, NEON_ROUTE_LIST_PROJECTS, (Segments){{NULL}});
    add_query(request, "limit", "400");
    add_query(request, "timeout", "30000");
    add_query(request, "search", search);
    add_query(request, "org_id", org_id);
    add_query(request, "cursor", cursor);
}

void neon_request_project(NeonRequest *request, const char *project_id)
{
    begin(request, NEON_ROUTE_GET_PROJECT, (Segments){{project_id}});
}

void neon_request_create_project(NeonRequest *request, const NeonProjectSpec *spec)
{
    begin(request, NEON_ROUTE_CREATE_PROJECT, (Segments){{NULL}});
    neon_request_body_project(&request->body, spec);
}

void neon_request_update_project(NeonRequest *request, const char *project_id,
                                 int64_t history_retention_seconds)
{
    begin(request, NEON_ROUTE_UPDATE_PROJECT, (Segments){{project_id}});
    neon_request_body_retention(&request->body, history_retention_seconds);
}

void neon_request_delete_project(NeonRequest *request, const char *project_id)
{
    begin(request, NEON_ROUTE_DELETE_PROJECT, (Segments){{project_id}});
}

// Oldest first: what is created while the pages are read comes on a later one.
void neon_request_branches(NeonRequest *request, const char *project_id, const char *search,
                           const char *cursor, bool include_deleted)
{
    begin(request, NEON_ROUTE_LIST_BRANCHES, (Segments){{project_id}});
    add_query(request, "sort_by", "created_at");
    add_query(request, "sort_order", "asc");
    add_query(request, "limit", "10000");
    add_query(request, "search", search);
    add_query(request, "cursor", cursor);
    add_query(request, "include_deleted", include_deleted ? "true" : "");
}

void neon_request_branch(NeonRequest *request, const char *project_id, const char *branch_id)
{
    begin_in_branch(request, NEON_ROUTE_GET_BRANCH, project_id, branch_id);
}

void neon_request_create_branch(NeonRequest *request, const char *project_id,
                                const NeonBranchSpec *spec)
{
    begin(request, NEON_ROUTE_CREATE_BRANCH, (Segments){{project_id}});
    neon_request_body_branch(&request->body, spec);
}

void neon_request_expire_branch(NeonRequest *request, const char *project_id, const char *branch_id,
                                int64_t expires_ms)
{
    begin_in_branch(request, NEON_ROUTE_UPDATE_BRANCH, project_id, branch_id);
    neon_request_body_expiry(&request->body, expires_ms);
}

void neon_request_restore_branch(NeonRequest *request, const char *project_id,
                                 const char *branch_id, const char *source_branch_id,
                                 const char *preserve_under_name)
{
    assert(source_branch_id[0] != '\0');
    begin_in_branch(request, NEON_ROUTE_RESTORE_BRANCH, project_id, branch_id);
    neon_request_body_restore(&request->body, source_branch_id, preserve_under_name);
}

void neon_request_delete_branch(NeonRequest *request, const char *project_id, const char *branch_id)
{
    begin_in_branch(request, NEON_ROUTE_DELETE_BRANCH, project_id, branch_id);
}

void neon_request_endpoints(NeonRequest *request, const char *project_id, const char *branch_id)
{
    begin_in_branch(request, NEON_ROUTE_LIST_ENDPOINTS, project_id, branch_id);
}

void neon_request_create_endpoint(NeonRequest *request, const char *project_id,
                                  const char *branch_id, const NeonEndpointSpec *spec)
{
    assert(branch_id[0] != '\0');
    begin(request, NEON_ROUTE_CREATE_ENDPOINT, (Segments){{project_id}});
    neon_request_body_endpoint(&request->body, branch_id, spec);
}

void neon_request_endpoint(NeonRequest *request, const char *project_id, const char *endpoint_id)
{
    begin(request, NEON_ROUTE_GET_ENDPOINT, (Segments){{project_id, endpoint_id}});
}

void neon_request_update_endpoint(NeonRequest *request, const char *project_id,
                                  const char *endpoint_id, const NeonEndpointSpec *changes)
{
    begin(request, NEON_ROUTE_UPDATE_ENDPOINT, (Segments){{project_id, endpoint_id}});
    neon_request_body_changes(&request->body, changes);
}

void neon_request_delete_endpoint(NeonRequest *request, const char *project_id,
                                  const char *endpoint_id)
{
    begin(request, NEON_ROUTE_DELETE_ENDPOINT, (Segments){{project_id, endpoint_id}});
}

void neon_request_databases(NeonRequest *request, const char *project_id, const char *branch_id)
{
    begin_in_branch(request, NEON_ROUTE_LIST_DATABASES, project_id, branch_id);
}

void neon_request_roles(NeonRequest *request, const char *project_id, const char *branch_id)
{
    begin_in_branch(request, NEON_ROUTE_LIST_ROLES, project_id, branch_id);
}

void neon_request_reveal_password(NeonRequest *request, const char *project_id,
                                  const char *branch_id, const char *role)
{
    begin(request, NEON_ROUTE_REVEAL_PASSWORD, (Segments){{project_id, branch_id, role}});
}

void neon_request_reset_password(NeonRequest *request, const char *project_id,
                                 const char *branch_id, const char *role)
{
    begin(request, NEON_ROUTE_RESET_PASSWORD, (Segments){{project_id, branch_id, role}});
}

void neon_request_connection_uri(NeonRequest *request, const NeonUriSpec *spec)
{
    assert(spec->branch_id[0] != '\0' && spec->endpoint_id[0] != '\0');
    begin(request, NEON_ROUTE_GET_CONNECTION_URI, (Segments){{spec->project_id}});
    add_query(request, "branch_id", spec->branch_id);
    add_query(request, "endpoint_id", spec->endpoint_id);
    add_query(request, "database_name", spec->database);
    add_query(request, "role_name", spec->role);
    add_query(request, "pooled", spec->pooled ? "true" : "false");
}

void neon_request_operation(NeonRequest *request, const char *project_id, const char *operation_id)
{
    begin(request, NEON_ROUTE_GET_OPERATION, (Segments){{project_id, operation_id}});
}
