/*
 * Every command as its table of steps. A new command is one more table here, made of steps of
 * steps_*.c.
 */
#include "saga/sagas.h"

#include <stddef.h>

#include "saga/conclude_parts.h"
#include "saga/steps.h"

#define STEP(name, protection, topic, what, undo)                                                  \
    {                                                                                              \
        (name), (protection), topic##_ask_##what, topic##_learn_##what, (undo)                     \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, PROTECTED_READ, NULL, NULL, NULL                                                     \
    }

// clang-format off
static const Step CANCEL_COMMAND[] = {
    STEP("stop_command",        PROTECTED_LEDGER, cancel, stop, NULL),
    END,
};

static const Step CONNECT_ACCOUNT[] = {
    STEP("check_key",           PROTECTED_READ, account, key,           NULL),
    STEP("find_organization",   PROTECTED_READ, account, organizations, NULL),
    STEP("find_scope",          PROTECTED_READ, account, scope,         NULL),
    STEP("find_environments",   PROTECTED_LEDGER, account, successor,   NULL),
    END,
};

static const Step DISCONNECT_ACCOUNT[] = {
    STEP("find_environments",   PROTECTED_LEDGER, account, users, NULL),
    END,
};

static const Step DISCOVER_ACCOUNT[] = {
    STEP("list_regions",        PROTECTED_READ, discover, regions,  NULL),
    STEP("list_projects",       PROTECTED_READ, discover, projects, NULL),
    STEP("list_branches",       PROTECTED_READ, discover, branches, NULL),
    END,
};

// What there is to check came with the claim.
static const Step SET_PREVIEW_BASE[] = {
    END,
};

static const Step UNDO_PROJECT[] = {
    STEP("undo_find_project",    PROTECTED_READ,     project, undo_find,    NULL),
    STEP("undo_mark_deleting",   PROTECTED_LEDGER,   guard,   mark,         NULL),
    STEP("undo_find_dependents", PROTECTED_LEDGER,   guard,   environments, NULL),
    STEP("undo_check_branches",  PROTECTED_READ,     guard,   branches,     NULL),
    STEP("undo_delete_project",  PROTECTED_EXACT_ID, project, undo_delete,  NULL),
    END,
};

static const Step CREATE_ENVIRONMENT[] = {
    STEP("check_region",        PROTECTED_READ,        project,  region,           NULL),
    STEP("mark_leftover",       PROTECTED_LEDGER,      guard,    mark,             NULL),
    STEP("find_inhabitants",    PROTECTED_LEDGER,      guard,    environments,     NULL),
    STEP("check_leftover",      PROTECTED_READ,        guard,    branches,         NULL),
    STEP("remove_leftover",     PROTECTED_EXACT_ID,    leftover, remove,           NULL),
    STEP("mark_creating",       PROTECTED_LEDGER,      guard,    creating,         NULL),
    STEP("find_project",        PROTECTED_READ,        project,  find,             NULL),
    STEP("create_project",      PROTECTED_NOTHING,     project,  create,           UNDO_PROJECT),
    STEP("await_operations",    PROTECTED_READ,        ready,    operations,       NULL),
    STEP("read_project",        PROTECTED_READ,        project,  read,             NULL),
    STEP("await_branch",        PROTECTED_READ,        ready,    branch,           NULL),
    STEP("await_endpoint",      PROTECTED_READ,        ready,    endpoint,         NULL),
    STEP("find_databases",      PROTECTED_READ,        ready,    database,         NULL),
    STEP("find_connection",     PROTECTED_READ,        ready,    connection,       NULL),
    STEP("find_pooled_host",    PROTECTED_READ,        ready,    pooled,           NULL),
    STEP("check_login",         PROTECTED_READ,        ready,    login,            NULL),
    STEP("prepare_passwords",   PROTECTED_LEDGER,      secrets,  prepare,          NULL),
    STEP("apply_roles",         PROTECTED_FENCE,       roles,    apply,            NULL),
    STEP("keep_passwords",      PROTECTED_LEDGER,      secrets,  keep,             NULL),
    STEP("find_duplicates",     PROTECTED_READ,        project,  duplicates,       NULL),
    STEP("remove_duplicate",    PROTECTED_EXACT_ID,    project,  remove_duplicate, NULL),
    END,
};

