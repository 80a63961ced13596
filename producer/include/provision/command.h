/*
 * Commands: what each wants to know, and how it is built. Included by provision/provision.h, which
 * has the conventions and sends them.
 */
#ifndef PROVISION_COMMAND_H
#define PROVISION_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provision/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ProvisionCommand ProvisionCommand;

enum { PROVISION_KEY_BYTES = 32 };

// 64 hex digits, as `provisionctl keygen` writes them; surrounding white space is allowed. Error:
// KEY_INVALID.
bool provision_public_key_parse(const char *hex, uint8_t ret_key[PROVISION_KEY_BYTES],
                                ProvisionError *err);

// Stores a Neon API key under a name of the application; again with another key replaces it. Give
// api_key and fleet_public_key (the key travels in a sealed box that only workers can open), or
// reference.
typedef struct ProvisionConnectAccount {
    const char *account;
    const char *api_key;             // or NULL
    const uint8_t *fleet_public_key; // PROVISION_KEY_BYTES bytes, with api_key
    const char *reference;           // or NULL; "file:NAME" or "env:NAME", resolved by the worker
    const char *org_id; // optional: needed where a personal key reaches several organizations
} ProvisionConnectAccount;

// Compute of an endpoint; all zero: Neon's defaults.
typedef struct ProvisionEndpoint {
    double min_cu;                   // compute units: 0.25, 0.5 or whole; 0 = Neon's default
    double max_cu;                   // 0 = Neon's default
    int64_t suspend_timeout_seconds; // 0 = Neon's default, -1 = never, else 60 to 604,800
} ProvisionEndpoint;

typedef enum ProvisionAccess {
    PROVISION_ACCESS_WRITE,
    PROVISION_ACCESS_READ,
    PROVISION_ACCESS_ADMIN, // the service runs its own migrations
} ProvisionAccess;

typedef struct ProvisionDatabaseAccess {
    const char *database;
    ProvisionAccess access;
} ProvisionDatabaseAccess;

// A backend service, which logs in as svc_<name>, and the databases it uses, each once.
typedef struct ProvisionService {
    const char *name;
    const ProvisionDatabaseAccess *databases;
    size_t database_count;
} ProvisionService;

// A new Neon project with its root branch and endpoint.
typedef struct ProvisionCreateEnvironment {
    const char *environment;
    const char *account;
    const char *region_id;        // for example aws-eu-central-1
    const char *project_name;     // optional: <application>-<environment>
    const char *branch_name;      // optional: main
    const char *const *databases; // optional: one, neondb
    size_t database_count;
    int32_t pg_version;                // major version; 0 = Neon's default
    bool has_history_retention;        // false: Neon's default
    int64_t history_retention_seconds; // 0 to 2,592,000, capped by the plan
    ProvisionEndpoint endpoint;
    const ProvisionService *services; // optional; each once
    size_t service_count;
} ProvisionCreateEnvironment;

// Forgets the key. Refused while environments use the account.
typedef struct ProvisionDisconnectAccount {
    const char *account;
} ProvisionDisconnectAccount;

// What an account's key sees: regions, projects, branches. They come as AccountInventory events,
// one a page.
typedef struct ProvisionDiscoverAccount {
    const char *account;
    const char *project_filter; // optional: part of a project's name or id
} ProvisionDiscoverAccount;

// A new branch with its endpoint; every inherited password is replaced. The source is
// source_environment, or the three other source_… fields together.
typedef struct ProvisionBranchEnvironment {
    const char *environment;
    const char *source_environment; // of the same application
    const char *source_account;
    const char *source_project_id;
    const char *source_branch; // exact name or id
    const char *branch_name;   // optional: <application>-<environment>
    ProvisionEndpoint endpoint;
    const ProvisionService *services; // none: those of the source environment
    size_t service_count;
    // From where the source was then, within its history; neither: as it is now. One of the two.
    int64_t point_in_time_ms; // 0: none
    const char *lsn;          // optional: position in the WAL such as 0/1A2B3C4D
    bool schema_only;         // without the rows
    int64_t expires_at_ms;    // 0: never; Neon deletes the branch then, at most 30 days from now
} ProvisionBranchEnvironment;

// A branch that is there already, used as it is: no branch is made and nothing changed.
typedef struct ProvisionImportEnvironment {
    const char *environment;
    const char *account;
    const char *project_id;
    const char *branch;   // exact name or id
    bool create_endpoint; // ask for one if the branch has none
    bool shared;          // another environment has imported the branch, too
} ProvisionImportEnvironment;

// Changes the project of an environment, which others may live in; one of the two.
typedef struct ProvisionEditProject {
    const char *environment;
    bool has_history_retention;
    int64_t history_retention_seconds; // 0 to 2,592,000, capped by the plan
    bool refresh; // changes nothing: the environment's state becomes what Neon says
} ProvisionEditProject;

