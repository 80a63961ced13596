/*
 * ResetEnvironment, and what BranchEnvironment may begin with.
 */
#include "branch_lines.h"

#define RESET(more) "'resetEnvironment':{'environment':'production'" more "}"
#define ROW(more)                                                                                  \
    "{'state':'ready','origin':'branched','account':'main','project_id':'p-1','branch_id':'br-1'," \
    "'endpoint_id':'ep-1','details':{'branch_name':'work','source_environment':'staging'" more     \
    "}}"
#define OWN(more) BRANCH_AS("br-1", "br-parent", "work", "9", more)
#define SINCE(at) OWN(",'last_reset_at':'" at "'")
#define RESTORED "200 {'branch':" OWN("") ",'operations':[{'id':'op-1'}]}"
#define LOOKED                                                                                     \
    {"check_children", BRANCHES(OWN(""), ""), "GET /projects/p-1/branches?"},                      \
        {"find_reset", ONE_BRANCH(OWN("")), "GET /projects/p-1/branches/br-1"},                    \
    {                                                                                              \
        "list_parent_roles", ROLES(ROLE("app_owner")), "/branches/br-parent/roles"                 \
    }
#define AWAITED                                                                                    \
    {"await_operations", OPERATION("finished")},                                                   \
        {"await_branch", ONE_BRANCH(OWN(",'expires_at':'2026-11-30T09:00:00Z'"))},                 \
        {"await_endpoint", ENDPOINT("active")},                                                    \
    {                                                                                              \
        "find_databases", DATABASES                                                                \
    }
#define CONNECTED                                                                                  \
    {"find_connection", CONNECTION_URI("ep-1")},                                                   \
        {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},                                       \
    {                                                                                              \
        "check_login", "ok"                                                                        \
    }

static void set_origin(Stage *stage, const char *origin)
{
    assert_true(text_copy(stage->claimed.environment.origin,
                          sizeof stage->claimed.environment.origin, origin));
}

static void imported(Stage *stage)
{
    set_origin(stage, "imported");
}

static void created(Stage *stage)
{
    set_origin(stage, "created");
}

static const Talk RESETS[] = {
    {"the branch becomes its parent's, and its passwords are new",
     RESET(""),
     ROW(",'expires_at_ms':1"),
     NULL,
     {LOOKED,
      {"reset_branch", RESTORED,
       "POST /projects/p-1/branches/br-1/restore {'source_branch_id':'br-parent'}|lock=p-1"},
      AWAITED,
      ROTATED,
      CONNECTED,
      {"!end", "EnvironmentReset",
       "'rotatedRoles':['app_owner']|'branchName':'work'|'sourceEnvironment':'staging'|"
       "'expiresAt':'2026-11-30T09:00:00.000Z'|'sequence':'5'|state{|state=ready"}}},
    {"whoever has made it stays known, with another key, too",
     RESET(""),
     ROW(",'neon_account_id':'neon-9'"),
     NULL,
     {LOOKED,
      {"reset_branch", RESTORED},
      AWAITED,
      ROTATED,
      CONNECTED,
      {"!end", "EnvironmentReset", "'neon_account_id':'neon-9'|!org_id|state=ready"}}},
    {"one that somebody has made last at Neon is known to stay",
     RESET(""),
     ROW(",'expires_at_ms':1"),
     NULL,
     {LOOKED,
      {"reset_branch", RESTORED},
      {"await_operations", OPERATION("finished")},
      {"await_branch", ONE_BRANCH(OWN(",'expires_at':null"))},
      {"await_endpoint", ENDPOINT("active")},
      {"find_databases", DATABASES},
      ROTATED,
      CONNECTED,
      {"!end", "EnvironmentReset", "!'expiresAt'|!expires_at_ms|'sequence':'5'|state=ready"}}},
    {"children stand in the way",
     RESET(""),
     ROW(""),
     NULL,
     {{"check_children",
       BRANCHES_PAGE(OWN("") "," BRANCH_AS("br-8", "br-1", "one", "9", ""), "", "next")},
      {"check_children", BRANCHES(BRANCH_AS("br-9", "br-1", "two", "9", ""), ""), "cursor=next"},
      {"!end", "CommandRejected",
       "'code':'HAS_DEPENDENTS'|children: one, two; delete them first, or set "
       "preserve_under_name"}}},
    {"... whatever their names",
     RESET(""),
     ROW(""),
     NULL,
     {{"check_children", BRANCHES(OWN("") "," BRANCH_AS("br-8", "br-1", LONG_NAME, "9", ""), "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|children: br-8;"}}},
    {"unless they are to be kept with what it was",
     RESET(",'preserveUnderName':'before'"),
     ROW(""),
     NULL,
     {{"check_children", BRANCHES(BRANCH_AS("br-9", "br-1", "two", "9", ""), "")},
      {"find_reset", ONE_BRANCH(OWN(""))},
      PARENT_ROLES,
      {"reset_branch", ERROR("409", "BRANCH_ALREADY_EXISTS", "exists"),
       "'preserve_under_name':'before'"},
      {"!save"},
      {"!end", "CommandFailed",
       "'code':'BRANCH_NAME_TAKEN'|'field':'reset_environment.preserve_under_name'|perhaps it was "
       "reset|state=ready"}}},
    {"a lost reply: it was reset",
     RESET(""),
     ROW(""),
     NULL,
     {LOOKED,
      {"reset_branch", "lost"},
      {"find_reset", ONE_BRANCH(SINCE("2026-11-22T09:00:00Z")), NULL,
       TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"await_branch", ONE_BRANCH(OWN(""))},
      {"await_endpoint", ENDPOINT("active")},
      {"find_databases", DATABASES},
      ROTATED,
      CONNECTED,
      {"!end", "EnvironmentReset", "'sequence':'5'"}}},
    {"... and wasn't, the last time being an earlier one",
     RESET(""),
     ROW(""),
     NULL,
     {{"check_children", NO_BRANCHES},
      {"find_reset", ONE_BRANCH(SINCE("2026-11-21T09:00:00Z"))},
      PARENT_ROLES,
      {"reset_branch", "lost"},
      {"find_reset", ONE_BRANCH(SINCE("2026-11-21T09:00:00Z")), NULL,
       TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"reset_branch", RESTORED},
      {"!stop", "cancelled"},
      AWAITED,
      ROTATED,
      CONNECTED,
      {"!end", "EnvironmentReset", "state=ready"}}},
    {"one that became a root",
     RESET(""),
     ROW(""),
     NULL,
     {{"check_children", NO_BRANCHES},
      {"find_reset", ONE_BRANCH(ROOT("br-1"))},
      {"!end", "CommandRejected", "'code':'NO_PARENT'"}}},
    {"what can't be read is read again",
     RESET(""),
     ROW(""),
     NULL,
     {{"check_children", AWAY},
      {"check_children", UNREADABLE, NULL, 500},
      {"check_children", "200 {'branches':[{'id':7}]}", NULL, 1000},
      {"check_children", NO_BRANCHES, NULL, 2000},
      {"find_reset", AWAY},
      {"find_reset", UNREADABLE, NULL, 500},
      {"find_reset", NOT_FOUND, NULL, 1000},
      {"!end", "CommandRejected", "'code':'NEON_NOT_FOUND'"}}},
    {"an imported one is only looked at",
     RESET(""),
     ROW(""),
     imported,
     {{"!end", "CommandRejected", "'code':'IMPORTED_READ_ONLY'"}}},
    {"a created one has nothing to be reset to",
     RESET(""),
     ROW(""),
     created,
     {{"!end", "CommandRejected",
       "'code':'NOT_BRANCHED'|'field':'reset_environment.environment'"}}},
    {"one that isn't there",
     RESET(""),
     "{'state':'gone'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'"}}},
};