static const Step UNDO_BRANCH[] = {
    STEP("undo_find_branch",    PROTECTED_READ,     branch, undo_find,   NULL),
    STEP("undo_delete_branch",  PROTECTED_EXACT_ID, branch, undo_delete, NULL),
    END,
};

static const Step BRANCH_ENVIRONMENT[] = {
    STEP("find_source",         PROTECTED_READ,        branch,   source,           NULL),
    STEP("announce",            PROTECTED_LEDGER,      branch,   announce,         NULL),
    STEP("check_source_stays",  PROTECTED_LEDGER,      branch,   source_stays,     NULL),
    STEP("read_project",        PROTECTED_READ,        project,  read,             NULL),
    STEP("remove_leftover",     PROTECTED_EXACT_ID,    leftover, remove,           NULL),
    STEP("find_branch",         PROTECTED_READ,        branch,   find,             NULL),
    STEP("list_parent_roles",   PROTECTED_READ,        password, parent_roles,     NULL),
    STEP("create_branch",       PROTECTED_UNIQUE_NAME, branch,   create,           UNDO_BRANCH),
    STEP("await_operations",    PROTECTED_READ,        ready,    operations,       NULL),
    STEP("await_branch",        PROTECTED_READ,        ready,    branch,           NULL),
    STEP("await_endpoint",      PROTECTED_READ,        ready,    endpoint,         NULL),
    STEP("find_databases",      PROTECTED_READ,        ready,    database,         NULL),
    STEP("list_roles",          PROTECTED_READ,        password, roles,            NULL),
    STEP("find_old_connection", PROTECTED_READ,        secrets,  connection,       NULL),
    STEP("find_inherited",      PROTECTED_READ,        secrets,  inherited,        NULL),
    STEP("reveal_password",     PROTECTED_READ,        password, reveal,           NULL),
    STEP("reset_password",      PROTECTED_NOTHING,     password, reset,            NULL),
    STEP("find_connection",     PROTECTED_READ,        ready,    connection,       NULL),
    STEP("find_pooled_host",    PROTECTED_READ,        ready,    pooled,           NULL),
    STEP("check_login",         PROTECTED_READ,        ready,    login,            NULL),
    STEP("prepare_passwords",   PROTECTED_LEDGER,      secrets,  prepare,          NULL),
    STEP("apply_roles",         PROTECTED_FENCE,       roles,    apply,            NULL),
    STEP("reveal_owner",        PROTECTED_READ,        roles,    reveal_owner,     NULL),
    STEP("adopt_objects",       PROTECTED_FENCE,       roles,    adopt,            NULL),
    STEP("set_passwords",       PROTECTED_FENCE,       secrets,  set,              NULL),
    STEP("keep_passwords",      PROTECTED_LEDGER,      secrets,  keep,             NULL),
    END,
};

static const Step UNDO_ENDPOINT[] = {
    STEP("undo_find_endpoint",   PROTECTED_READ,     import, undo_look,     NULL),
    STEP("undo_delete_endpoint", PROTECTED_EXACT_ID, import, undo_endpoint, NULL),
    END,
};

static const Step IMPORT_ENVIRONMENT[] = {
    STEP("find_branch",         PROTECTED_READ,        import,    branch,          NULL),
    STEP("await_maker",         PROTECTED_LEDGER,      import,    maker,           NULL),
    STEP("announce",            PROTECTED_LEDGER,      import,    announce,        NULL),
    STEP("check_alone",         PROTECTED_LEDGER,      import,    alone,           NULL),
    STEP("read_project",        PROTECTED_READ,        project,   read,            NULL),
    STEP("await_branch",        PROTECTED_READ,        ready,     branch,          NULL),
    STEP("find_endpoint",       PROTECTED_READ,        import,    look,            NULL),
    STEP("create_endpoint",     PROTECTED_UNIQUE_NAME, import,    create_endpoint, UNDO_ENDPOINT),
    STEP("await_operations",    PROTECTED_READ,        ready,     operations,      NULL),
    STEP("await_endpoint",      PROTECTED_READ,        import,    endpoint,        NULL),
    STEP("list_databases",      PROTECTED_READ,        preflight, databases,       NULL),
    STEP("list_roles",          PROTECTED_READ,        preflight, roles,           NULL),
    STEP("find_connection",     PROTECTED_READ,        preflight, connection,      NULL),
    STEP("find_pooled_host",    PROTECTED_READ,        preflight, pooled,          NULL),
    STEP("check_login",         PROTECTED_READ,        preflight, login,           NULL),
    STEP("plan_roles",          PROTECTED_READ,        preflight, plan,            NULL),
    END,
};

