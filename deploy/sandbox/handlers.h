/* The handlers of all routes, a file a topic. Each reads its exchange and sets the reply. */
#pragma once

#include "compute.h"
#include "exchange.h"
#include "routes.h"

enum { HANDLERS_ANNOTATIONS_MAX = 50, HANDLERS_RETENTION_MAX_SECONDS = 2592000 };

void accounts_get_auth(Exchange *exchange);
void accounts_get_me(Exchange *exchange);
void accounts_list_organizations(Exchange *exchange);
void accounts_get_organization(Exchange *exchange);
void accounts_list_regions(Exchange *exchange);
/* Whether the region can be chosen for a new project. */
bool accounts_is_region(const char *region_id);

void members_list(Exchange *exchange);
void members_get(Exchange *exchange);

void keys_list_own(Exchange *exchange);
void keys_create_own(Exchange *exchange);
void keys_revoke_own(Exchange *exchange);
void keys_list_of_organization(Exchange *exchange);
void keys_create_of_organization(Exchange *exchange);
void keys_revoke_of_organization(Exchange *exchange);

void projects_list(Exchange *exchange);
void projects_create(Exchange *exchange);
void projects_get(Exchange *exchange);
void projects_update(Exchange *exchange);
void projects_delete(Exchange *exchange);
void projects_recover(Exchange *exchange);
bool projects_is_recoverable(const Project *project, int64_t now_ms);
void projects_list_shared(Exchange *exchange);
void projects_get_connection_uri(Exchange *exchange);
void projects_list_preload_libraries(Exchange *exchange);
/* The `settings` member of `project`; refuses wrong types in it. */
bool projects_read_settings(Exchange *exchange, const json_t *project, json_t **ret_settings);
/* Likewise its `default_endpoint_settings`. */
bool projects_read_defaults(Exchange *exchange, const json_t *project, EndpointSettings *defaults,
                            json_t **ret_pg_settings);
/* What a project has that asks for nothing; the caller's reference. */
json_t *projects_build_settings(void);
/* Takes over what was sent (NULL: nothing was); what wasn't stays. */
void projects_merge_settings(json_t *settings, const json_t *wanted);

void branches_list(Exchange *exchange);
void branches_count(Exchange *exchange);
void branches_create(Exchange *exchange);
void branches_get(Exchange *exchange);
void branches_update(Exchange *exchange);
void branches_set_as_default(Exchange *exchange);
/* Of a branch whose restore succeeds: roles and databases become those of its source, its own roles
 * keep their passwords. */
void branches_take_contents(Store *store, Branch *branch, int64_t now_ms);
void branches_restore(Exchange *exchange);
void branches_get_schema(Exchange *exchange);
/* Reads the database that the query names, then calls `done`, maybe at once. */
void branches_prepare_schema(Exchange *exchange, ComputeFunction done, void *argument);
/* Likewise both sides of a comparison. */
void branches_prepare_comparison(Exchange *exchange, ComputeFunction done, void *argument);
void branches_compare_schema(Exchange *exchange);
void branches_delete(Exchange *exchange);
void branches_recover(Exchange *exchange);
/* Whether what a deleted branch holds stays, for branches_recover. */
bool branches_can_be_kept(const Sandbox *sandbox, const Branch *branch);
/* A moment in a branch's history; both empty: now. */
typedef struct BranchPoint {
    char lsn[STORE_LSN_BYTES];
    int64_t time_ms;
} BranchPoint;

bool branches_is_point(const BranchPoint *point);
/* Whether the branch's data of then can be had; else answers 400. */
bool branches_check_point(Exchange *exchange, const Branch *branch, const BranchPoint *point);
/* Reads the members of those names: a position of the log or a time in the project's history. */
bool branches_read_point(Exchange *exchange, const json_t *object, const char *lsn_name,
                         const char *time_name, BranchPoint *ret_point);