#define BRANCH_WITH(more)                                                                          \
    BRANCH_FROM("'sourceBranch':{'account':'main','projectId':'p-1','branch':'main'}," more)

static void expiring_source(Stage *stage)
{
    LedgerEnvironment *source = &stage->claimed.source;
    source->state = LEDGER_STATE_READY;
    assert_true(text_copy(source->project_id, sizeof source->project_id, "p-1"));
    assert_true(text_copy(source->branch_id, sizeof source->branch_id, "br-parent"));
    json_object_set_new(source->details, "expires_at_ms", json_integer(1));
}

static const Talk BEGINNINGS[] = {
    {"at a point in time",
     BRANCH_WITH("'pointInTime':'2026-11-22T08:07:00.250Z'"),
     NULL,
     NULL,
     {START,
      {"create_branch", ERROR("400", "", "timestamp is out of the history"),
       "'parent_timestamp':'2026-11-22T08:07:00.250Z'|!lsn|!expires|!schema"},
      {"!save"},
      {"undo_find_branch", NO_BRANCHES},
      {"!end", "CommandFailed", "out of the history|state=gone"}}},
    {"at a position in the WAL, without rows",
     BRANCH_WITH("'lsn':'0/1A2B3C4D','schemaOnly':true"),
     NULL,
     NULL,
     {START,
      {"create_branch", ERROR("422", "ROOT_BRANCHES_LIMIT_EXCEEDED", "too many roots"),
       "'parent_lsn':'0/1A2B3C4D'|'init_source':'schema-only'|!timestamp"},
      {"!save"},
      {"undo_find_branch", NO_BRANCHES},
      {"!end", "CommandFailed", "'code':'ROOT_BRANCHES_LIMIT_EXCEEDED'"}}},
    {"for a time",
     BRANCH_WITH("'expiresAt':'2026-11-30T09:00:00.9Z'"),
     NULL,
     NULL,
     {START,
      {"create_branch", BRANCHED, "'expires_at':'2026-11-30T09:00:00Z'"},
      {"await_operations", OPERATION("finished")},
      READY,
      ROTATED,
      CONNECTED,
      {"!end", "EnvironmentBranched", "'expiresAt':'2026-11-30T09:00:00.000Z'"}}},
    {"a time that is past",
     BRANCH_WITH("'expiresAt':'2020-11-30T09:00:00Z'"),
     NULL,
     NULL,
     {{"!end", "CommandRejected",
       "'code':'INVALID_VALUE'|'field':'branch_environment.expires_at'|state=gone"}}},
    {"... or too far off",
     BRANCH_WITH("'expiresAt':'2028-11-30T09:00:00Z'"),
     NULL,
     NULL,
     {{"!end", "CommandRejected", "'code':'INVALID_VALUE'"}}},
    {"off an environment that expires",
     BRANCH_OF_ENVIRONMENT,
     NULL,
     expiring_source,
     {{"!end", "CommandRejected",
       "'code':'SOURCE_EXPIRES'|'field':'branch_environment.source_environment'"}}},
    {"... without its data, which makes no child",
     BRANCH_FROM("'sourceEnvironment':'staging','schemaOnly':true"),
     NULL,
     expiring_source,
     {{"announce", "ok"}, {"!stop", "cancelled"}, {"!end", "CommandCancelled", "state=gone"}}},
};

int main(void)
{
    return talk_run("ResetEnvironment", RESETS, TALK_COUNT(RESETS)) +
           talk_run("BranchEnvironment begins", BEGINNINGS, TALK_COUNT(BEGINNINGS));
}