static const Step EDIT_PROJECT[] = {
    STEP("find_siblings",       PROTECTED_LEDGER,  edit,  siblings,      NULL),
    STEP("read_settings",       PROTECTED_READ,    edit,  project,       NULL),
    STEP("update_project",      PROTECTED_NOTHING, edit,  patch_project, NULL),
    STEP("await_operations",    PROTECTED_READ,    ready, operations,    NULL),
    STEP("find_late_siblings",  PROTECTED_LEDGER,  edit,  late_siblings, NULL),
    END,
};

static const Step EDIT_ENDPOINT[] = {
    STEP("read_settings",       PROTECTED_READ,    edit,  endpoint,       NULL),
    STEP("update_endpoint",     PROTECTED_NOTHING, edit,  patch_endpoint, NULL),
    STEP("await_operations",    PROTECTED_READ,    ready, operations,     NULL),
    END,
};

// A preview that is there is looked at, and reset where that is asked for; else it is branched. The
// operations of whichever call came last are awaited before anything else.
static const Step OPEN_PREVIEW[] = {
    STEP("find_preview",        PROTECTED_READ,        preview,  look,             NULL),
    STEP("extend_expiry",       PROTECTED_NOTHING,     preview,  extend,           NULL),
    STEP("await_operations",    PROTECTED_READ,        ready,    operations,       NULL),
    STEP("announce",            PROTECTED_LEDGER,      branch,   announce,         NULL),
    STEP("check_source_stays",  PROTECTED_LEDGER,      branch,   source_stays,     NULL),
    STEP("read_project",        PROTECTED_READ,        project,  read,             NULL),
    STEP("remove_leftover",     PROTECTED_EXACT_ID,    leftover, remove,           NULL),
    STEP("find_branch",         PROTECTED_READ,        branch,   find,             NULL),
    STEP("check_children",      PROTECTED_READ,        reset,    children,         NULL),
    STEP("find_reset",          PROTECTED_READ,        reset,    look,             NULL),
    STEP("list_parent_roles",   PROTECTED_READ,        password, parent_roles,     NULL),
    STEP("create_branch",       PROTECTED_UNIQUE_NAME, branch,   create,           UNDO_BRANCH),
    STEP("reset_branch",        PROTECTED_NOTHING,     reset,    restore,          NULL),
    STEP("await_branch",        PROTECTED_READ,        ready,    branch,           NULL),
    STEP("await_endpoint",      PROTECTED_READ,        ready,    endpoint,         NULL),
    STEP("find_databases",      PROTECTED_READ,        ready,    database,         NULL),
    STEP("list_roles",          PROTECTED_READ,        password, roles,            NULL),
    STEP("find_old_connection", PROTECTED_READ,        secrets,  connection,       NULL),
    STEP("find_inherited",      PROTECTED_READ,        secrets,  inherited,        NULL),
    STEP("reveal_password",     PROTECTED_READ,        password, reveal,           NULL),
    STEP("reset_password",      PROTECTED_NOTHING,     password, reset,            NULL),
    STEP("find_connection",     PROTECTED_READ,        ready,    connection,       NULL),
    STEP("find_pooled_host",    PROTECTED_READ,        ready,    pooled,           NULL),
    STEP("check_login",         PROTECTED_READ,        ready,    login,            NULL),
    STEP("prepare_passwords",   PROTECTED_LEDGER,      secrets,  prepare,          NULL),
    STEP("apply_roles",         PROTECTED_FENCE,       roles,    apply,            NULL),
    STEP("reveal_owner",        PROTECTED_READ,        roles,    reveal_owner,     NULL),
    STEP("adopt_objects",       PROTECTED_FENCE,       roles,    adopt,            NULL),
    STEP("set_passwords",       PROTECTED_FENCE,       secrets,  set,              NULL),
    STEP("keep_passwords",      PROTECTED_LEDGER,      secrets,  keep,             NULL),
    END,
};