// Changes what is marked with has_…, at least one. Neon restarts the compute, so connections end.
typedef struct ProvisionEditEndpoint {
    const char *environment;
    bool has_min_cu;
    bool has_max_cu;
    bool has_suspend_timeout;
    double min_cu; // compute units: 0.25, 0.5 or whole
    double max_cu;
    int64_t suspend_timeout_seconds; // 0 = Neon's default, -1 = never, else 60 to 604,800
} ProvisionEditEndpoint;

// Brings the branch of an environment to what its parent is now; passwords are replaced.
typedef struct ProvisionResetEnvironment {
    const char *environment;
    const char *preserve_under_name; // optional: keeps the branch's children under this name
} ProvisionResetEnvironment;

// The environment that previews branch off from now on.
typedef struct ProvisionSetPreviewBase {
    const char *environment;
} ProvisionSetPreviewBase;

// The environment pr:<pull_request>, branched off the preview base. Again: the same one, with a
// later expiry; so it fits what a forge says of opened, reopened and changed pull requests.
typedef struct ProvisionOpenPreview {
    int32_t pull_request;
    const char *repository; // optional annotations, at most 255 bytes each
    const char *git_ref;
    const char *git_sha;
    int64_t expires_in_seconds; // from when it is carried out, at most 30 days; 0: until closed
    bool reset;                 // brings an open preview to what its base is now
    const ProvisionService *services; // none: those of the base
    size_t service_count;
} ProvisionOpenPreview;

// Looks through all that an account's key sees for branches that a finished command of the
// application made and no environment owns, and for environments past their expiry: AccountSwept.
typedef struct ProvisionSweepAccount {
    const char *account;
    bool delete_orphans; // sends a command for each of them that deletes it
} ProvisionSweepAccount;

// Deletes one of those; all of it as the sweep has told, and checked again first.
typedef struct ProvisionDeleteOrphan {
    const char *environment; // that the branch's mark names
    const char *account;
    const char *project_id;
    const char *branch_id;
    const char *command_id; // that the branch's mark names
    // Whose key has seen it: its Neon account, and the organization whose projects were listed.
    const char *neon_account_id; // NULL: unknown
    const char *org_id;          // NULL: unknown, or none
} ProvisionDeleteOrphan;

// Deletes the branch of a preview, and stops what waits or runs for it. One that is gone is fine.
typedef struct ProvisionClosePreview {
    int32_t pull_request;
    const char *repository; // optional: it must have been opened for this one
    bool if_expired;        // only if its expiry has passed; nothing is stopped then
} ProvisionClosePreview;

typedef struct ProvisionDeleteEnvironment {
    const char *environment;
    bool
        delete_data; // needed for an environment whose project we created: the project goes with it
    bool if_expired; // only if its expiry has passed
} ProvisionDeleteEnvironment;

// Another command of the application is stopped: it is undone and ends as CommandCancelled. Its
// record need not have been sent yet.
typedef struct ProvisionCancelCommand {
    const char *command_id; // of the command to stop
} ProvisionCancelCommand;

typedef enum ProvisionRolesMode {
    PROVISION_ROLES_APPLY,
    PROVISION_ROLES_PLAN, // says what would be changed, and changes nothing
} ProvisionRolesMode;

typedef enum ProvisionRolesPolicy {
    PROVISION_ROLES_POLICY_KEEP, // as the environment has it
    PROVISION_ROLES_POLICY_AUTHORITATIVE,
    PROVISION_ROLES_POLICY_ADDITIVE, // never revokes
} ProvisionRolesPolicy;

// Brings the roles of an environment to what is wanted: platform, reader, writer and admin over
// all; reader, writer and admin of each database; svc_<name> of each service.
typedef struct ProvisionSetupRoles {
    const char *environment;
    const char *const *databases; // made where they are missing; none: those the environment has
    size_t database_count;
    const ProvisionService *services; // all of them: one that isn't named loses its access
    size_t service_count;
    ProvisionRolesMode mode;
    ProvisionRolesPolicy policy;
    bool adopt; // change an imported environment and take over the owners of its databases
} ProvisionSetupRoles;

// New passwords for one of the three.
typedef struct ProvisionRotateCredentials {
    const char *environment;
    const char *role;
    const char *service; // stands for the role svc_<service>
    bool all;
} ProvisionRotateCredentials;

// The URIs of a role on every database that it may use, with the role's password, are sent to who
// has the private key of reply_public_key (provision_credentials_open). Workers list that key for
// the application (reveal.recipients).
typedef struct ProvisionRevealCredentials {
    const char *environment;
    const char *role;    // or a service; neither: the role that the environment was made with
    const char *service; // stands for the role svc_<service>
    const uint8_t *reply_public_key; // PROVISION_KEY_BYTES bytes
} ProvisionRevealCredentials;

