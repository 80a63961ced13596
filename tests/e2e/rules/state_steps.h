/*
 * Steps that lead to states, for the list in state.c.
 */
#ifndef E2E_RULES_STATE_STEPS_H
#define E2E_RULES_STATE_STEPS_H

#include "rules/rule.h"
#include "rules/state.h"

#define RUN(command, event)                                                                        \
    {                                                                                              \
        STEP_RUN, command, event, NULL                                                             \
    }
#define RUN_AS(as, command, event)                                                                 \
    {                                                                                              \
        STEP_RUN, command, event, as                                                               \
    }
#define API(call, body)                                                                            \
    {                                                                                              \
        STEP_API, call, body, NULL                                                                 \
    }
#define API_AS(as, call, body)                                                                     \
    {                                                                                              \
        STEP_API, call, body, as                                                                   \
    }
#define CONNECTED "AccountConnected"
#define CREATED "EnvironmentCreated"
#define BRANCHED "EnvironmentBranched"
#define IMPORTED "EnvironmentImported"
// Of this project only: states stand side by side in one sandbox.
#define REFUSED(route, project)                                                                    \
    {                                                                                              \
        STEP_FAULT,                                                                                \
            "{'kind': 'status', 'route': '" route "', 'match': '" project                          \
            "', 'count': -1, 'status': "                                                           \
            "403, 'message': 'not yours'}",                                                        \
            NULL, NULL                                                                             \
    }

// Any other answer to a change of this project.
#define CHANGE_ANSWERED(status, more)                                                              \
    {                                                                                              \
        STEP_FAULT,                                                                                \
            "{'kind': 'status', 'route': 'PATCH /projects/{project_id}', 'match': "                \
            "'<live.project>', 'count': -1, 'status': " status more "}",                           \
            NULL, NULL                                                                             \
    }

// One listing of this project's branches says that there is no such project.
#define UNLISTED_ONCE(project)                                                                     \
    {                                                                                              \
        STEP_FAULT,                                                                                \
            "{'kind': 'status', 'route': 'GET /projects/{project_id}/branches', 'match': "         \
            "'" project "', 'count': 1, 'status': 404, 'message': 'project not found'}",           \
            NULL, NULL                                                                             \
    }
// 160 characters in 320 bytes.
#define LONG_32 "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäö"
#define LONG_NAME LONG_32 LONG_32 LONG_32 LONG_32 LONG_32

#define ACCOUNT_LOST                                                                               \
    {                                                                                              \
        STEP_SQL, "DELETE FROM provision.account WHERE application_id = '<app>'", NULL, NULL       \
    }
#define KEY_ELSEWHERE                                                                              \
    {                                                                                              \
        STEP_SQL,                                                                                  \
            "UPDATE provision.account SET key_kind = 'project', project_id = "                     \
            "'elsewhere-12345678' WHERE "                                                          \
            "application_id = '<app>'",                                                            \
            NULL, NULL                                                                             \
    }

// Makes the next branch fail, and keeps what was made.
#define NO_BRANCH_STAYS                                                                            \
    REFUSED("GET /projects/{project_id}/branches/{branch_id}", "<live.project>"),                  \
        REFUSED("DELETE /projects/{project_id}/branches/{branch_id}", "<live.project>")
#define BRANCH_FAILS RUN(BRANCH_OF("try", "live", ""), "CommandFailed")

#define EXPIRED_IN_LEDGER(environment)                                                             \
    {                                                                                              \
        STEP_SQL,                                                                                  \
            "UPDATE provision.environment SET details = details || "                               \
            "jsonb_build_object('expires_at_ms', 1) WHERE application_id = '<app>' AND "           \
            "environment = '" environment "'",                                                     \
            NULL, NULL                                                                             \
    }

// A branch that an earlier command couldn't remove, as the account of another key made it.
#define LEFT_ELSEWHERE(environment)                                                                \
    {                                                                                              \
        STEP_SQL,                                                                                  \
            "UPDATE provision.environment SET state = 'failed', details = details || "             \
            "jsonb_build_object('left', jsonb_build_array(jsonb_build_object('project_id', "       \
            "'elsewhere-12345678', 'branch_id', 'br-no-such-a5000000', 'neon_account_id', "        \
            "'another'))) WHERE application_id = '<app>' AND environment = '" environment "'",     \
            NULL, NULL                                                                             \
    }
// A project that an earlier command couldn't remove.
#define LEFT_PROJECT                                                                               \
    {                                                                                              \
        STEP_SQL,                                                                                  \
            "UPDATE provision.environment SET state = 'failed', details = "                        \
            "jsonb_build_object('left', jsonb_build_array(jsonb_build_object('project_id', "       \
            "'<live.project>', 'neon_account_id', details -> 'neon_account_id'))) "                \
            "WHERE application_id = '<app>'",                                                      \
            NULL, NULL                                                                             \
    }

// The key of another organization takes the place of the account's, as no ConnectAccount lets it.
#define OTHER_MAKER                                                                                \
    {STEP_SQL,                                                                                     \
     "UPDATE provision.environment SET account = 'aside' WHERE application_id = '<app>'", NULL,    \
     NULL},                                                                                        \
        RUN(CONNECT("main", SEALED("main", "other")), CONNECTED),                                  \
    {                                                                                              \
        STEP_SQL,                                                                                  \
            "UPDATE provision.environment SET account = 'main' WHERE application_id = '<app>'",    \
            NULL, NULL                                                                             \
    }

// As a request of that command that came late would have made it.
#define LATE_OF(environment)                                                                       \
    API_AS("left", "POST /projects/<live.project>/branches",                                       \
           "{'branch': {'name': 'late', 'parent_id': '<live.branch>'}, 'annotation_value': "       \
           "{'provisioner.installation': '<installation>', 'provisioner.application': '<app>', "   \
           "'provisioner.environment': '" environment                                              \
           "', 'provisioner.command': '<branch.command>'}}")
#define LATE LATE_OF("try")
// ... and a project, as its creation would.
#define LATE_ROOT                                                                                  \
    API_AS("late", "POST /projects",                                                               \
           "{'project': {'name': '<app>-live', 'branch': {'name': 'main', 'annotations': "         \
           "{'provisioner.installation': '<installation>', 'provisioner.application': '<app>', "   \
           "'provisioner.environment': 'live', 'provisioner.command': '<create.command>'}}}}")
#define SLOW_DELETION                                                                              \
    {STEP_FAULT,                                                                                   \
     "{'kind': 'slow_before', 'route': 'DELETE /projects/{project_id}/branches/{branch_id}', "     \
     "'match': '<try.branch>', 'ms': 30000}",                                                      \
     NULL, NULL},                                                                                  \
        {STEP_START, DELETE_OF("try", ""), NULL, "delete"},                                        \
    {                                                                                              \
        STEP_UNTIL,                                                                                \
            "SELECT intent_status = 'open' FROM provision.command WHERE command_id = "             \
            "'<delete.command>'",                                                                  \
            NULL, NULL                                                                             \
    }

#endif