// From the reset on as if the branch had just been made.
static const Step RESET_ENVIRONMENT[] = {
    STEP("check_children",      PROTECTED_READ,    reset,    children,     NULL),
    STEP("find_reset",          PROTECTED_READ,    reset,    look,         NULL),
    STEP("list_parent_roles",   PROTECTED_READ,    password, parent_roles, NULL),
    STEP("reset_branch",        PROTECTED_NOTHING, reset,    restore,      NULL),
    STEP("await_operations",    PROTECTED_READ,    ready,    operations,   NULL),
    STEP("await_branch",        PROTECTED_READ,    ready,    branch,       NULL),
    STEP("await_endpoint",      PROTECTED_READ,    ready,    endpoint,     NULL),
    STEP("find_databases",      PROTECTED_READ,    ready,    database,     NULL),
    STEP("list_roles",          PROTECTED_READ,    password, roles,        NULL),
    STEP("find_old_connection", PROTECTED_READ,    secrets,  connection,   NULL),
    STEP("find_inherited",      PROTECTED_READ,    secrets,  inherited,    NULL),
    STEP("reveal_password",     PROTECTED_READ,    password, reveal,       NULL),
    STEP("reset_password",      PROTECTED_NOTHING, password, reset,        NULL),
    STEP("find_connection",     PROTECTED_READ,    ready,    connection,   NULL),
    STEP("find_pooled_host",    PROTECTED_READ,    ready,    pooled,       NULL),
    STEP("check_login",         PROTECTED_READ,    ready,    login,        NULL),
    STEP("prepare_passwords",   PROTECTED_LEDGER,  secrets,  prepare,      NULL),
    STEP("apply_roles",         PROTECTED_FENCE,   roles,    apply,        NULL),
    STEP("reveal_owner",        PROTECTED_READ,    roles,    reveal_owner, NULL),
    STEP("adopt_objects",       PROTECTED_FENCE,   roles,    adopt,        NULL),
    STEP("set_passwords",       PROTECTED_FENCE,   secrets,  set,          NULL),
    STEP("keep_passwords",      PROTECTED_LEDGER,  secrets,  keep,         NULL),
    END,
};

static const Step SETUP_ROLES[] = {
    STEP("find_databases",      PROTECTED_READ,   ready,   database,     NULL),
    STEP("find_role",           PROTECTED_READ,   roles,   find,         NULL),
    STEP("find_connection",     PROTECTED_READ,   ready,   connection,   NULL),
    STEP("plan_roles",          PROTECTED_READ,   roles,   plan,         NULL),
    STEP("prepare_passwords",   PROTECTED_LEDGER, secrets, prepare,      NULL),
    STEP("apply_roles",         PROTECTED_FENCE,  roles,   apply,        NULL),
    STEP("reveal_owner",        PROTECTED_READ,   roles,   reveal_owner, NULL),
    STEP("adopt_objects",       PROTECTED_FENCE,  roles,   adopt,        NULL),
    STEP("keep_passwords",      PROTECTED_LEDGER, secrets, keep,         NULL),
    END,
};

static const Step ROTATE_CREDENTIALS[] = {
    STEP("find_databases",      PROTECTED_READ,    ready,    database,   NULL),
    STEP("find_role",           PROTECTED_READ,    rotate,   find,       NULL),
    STEP("reveal_password",     PROTECTED_READ,    password, reveal,     NULL),
    STEP("reset_password",      PROTECTED_NOTHING, password, reset,      NULL),
    STEP("await_operations",    PROTECTED_READ,    ready,    operations, NULL),
    STEP("find_connection",     PROTECTED_READ,    ready,    connection, NULL),
    STEP("check_login",         PROTECTED_READ,    ready,    login,      NULL),
    STEP("prepare_passwords",   PROTECTED_LEDGER,  secrets,  prepare,    NULL),
    STEP("set_passwords",       PROTECTED_FENCE,   secrets,  set,        NULL),
    STEP("keep_passwords",      PROTECTED_LEDGER,  secrets,  keep,       NULL),
    END,
};