// Each gives the command a new id (UUID version 4). Errors: INVALID_NAME, INVALID_VALUE,
// FIELD_REQUIRED, with the field named. The worker checks everything again; what only it can know
// ends in CommandRejected.
ProvisionCommand *provision_connect_account(const char *application_id,
                                            const ProvisionConnectAccount *spec,
                                            ProvisionError *err);
ProvisionCommand *provision_disconnect_account(const char *application_id,
                                               const ProvisionDisconnectAccount *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_discover_account(const char *application_id,
                                             const ProvisionDiscoverAccount *spec,
                                             ProvisionError *err);
ProvisionCommand *provision_create_environment(const char *application_id,
                                               const ProvisionCreateEnvironment *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_branch_environment(const char *application_id,
                                               const ProvisionBranchEnvironment *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_import_environment(const char *application_id,
                                               const ProvisionImportEnvironment *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_edit_project(const char *application_id,
                                         const ProvisionEditProject *spec, ProvisionError *err);
ProvisionCommand *provision_edit_endpoint(const char *application_id,
                                          const ProvisionEditEndpoint *spec, ProvisionError *err);
ProvisionCommand *provision_reset_environment(const char *application_id,
                                              const ProvisionResetEnvironment *spec,
                                              ProvisionError *err);
ProvisionCommand *provision_delete_environment(const char *application_id,
                                               const ProvisionDeleteEnvironment *spec,
                                               ProvisionError *err);

ProvisionCommand *provision_set_preview_base(const char *application_id,
                                             const ProvisionSetPreviewBase *spec,
                                             ProvisionError *err);
ProvisionCommand *provision_open_preview(const char *application_id,
                                         const ProvisionOpenPreview *spec, ProvisionError *err);
ProvisionCommand *provision_close_preview(const char *application_id,
                                          const ProvisionClosePreview *spec, ProvisionError *err);

ProvisionCommand *provision_sweep_account(const char *application_id,
                                          const ProvisionSweepAccount *spec, ProvisionError *err);
ProvisionCommand *provision_delete_orphan(const char *application_id,
                                          const ProvisionDeleteOrphan *spec, ProvisionError *err);

ProvisionCommand *provision_cancel_command(const char *application_id,
                                           const ProvisionCancelCommand *spec, ProvisionError *err);

ProvisionCommand *provision_setup_roles(const char *application_id, const ProvisionSetupRoles *spec,
                                        ProvisionError *err);
ProvisionCommand *provision_rotate_credentials(const char *application_id,
                                               const ProvisionRotateCredentials *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_reveal_credentials(const char *application_id,
                                               const ProvisionRevealCredentials *spec,
                                               ProvisionError *err);

// A command in JSON form. command_id and requested_at are added where they are missing; an API key
// in clear text is refused (see provision_command_set_api_key). Errors: JSON_INVALID, INVALID_NAME,
// INVALID_VALUE, FIELD_REQUIRED, PLAINTEXT_REFUSED.
ProvisionCommand *provision_command_from_json(const char *json, ProvisionError *err);
void provision_command_free(ProvisionCommand *command);

// Errors of the setters: INVALID_VALUE.
// Any UUID but the nil one; the same id with other content is rejected by the worker.
bool provision_command_set_id(ProvisionCommand *command, const char *uuid, ProvisionError *err);
// No step starts after it, and what was made is undone.
bool provision_command_set_deadline(ProvisionCommand *command, int64_t deadline_ms,
                                    ProvisionError *err);
// Free text for the audit.
bool provision_command_set_requested_by(ProvisionCommand *command, const char *text,
                                        ProvisionError *err);
bool provision_command_add_label(ProvisionCommand *command, const char *key, const char *value,
                                 ProvisionError *err);
// W3C trace context of the caller, sent as the record's header:
// https://www.w3.org/TR/trace-context/
bool provision_command_set_traceparent(ProvisionCommand *command, const char *traceparent,
                                       ProvisionError *err);
// Seals the key into a ConnectAccount command, in place of what it had. Also FIELD_REQUIRED.
bool provision_command_set_api_key(ProvisionCommand *command, const char *api_key,
                                   const uint8_t fleet_public_key[PROVISION_KEY_BYTES],
                                   ProvisionError *err);

// Valid until the command is changed or freed.
const char *provision_command_id(const ProvisionCommand *command);
const char *provision_command_application(const ProvisionCommand *command);
// JSON form, indented, the sealed key shown as "***". Freed by the caller with free().
char *provision_command_json(const ProvisionCommand *command);

#ifdef __cplusplus
}
#endif

#endif
