/*
 * Builds each request to Neon's API (https://api-docs.neon.tech/reference/) that the worker sends:
 * method, path below neon.api_url, body. Nothing is sent here; the key is added by the one who
 * sends. Identifiers are percent-encoded; an empty one is a programming mistake (Neon would
 * redirect `/projects//branches`).
 */
#ifndef NEON_REQUEST_H
#define NEON_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "neon/mark.h"

// Also the label of metrics and logs.
typedef enum NeonRoute {
    NEON_ROUTE_NONE,
    NEON_ROUTE_GET_AUTH,
    NEON_ROUTE_LIST_ORGANIZATIONS,
    NEON_ROUTE_LIST_REGIONS,
    NEON_ROUTE_LIST_PROJECTS,
    NEON_ROUTE_GET_PROJECT,
    NEON_ROUTE_CREATE_PROJECT,
    NEON_ROUTE_UPDATE_PROJECT,
    NEON_ROUTE_DELETE_PROJECT,
    NEON_ROUTE_LIST_BRANCHES,
    NEON_ROUTE_GET_BRANCH,
    NEON_ROUTE_CREATE_BRANCH,
    NEON_ROUTE_UPDATE_BRANCH,
    NEON_ROUTE_RESTORE_BRANCH,
    NEON_ROUTE_DELETE_BRANCH,
    NEON_ROUTE_LIST_ENDPOINTS,
    NEON_ROUTE_CREATE_ENDPOINT,
    NEON_ROUTE_GET_ENDPOINT,
    NEON_ROUTE_UPDATE_ENDPOINT,
    NEON_ROUTE_DELETE_ENDPOINT,
    NEON_ROUTE_LIST_DATABASES,
    NEON_ROUTE_LIST_ROLES,
    NEON_ROUTE_REVEAL_PASSWORD,
    NEON_ROUTE_RESET_PASSWORD,
    NEON_ROUTE_GET_CONNECTION_URI,
    NEON_ROUTE_GET_OPERATION,
    NEON_ROUTE_COUNT_OF
} NeonRoute;

typedef struct NeonRequest {
    NeonRoute route;
    const char *method; // "GET", "POST", "DELETE", "PATCH"
    Text path;          // with query, starts with '/'
    Text body;          // JSON, empty for none
} NeonRequest;

#define NEON_REQUEST_INIT ((NeonRequest){.path = TEXT_INIT(4096), .body = TEXT_INIT(65536)})

void neon_request_clear(NeonRequest *request);
// "POST /projects/{project_id}/branches"
const char *neon_route_name(NeonRoute route);
bool neon_route_is_mutating(NeonRoute route);

// What was not given is left out of the body.
typedef struct NeonEndpointSpec {
    bool has_min_cu, has_max_cu, has_suspend;
    double min_cu, max_cu;           // compute units
    int64_t suspend_timeout_seconds; // -1 = never, 0 = default
} NeonEndpointSpec;

typedef struct NeonProjectSpec {
    const char *name;
    const char *region_id;
    const char *org_id; // "" = none
    int pg_version;     // 0 = default
    bool has_history_retention;
    int64_t history_retention_seconds;
    const char *branch_name;
    const char *database_name; // role name is left to Neon: <database>_owner
    NeonEndpointSpec endpoint;
    NeonMark mark; // annotations of the root branch
} NeonProjectSpec;

typedef struct NeonAnnotation {
    const char *name;
    const char *value; // "" = left out
} NeonAnnotation;

typedef struct NeonBranchSpec {
    const char *name;
    const char *parent_id;
    const char *parent_lsn;    // NULL or "" = none; else no parent_ms
    int64_t parent_ms;         // point in time; 0 = now
    bool schema_only;          // without rows, and without a parent
    int64_t expires_ms;        // whole seconds; 0 = never
    NeonEndpointSpec endpoint; // one read_write endpoint is made in the same call
    NeonMark mark;
    const NeonAnnotation *annotations; // besides the mark
    size_t annotation_count;
} NeonBranchSpec;

// Each fills an initialised request (whatever it held is cleared).
void neon_request_auth(NeonRequest *request);
void neon_request_organizations(NeonRequest *request);
void neon_request_regions(NeonRequest *request, const char *org_id);
// `search` matches part of a name or id: compare exactly afterwards. `cursor` "" = first page.
// limit=400, timeout=30000.
void neon_request_projects(NeonRequest *request, const char *search, const char *org_id,
                           const char *cursor);
void neon_request_project(NeonRequest *request, const char *project_id);
void neon_request_create_project(NeonRequest *request, const NeonProjectSpec *spec);
// What isn't given stays.
void neon_request_update_project(NeonRequest *request, const char *project_id,
                                 int64_t history_retention_seconds);
void neon_request_delete_project(NeonRequest *request, const char *project_id);
// sort_by=created_at (the default, updated_at, skips rows under concurrent change), limit=10000.
void neon_request_branches(NeonRequest *request, const char *project_id, const char *search,
                           const char *cursor, bool include_deleted);
void neon_request_branch(NeonRequest *request, const char *project_id, const char *branch_id);
void neon_request_create_branch(NeonRequest *request, const char *project_id,
                                const NeonBranchSpec *spec);
// Changes when it is deleted; whole seconds.
void neon_request_expire_branch(NeonRequest *request, const char *project_id, const char *branch_id,
                                int64_t expires_ms);
// Brings the branch to the present state of another. `preserve_under_name`: what it was, and its
// children, become a branch of this name; "" = what it was is lost.
void neon_request_restore_branch(NeonRequest *request, const char *project_id,
                                 const char *branch_id, const char *source_branch_id,
                                 const char *preserve_under_name);
void neon_request_delete_branch(NeonRequest *request, const char *project_id,
                                const char *branch_id);
void neon_request_endpoints(NeonRequest *request, const char *project_id, const char *branch_id);
void neon_request_create_endpoint(NeonRequest *request, const char *project_id,
                                  const char *branch_id, const NeonEndpointSpec *spec);
void neon_request_endpoint(NeonRequest *request, const char *project_id, const char *endpoint_id);
// What isn't given stays.
void neon_request_update_endpoint(NeonRequest *request, const char *project_id,
                                  const char *endpoint_id, const NeonEndpointSpec *changes);
void neon_request_delete_endpoint(NeonRequest *request, const char *project_id,
                                  const char *endpoint_id);
void neon_request_databases(NeonRequest *request, const char *project_id, const char *branch_id);
void neon_request_roles(NeonRequest *request, const char *project_id, const char *branch_id);
void neon_request_reveal_password(NeonRequest *request, const char *project_id,
                                  const char *branch_id, const char *role);
void neon_request_reset_password(NeonRequest *request, const char *project_id,
                                 const char *branch_id, const char *role);
// Always with branch, endpoint and `pooled` (left out, Neon was seen to answer with the pooled
// host).
typedef struct NeonUriSpec {
    const char *project_id, *branch_id, *endpoint_id, *database, *role;
    bool pooled;
} NeonUriSpec;
void neon_request_connection_uri(NeonRequest *request, const NeonUriSpec *spec);
void neon_request_operation(NeonRequest *request, const char *project_id, const char *operation_id);

#endif