static const Step REVEAL_CREDENTIALS[] = {
    STEP("find_databases",      PROTECTED_READ, ready,  database,   NULL),
    STEP("find_role",           PROTECTED_READ, reveal, role,       NULL),
    STEP("reveal_password",     PROTECTED_READ, reveal, password,   NULL),
    STEP("find_password",       PROTECTED_READ, reveal, kept,       NULL),
    STEP("find_uri",            PROTECTED_READ, reveal, uri,        NULL),
    STEP("find_pooled_uri",     PROTECTED_READ, reveal, pooled_uri, NULL),
    STEP("check_password",      PROTECTED_READ, reveal, check,      NULL),
    END,
};

// A preview is always a branch: no project goes with it, none is left by it.
static const Step CLOSE_PREVIEW[] = {
    STEP("mark_deleting",       PROTECTED_LEDGER,   delete,   mark,       NULL),
    STEP("check_branches",      PROTECTED_READ,     delete,   guard,      NULL),
    STEP("delete_branch",       PROTECTED_EXACT_ID, delete,   branch,     NULL),
    STEP("await_operations",    PROTECTED_READ,     ready,    operations, NULL),
    STEP("remove_leftover",     PROTECTED_EXACT_ID, leftover, remove,     NULL),
    STEP("confirm_gone",        PROTECTED_READ,     confirm,  gone,       NULL),
    STEP("judge_leftover",      PROTECTED_LEDGER,   confirm,  judge,      NULL),
    STEP("delete_leftover",     PROTECTED_EXACT_ID, confirm,  remove,     NULL),
    END,
};

static const Step DELETE_ENVIRONMENT[] = {
    STEP("mark_deleting",       PROTECTED_LEDGER,   delete, mark,         NULL),
    STEP("find_dependents",     PROTECTED_LEDGER,   delete, environments, NULL),
    STEP("check_branches",      PROTECTED_READ,     delete, guard,        NULL),
    STEP("delete_branch",       PROTECTED_EXACT_ID, delete, branch,       NULL),
    STEP("delete_project",      PROTECTED_EXACT_ID, delete, project,      NULL),
    STEP("await_operations",    PROTECTED_READ,     ready,  operations,   NULL),
    STEP("judge_leftover",      PROTECTED_LEDGER,   confirm, judge,       NULL),
    STEP("mark_leftover",       PROTECTED_LEDGER,   guard,  mark,         NULL),
    STEP("find_inhabitants",    PROTECTED_LEDGER,   guard,  environments, NULL),
    STEP("check_leftover",      PROTECTED_READ,     guard,  branches,     NULL),
    STEP("remove_leftover",     PROTECTED_EXACT_ID, leftover, remove,     NULL),
    STEP("confirm_gone",        PROTECTED_READ,     confirm, gone,        NULL),
    STEP("delete_leftover",     PROTECTED_EXACT_ID, confirm, remove,      NULL),
    END,
};

static const Step SWEEP_ACCOUNT[] = {
    STEP("check_ledger",        PROTECTED_LEDGER, sweep, ledger,   NULL),
    STEP("list_projects",       PROTECTED_READ,   sweep, projects, NULL),
    STEP("list_branches",       PROTECTED_READ,   sweep, branches, NULL),
    STEP("judge",               PROTECTED_LEDGER, sweep, judge,    NULL),
    END,
};

// What it deletes is kept from others only while it runs: unlike the deletion of what is our own, a
// call of it must not arrive once it has ended, so none is repeated before the one before is settled.
static const Step DELETE_ORPHAN[] = {
    STEP("judge",               PROTECTED_LEDGER,   orphan, judge,      NULL),
    STEP("read_branch",         PROTECTED_READ,     orphan, read,       NULL),
    STEP("condemn",             PROTECTED_LEDGER,   orphan, condemn,    NULL),
    STEP("judge_again",         PROTECTED_LEDGER,   orphan, alone,      NULL),
    STEP("check_branches",      PROTECTED_READ,     orphan, branches,   NULL),
    STEP("delete_orphan",       PROTECTED_NOTHING,  orphan, delete,     NULL),
    STEP("await_operations",    PROTECTED_READ,     ready,  operations, NULL),
    END,
};

#define ROW(constant, name, steps, conclude, check, is_final)                                       \
    {                                                                                              \
        PROVISIONING__V1__COMMAND__ACTION_##constant, (name), (steps), (conclude), (check),        \
            (is_final), false, false                                                               \
    }
