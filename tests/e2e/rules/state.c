#include "rules/state.h"

#include <string.h>

#include "rules/rule.h"
#include "support/cmocka.h"

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

static const State STATES[] = {
    {"nothing", NULL, {{STEP_END, NULL, NULL, NULL}}},
    {"connected", NULL, {RUN_AS("connect", CONNECT("main", SEALED("main", "org")), CONNECTED)}},
    {"live", "connected", {RUN_AS("create", CREATE_OF("live", ""), CREATED)}},
    {"with-roles",
     "connected",
     {RUN(CREATE_OF("live", ", 'services': [{'name': 'orders', 'databases': [{'database': "
                            "'neondb'}]}, {'name': 'idle'}]"),
          CREATED)}},
    {"branched", "live", {RUN_AS("branch", BRANCH_OF("try", "live", ""), BRANCHED)}},
    {"two-projects", "live", {RUN(CREATE_OF("second", ""), CREATED)}},
    {"nested", "branched", {RUN(BRANCH_OF("deep", "try", ""), BRANCHED)}},
    // ---- what others do there
    {"branch-with-child",
     "branched",
     {API("POST /projects/<try.project>/branches",
          "{'branch': {'name': 'by hand', 'parent_id': '<try.branch>'}}")}},
    {"project-with-branch",
     "live",
     {API_AS("foreign", "POST /projects/<live.project>/branches",
             "{'branch': {'name': 'by hand'}}")}},
    {"project-with-deleted-branch",
     "project-with-branch",
     {API("DELETE /projects/<live.project>/branches/<foreign.branch>", NULL)}},
    {"protected-branch",
     "branched",
     {API("PATCH /projects/<try.project>/branches/<try.branch>",
          "{'branch': {'protected': true}}")}},
    {"protected-project",
     "live",
     {API("PATCH /projects/<live.project>/branches/<live.branch>",
          "{'branch': {'protected': true}}")}},
    {"default-branch",
     "branched",
     {API("POST /projects/<try.project>/branches/<try.branch>/set_as_default", NULL)}},
    {"deleted-branch",
     "branched",
     {API("DELETE /projects/<try.project>/branches/<try.branch>", NULL)}},
    {"deleted-project", "live", {API("DELETE /projects/<live.project>", NULL)}},
    {"neighbour-lives-there",
     "live",
     {RUN("@neighbour " CONNECT("main", SEALED("main", "org")), CONNECTED),
      RUN("@neighbour " BRANCH_OFF("theirs", "main", "<live.project>", "main"), BRANCHED)}},
    // ---- what was there before
    {"project",
     "connected",
     {API_AS("theirs", "POST /projects", "{'project': {'name': '<app>-theirs'}}")}},
    {"two-of-a-name",
     "connected",
     {API("POST /projects", "{'project': {'name': '<app>-live'}}"),
      API("POST /projects", "{'project': {'name': '<app>-live'}}")}},
    {"imported",
     "project",
     {RUN(IMPORT_OF("live", "main", "<theirs.project>", "main", ""), IMPORTED)}},
    {"foreign-role",
     "imported",
     {API("POST /projects/<theirs.project>/branches/<theirs.branch>/roles",
          "{'role': {'name': 'svc_orders'}}")}},
    {"bare",
     "project",
     {API_AS("bare", "POST /projects/<theirs.project>/branches", "{'branch': {'name': 'bare'}}")}},
    {"imported-bare",
     "bare",
     {RUN(IMPORT_OF("live", "main", "<theirs.project>", "bare", ""), IMPORTED)}},
    {"branched-off-theirs",
     "project",
     {RUN(BRANCH_OFF("try", "main", "<theirs.project>", "main"), BRANCHED)}},
    {"branched-off-imported", "imported", {RUN(BRANCH_OF("try", "live", ""), BRANCHED)}},
    {"no-passwords",
     "connected",
     {API_AS("theirs", "POST /projects",
             "{'project': {'name': '<app>-t', 'store_passwords': false}}"),
      RUN(IMPORT_OF("live", "main", "<theirs.project>", "main", ""), IMPORTED)}},
    // ---- keys
    {"kept-to-project",
     "two-projects",
     {{STEP_KEY, "<live.project>", NULL, "project"},
      RUN(CONNECT("kept", SEALED("kept", "project")), CONNECTED)}},
    {"connected-again", "live", {RUN(CONNECT("main", SEALED("main", "again")), CONNECTED)}},
    {"two-accounts", "live", {RUN(CONNECT("second", SEALED("second", "other")), CONNECTED)}},
    {"disconnected",
     "connected",
     {RUN(MEMBERS("disconnectAccount", "'account': 'main'"), "AccountDisconnected")}},
    // ---- what expires, and what has no parent
    {"expiring", "live", {RUN(BRANCH_OF("short", "live", ", 'expiresAt': '<in 3600>'"), BRANCHED)}},
    {"without-data", "live", {RUN(BRANCH_OF("bare", "live", ", 'schemaOnly': true"), BRANCHED)}},
    // ---- previews
    {"base", "branched", {RUN(BASE_OF("live"), "PreviewBaseSet")}},
    {"base-gone",
     "live",
     {RUN(BASE_OF("live"), "PreviewBaseSet"),
      RUN(DELETE_OF("live", ", 'deleteData': true"), "EnvironmentDeleted")}},
    {"open",
     "base",
     {RUN(OPEN_OF("7", ", 'repository': 'git.example/shop', 'expiresIn': '3600s'"), BRANCHED)}},
    {"two-open", "base", {RUN(OPEN_OF("1", ""), BRANCHED), RUN(OPEN_OF("10", ""), BRANCHED)}},
    {"open-with-child",
     "open",
     {API("PATCH /projects/<live.project>/branches/<pr:7.branch>",
          "{'branch': {'expires_at': null}}"),
      API("POST /projects/<live.project>/branches",
          "{'branch': {'name': 'by hand', 'parent_id': '<pr:7.branch>'}}")}},
    {"closed", "open", {RUN(CLOSE_OF("7", ""), "EnvironmentDeleted")}},
    {"expired", "open", {API("DELETE /projects/<live.project>/branches/<pr:7.branch>", NULL)}},
    {"base-moved",
     "expired",
     {RUN(CONNECT("second", SEALED("second", "other")), CONNECTED),
      RUN("'createEnvironment': {'environment': 'main2', 'account': 'second', 'regionId': "
          "'aws-eu-central-1'}",
          CREATED),
      RUN(BASE_OF("main2"), "PreviewBaseSet")}},
    {"preview-protected",
     "open",
     {API("PATCH /projects/<live.project>/branches/<pr:7.branch>",
          "{'branch': {'expires_at': null}}"),
      API("PATCH /projects/<live.project>/branches/<pr:7.branch>",
          "{'branch': {'protected': true}}")}},
    {"preview-default",
     "two-open",
     {API("POST /projects/<live.project>/branches/<pr:1.branch>/set_as_default", NULL)}},
    {"preview-name-taken",
     "base",
     {API("POST /projects/<live.project>/branches", "{'branch': {'name': 'preview/pr-7'}}")}},
    // a base that is made anew, as something else than it was
    {"base-deleted",
     "branched",
     {RUN(BASE_OF("try"), "PreviewBaseSet"), RUN(DELETE_OF("try", ""), "EnvironmentDeleted")}},
    {"base-expiring",
     "base-deleted",
     {RUN(BRANCH_OF("try", "live", ", 'expiresAt': '<in 3600>'"), BRANCHED)}},
    {"base-failed", "base-deleted", {NO_BRANCH_STAYS, BRANCH_FAILS}},
    {"base-lost",
     "branched",
     {RUN(BASE_OF("try"), "PreviewBaseSet"),
      API("DELETE /projects/<live.project>/branches/<try.branch>", NULL)}},
    {"base-deleting",
     "branched",
     {RUN("@neighbour " CONNECT("main", SEALED("main", "org")), CONNECTED),
      RUN("@neighbour " IMPORT_OF("theirs", "main", "<live.project>", "<try.branch>",
                                  ", 'shared': true"),
          IMPORTED),
      RUN("@neighbour " BASE_OF("theirs"), "PreviewBaseSet"), SLOW_DELETION}},
    // ---- what has expired, and Neon has deleted
    {"expired-preview", "expired", {EXPIRED_IN_LEDGER("pr:7")}},
    {"expired-branch",
     "expiring",
     {API("DELETE /projects/<live.project>/branches/<short.branch>", NULL),
      EXPIRED_IN_LEDGER("short")}},
    // ---- what no environment owns
    {"orphaned", "branched", {RUN(DELETE_OF("try", ""), "EnvironmentDeleted"), LATE}},
    {"doubled", "branched", {LATE}},
    {"mark-changed", "branched", {LATE_OF("elsewhere")}},
    {"orphan-and-foreign",
     "orphaned",
     {API_AS("foreign", "POST /projects/<live.project>/branches",
             "{'branch': {'name': 'by hand'}}")}},
    {"orphan-with-child",
     "orphaned",
     {API("POST /projects/<live.project>/branches",
          "{'branch': {'name': 'by hand', 'parent_id': '<left.branch>'}}")}},
    {"orphan-protected",
     "orphaned",
     {API("PATCH /projects/<live.project>/branches/<left.branch>",
          "{'branch': {'protected': true}}")}},
    {"orphan-default",
     "orphaned",
     {API("POST /projects/<live.project>/branches/<left.branch>/set_as_default", NULL)}},
    {"orphan-gone",
     "orphaned",
     {API("DELETE /projects/<live.project>/branches/<left.branch>", NULL)}},
    {"orphan-project",
     "live",
     {RUN(DELETE_OF("live", ", 'deleteData': true"), "EnvironmentDeleted"), LATE_ROOT}},
    {"orphan-project-out-of-sight",
     "live",
     {LATE_ROOT,
      API("DELETE /projects/<late.project>", NULL),
      {STEP_SQL,
       "UPDATE provision.account SET neon_account_id = 'another' WHERE application_id = '<app>'",
       NULL, NULL}}},
    {"orphan-project-of-key",
     "orphan-project",
     {{STEP_SQL,
       "UPDATE provision.account SET key_kind = 'project', project_id = '<late.project>' WHERE "
       "application_id = '<app>'",
       NULL, NULL}}},
    {"orphan-imported",
     "orphaned",
     {RUN(IMPORT_OF("theirs", "main", "<live.project>", "<left.branch>", ""), IMPORTED)}},
    {"unsettled",
     "orphaned",
     {{STEP_SQL,
       "UPDATE provision.command SET unsettled_until = now() + interval '1 hour' WHERE command_id "
       "= "
       "'<branch.command>'",
       NULL, NULL}}},
    // ---- what failed, and what is under way
    {"failed", "live", {NO_BRANCH_STAYS, BRANCH_FAILS}},
    {"poor-plan",
     "live",
     {{STEP_FAULT,
       "{'kind': 'status', 'route': 'PATCH /projects/{project_id}', 'match': '<live.project>', "
       "'count': -1, 'status': 400, 'message': 'requested history retention seconds exceeds "
       "allowed "
       "maximum'}",
       NULL, NULL}}},
    {"deleting",
     "branched",
     {RUN("@neighbour " CONNECT("main", SEALED("main", "org")), CONNECTED), SLOW_DELETION}},
    // ---- what only a restored ledger holds
    {"account-lost", "open", {ACCOUNT_LOST}},
    {"key-elsewhere", "open", {KEY_ELSEWHERE}},
    {"roles-account-lost", "imported", {ACCOUNT_LOST}},
    {"roles-key-elsewhere", "imported", {KEY_ELSEWHERE}},
    {"key-of-project",
     "live",
     {{STEP_SQL,
       "UPDATE provision.account SET key_kind = 'project', project_id = '<live.project>' WHERE "
       "application_id = '<app>'",
       NULL, NULL}}},
    {"other-maker", "branched", {OTHER_MAKER}},
    {"preview-of-other-maker", "two-open", {OTHER_MAKER}},
    {"left-of-other-maker",
     "live",
     {OTHER_MAKER,
      {STEP_SQL,
       "UPDATE provision.environment SET state = 'failed', details = "
       "jsonb_build_object('left', jsonb_build_array(jsonb_build_object('project_id', "
       "'<live.project>', 'neon_account_id', details -> 'neon_account_id'))) "
       "WHERE application_id = '<app>'",
       NULL, NULL}}},
};

const State *state_find(const char *name)
{
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
        if (strcmp(STATES[i].name, name) == 0) {
            return &STATES[i];
        }
    }
    fail_msg("there is no state %s", name);
    return NULL;
}