void branches_inherit_role(Store *store, const Role *role, Branch *branch, int64_t now_ms);
/* Gives the branch the parent's roles and databases. */
void branches_inherit(Store *store, const Branch *parent, Branch *branch, int64_t now_ms);
/* Deletes the branch with its endpoint and starts the operations for it; the first of them. It can
 * come back, unless it is deleted for good. */
Operation *branches_remove(Sandbox *sandbox, Branch *branch, bool for_good, int64_t now_ms);
/* Answers 409 when another branch of the project has the name; NULL is free. */
bool branches_check_name(Exchange *exchange, const char *name);
/* The `expires_at` member of `object`, in the future and within Neon's 30 days. */
bool branches_read_expiry(Exchange *exchange, const json_t *object, int64_t *ret_expires_ms);
/* The same for a branch of a project that came back. */
void branches_watch_expiry(Sandbox *sandbox, Branch *branch, int64_t now_ms);
/* 0: never. The branch vanishes then. */
void branches_set_expiry(Sandbox *sandbox, Branch *branch, int64_t expires_ms, int64_t now_ms);
/* The branch that POST restore copies, or NULL; the body may be anything. */
Branch *branches_find_source(const Exchange *exchange);
/* The branch that POST branches copies, or NULL; the body may be anything. */
Branch *branches_find_parent(const Exchange *exchange);

void endpoints_list(Exchange *exchange);
void endpoints_list_of_branch(Exchange *exchange);
void endpoints_create(Exchange *exchange);
void endpoints_get(Exchange *exchange);
void endpoints_update(Exchange *exchange);
void endpoints_delete(Exchange *exchange);
void endpoints_restart(Exchange *exchange);
void endpoints_start(Exchange *exchange);
void endpoints_suspend(Exchange *exchange);
/* The endpoint of {endpoint_id}, or NULL: answered 404. */
Endpoint *endpoints_find(Exchange *exchange);
/* {endpoint, operations} from `first` (NULL: none). */
void endpoints_reply(Exchange *exchange, int status, const Endpoint *endpoint,
                     const Operation *first);
/* What an endpoint has beside its settings; the text stays the body's. */
typedef struct EndpointDetails {
    const char *name; /* NULL: not sent */
    bool is_disabled;
    bool has_passwordless_access;
    json_t *pg_settings; /* NULL: not sent */
    json_t *libraries;   /* likewise */
} EndpointDetails;

/* Leaves what wasn't sent. */
bool endpoints_read_details(Exchange *exchange, const json_t *body, EndpointDetails *details);
void endpoints_set_details(Endpoint *endpoint, const EndpointDetails *details);
/* Reads the `settings` member of `body`, named `path`, into `details`. */
bool endpoints_read_pg_settings(Exchange *exchange, const json_t *body, const char *path,
                                EndpointDetails *details);
/* Reads the settings an endpoint or its defaults may have; refuses impossible ones. */
bool endpoints_read_settings(Exchange *exchange, const json_t *object, const char *path,
                             EndpointSettings *settings);

void roles_list(Exchange *exchange);
void roles_create(Exchange *exchange);
void roles_get(Exchange *exchange);
void roles_delete(Exchange *exchange);
void roles_reveal_password(Exchange *exchange);
void roles_reset_password(Exchange *exchange);
/* 1 to 63 bytes and not reserved; else answers 400. */
bool roles_check_name(Exchange *exchange, const char *name);

void databases_list(Exchange *exchange);
void databases_create(Exchange *exchange);
void databases_get(Exchange *exchange);
void databases_update(Exchange *exchange);
void databases_delete(Exchange *exchange);

void operations_list(Exchange *exchange);
void operations_get(Exchange *exchange);

void admin_get_state(Exchange *exchange);
void admin_list_calls(Exchange *exchange);
void admin_list_faults(Exchange *exchange);
void admin_add_faults(Exchange *exchange);
void admin_clear_faults(Exchange *exchange);
void admin_remove_fault(Exchange *exchange);
void admin_add_keys(Exchange *exchange);
void admin_set_knowledge(Exchange *exchange);