// Of a command that undoes nothing.
#define IN_PLACE(constant, name, steps, conclude, check, is_final)                                  \
    {                                                                                              \
        PROVISIONING__V1__COMMAND__ACTION_##constant, (name), (steps), (conclude), (check),        \
            (is_final), true, false                                                                \
    }
// Of a command that leaves its subject's row alone, whatever comes of it.
#define OUTSIDE(constant, name, steps, conclude, check, is_final)                                   \
    {                                                                                              \
        PROVISIONING__V1__COMMAND__ACTION_##constant, (name), (steps), (conclude), (check),        \
            (is_final), false, true                                                                \
    }

static const SagaDefinition DEFINITIONS[] = {
    ROW(CANCEL_COMMAND, "CancelCommand", CANCEL_COMMAND,
        conclude_cancel, cancel_check, cancel_is_final),
    ROW(CONNECT_ACCOUNT, "ConnectAccount", CONNECT_ACCOUNT,
        conclude_account, account_check_connect, NULL),
    ROW(DISCONNECT_ACCOUNT, "DisconnectAccount", DISCONNECT_ACCOUNT,
        conclude_disconnect, account_check_disconnect, NULL),
    ROW(DISCOVER_ACCOUNT, "DiscoverAccount", DISCOVER_ACCOUNT,
        conclude_discover, discover_check, NULL),
    ROW(CREATE_ENVIRONMENT, "CreateEnvironment", CREATE_ENVIRONMENT,
        conclude_environment, project_check_create, NULL),
    ROW(BRANCH_ENVIRONMENT, "BranchEnvironment", BRANCH_ENVIRONMENT,
        conclude_environment, branch_check_create, NULL),
    ROW(IMPORT_ENVIRONMENT, "ImportEnvironment", IMPORT_ENVIRONMENT,
        conclude_import, import_check, NULL),
    IN_PLACE(EDIT_PROJECT, "EditProject", EDIT_PROJECT,
        conclude_edit_project, edit_check_project, edit_is_final),
    IN_PLACE(EDIT_ENDPOINT, "EditEndpoint", EDIT_ENDPOINT,
        conclude_edit_endpoint, edit_check_endpoint, edit_is_final),
    IN_PLACE(SETUP_ROLES, "SetupRoles", SETUP_ROLES,
        conclude_setup, roles_check_setup, roles_is_final),
    IN_PLACE(ROTATE_CREDENTIALS, "RotateCredentials", ROTATE_CREDENTIALS,
        conclude_rotate, rotate_check, rotate_is_final),
    ROW(REVEAL_CREDENTIALS, "RevealCredentials", REVEAL_CREDENTIALS,
        conclude_reveal, reveal_check, NULL),
    ROW(SET_PREVIEW_BASE, "SetPreviewBase", SET_PREVIEW_BASE,
        conclude_preview_base, preview_check_base, NULL),
    ROW(OPEN_PREVIEW, "OpenPreview", OPEN_PREVIEW,
        conclude_preview, preview_check_open, NULL),
    ROW(CLOSE_PREVIEW, "ClosePreview", CLOSE_PREVIEW,
        conclude_delete, preview_check_close, delete_is_final),
    IN_PLACE(RESET_ENVIRONMENT, "ResetEnvironment", RESET_ENVIRONMENT,
        conclude_reset, reset_check, reset_is_final),
    ROW(DELETE_ENVIRONMENT, "DeleteEnvironment", DELETE_ENVIRONMENT,
        conclude_delete, delete_check, delete_is_final),
    ROW(SWEEP_ACCOUNT, "SweepAccount", SWEEP_ACCOUNT,
        conclude_sweep, sweep_check, NULL),
    OUTSIDE(DELETE_ORPHAN, "DeleteOrphan", DELETE_ORPHAN,
        conclude_orphan, orphan_check, orphan_is_final),
};
// clang-format on

const SagaDefinition *sagas_table(size_t *ret_count)
{
    *ret_count = sizeof DEFINITIONS / sizeof DEFINITIONS[0];
    return DEFINITIONS;
}

const SagaDefinition *saga_definition(Action action)
{
    for (size_t i = 0; i < sizeof DEFINITIONS / sizeof DEFINITIONS[0]; i++) {
        if (DEFINITIONS[i].action == action) {
            return &DEFINITIONS[i];
        }
    }
    return NULL;
}
