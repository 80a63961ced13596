#include "contract/command_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "contract/command_parts.h"

#define ACTION(name) PROVISIONING__V1__COMMAND__ACTION_##name

static const char *connected_account(const CommandMessage *message)
{
    return message->connect_account->account;
}

static const char *disconnected_account(const CommandMessage *message)
{
    return message->disconnect_account->account;
}

static const char *discovered_account(const CommandMessage *message)
{
    return message->discover_account->account;
}

static const char *swept_account(const CommandMessage *message)
{
    return message->sweep_account->account;
}

static const char *orphan_account(const CommandMessage *message)
{
    return message->delete_orphan->account;
}

static const char *creating_account(const CommandMessage *message)
{
    return message->create_environment->account;
}

static bool branches_environment(const CommandMessage *message)
{
    return message->branch_environment->source_case ==
           PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_ENVIRONMENT;
}

static const char *branching_account(const CommandMessage *message)
{
    return branches_environment(message) ? "" : message->branch_environment->source_branch->account;
}

static const char *importing_account(const CommandMessage *message)
{
    return message->import_environment->branch->account;
}

static const char *branched_environment(const CommandMessage *message)
{
    return branches_environment(message) ? message->branch_environment->source_environment : "";
}

static Subject whole_application(const CommandMessage *message)
{
    (void)message;
    return (Subject){.kind = SUBJECT_APPLICATION};
}

static const char *preview_base(const CommandMessage *message)
{
    return message->set_preview_base->environment;
}

static Subject preview(int32_t pull_request)
{
    Subject subject = {.kind = SUBJECT_ENVIRONMENT};
    (void)snprintf(subject.name, sizeof subject.name, "pr:%" PRId32, pull_request);
    return subject;
}

static Subject opened_preview(const CommandMessage *message)
{
    return preview(message->open_preview->pull_request);
}

static Subject closed_preview(const CommandMessage *message)
{
    return preview(message->close_preview->pull_request);
}

static bool only_plans(const CommandMessage *message)
{
    return message->setup_roles->mode == PROVISIONING__V1__ROLES_MODE__ROLES_MODE_PLAN;
}

static bool always(const CommandMessage *message)
{
    (void)message;
    return true;
}

static const CommandRow ROWS[] = {
    // it must not wait behind what it stops, nor hold up anything
    {
        .action = ACTION(CANCEL_COMMAND),
        .fields = {1},
        .check = command_check_cancel,
    },
    {
        .action = ACTION(CONNECT_ACCOUNT),
        .fields = {1, 2, 3, 4, 5},
        .check = command_check_connect,
        .writes = SUBJECT_ACCOUNT,
        .account = connected_account,
        .excludes = COMMAND_EXCLUDES_ACCOUNTS,
    },
    {
        .action = ACTION(DISCONNECT_ACCOUNT),
        .fields = {1},
        .check = command_check_disconnect,
        .writes = SUBJECT_ACCOUNT,
        .account = disconnected_account,
        .excludes = COMMAND_EXCLUDES_ACCOUNTS,
    },
    {
        .action = ACTION(DISCOVER_ACCOUNT),
        .fields = {1, 2},
        .check = command_check_discover,
        .writes = SUBJECT_ACCOUNT,
        .only_reads = always,
        .account = discovered_account,
    },
    {
        .action = ACTION(CREATE_ENVIRONMENT),
        .fields = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
        .check = command_check_create,
        .writes = SUBJECT_ENVIRONMENT,
        .account = creating_account,
        .reserves = "created",
    },
    {
        .action = ACTION(BRANCH_ENVIRONMENT),
        .fields = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
        .check = command_check_branch,
        .writes = SUBJECT_ENVIRONMENT,
        .account = branching_account,
        .source = branched_environment,
        .branches = true,
        .reserves = "branched",
    },
    {
        .action = ACTION(IMPORT_ENVIRONMENT),
        .fields = {1, 2, 3, 4},
        .check = command_check_import,
        .writes = SUBJECT_ENVIRONMENT,
        .account = importing_account,
        .reserves = "imported",
    },
    {
        .action = ACTION(EDIT_PROJECT),
        .fields = {1, 2, 3},
        .check = command_check_edit_project,
        .writes = SUBJECT_ENVIRONMENT,
    },
    {
        .action = ACTION(EDIT_ENDPOINT),
        .fields = {1, 2, 3},
        .check = command_check_edit_endpoint,
        .writes = SUBJECT_ENVIRONMENT,
    },
    {
        .action = ACTION(SETUP_ROLES),
        .fields = {1, 2, 3, 4, 5, 6},
        .check = command_check_setup_roles,
        .writes = SUBJECT_ENVIRONMENT,
        .only_reads = only_plans,
        .changes_content = true,
    },
    {
        .action = ACTION(ROTATE_CREDENTIALS),
        .fields = {1, 2, 3, 4},
        .check = command_check_rotate,
        .writes = SUBJECT_ENVIRONMENT,
        .changes_content = true,
    },
    {
        .action = ACTION(REVEAL_CREDENTIALS),
        .fields = {1, 2, 3, 4},
        .check = command_check_reveal,
        .writes = SUBJECT_ENVIRONMENT,
        .only_reads = always,
    },
    {
        .action = ACTION(SET_PREVIEW_BASE),
        .fields = {1},
        .check = command_check_preview_base,
        .writes = SUBJECT_APPLICATION,
        .subject = whole_application,
        .source = preview_base,
    },
    {
        .action = ACTION(OPEN_PREVIEW),
        .fields = {1, 2, 3, 4, 5, 6, 7},
        .check = command_check_open_preview,
        .writes = SUBJECT_ENVIRONMENT,
        .subject = opened_preview,
        .source_is_base = true,
        .branches = true,
        .reserves = "branched",
        .stops = COMMAND_STOPS_WAITING,
    },
    {
        .action = ACTION(CLOSE_PREVIEW),
        .fields = {1, 2, 3},
        .check = command_check_close_preview,
        .writes = SUBJECT_ENVIRONMENT,
        .subject = closed_preview,
        .excludes = COMMAND_EXCLUDES_BRANCHES,
        .stops = COMMAND_STOPS_ALL,
    },
    {
        .action = ACTION(RESET_ENVIRONMENT),
        .fields = {1, 2},
        .check = command_check_reset,
        .writes = SUBJECT_ENVIRONMENT,
        .branches = true,
        .excludes = COMMAND_EXCLUDES_BASES,
    },
    {
        .action = ACTION(DELETE_ENVIRONMENT),
        .fields = {1, 2, 3},
        .check = command_check_delete,
        .writes = SUBJECT_ENVIRONMENT,
        .excludes = COMMAND_EXCLUDES_BRANCHES,
    },
    {
        .action = ACTION(SWEEP_ACCOUNT),
        .fields = {1, 2},
        .check = command_check_sweep,
        .writes = SUBJECT_ACCOUNT,
        .only_reads = always,
        .account = swept_account,
    },
    // it changes nothing of its environment, but nothing of that may run beside it
    {
        .action = ACTION(DELETE_ORPHAN),
        .fields = {1, 2, 3, 4, 5, 6, 7},
        .check = command_check_orphan,
        .writes = SUBJECT_ENVIRONMENT,
        .account = orphan_account,
        .excludes = COMMAND_EXCLUDES_BRANCHES,
    },
};

const CommandRow *command_row(Action action)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (ROWS[i].action == action) {
            return &ROWS[i];
        }
    }
    return NULL;
}
