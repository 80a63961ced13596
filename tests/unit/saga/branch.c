/*
 * BranchEnvironment.
 */
#include "branch_lines.h"

static void on_neon(Stage *stage)
{
    LedgerEnvironment *source = &stage->claimed.source;
    source->state = LEDGER_STATE_READY;
    assert_true(text_copy(source->project_id, sizeof source->project_id, "p-1"));
    assert_true(text_copy(source->branch_id, sizeof source->branch_id, "br-parent"));
}

static void being_deleted(Stage *stage)
{
    on_neon(stage);
    stage->claimed.source.state = LEDGER_STATE_DELETING;
}

static void scoped_elsewhere(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-9");
}

static void without_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void source_and_account_gone(Stage *stage)
{
    stage->claimed.account.found = false;
    stage->claimed.source.state = LEDGER_STATE_GONE;
}

static const Talk TALKS[] = {
    {"a branch is made, waited for, its passwords replaced, and tried",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch", BRANCHED,
       "POST /projects/p-1/branches|lock=p-1|'parent_id':'br-parent'|'name':'shop-production'|"
       "'type':'read_write'|'provisioner.command':'" TALK_ID "'"},
      {"await_operations", OPERATION("running")},
      {"await_operations", OPERATION("finished"), NULL, 1000},
      READY,
      {"list_roles",
       ROLES(
           ROLE("app_owner") ",{'name':'web_access','protected':true},"
                             "{'name':'group','authentication_method':'no_login'}," ROLE("jobs"))},
      {"reveal_password", PASSWORD("old-1"), "/roles/app_owner/reveal_password"},
      {"reset_password", "200 {'role':{'name':'app_owner'},'operations':[{'id':'op-2'}]}",
       "POST|/roles/app_owner/reset_password|lock=p-1"},
      {"await_operations", OPERATION("finished"), "op-2"},
      {"reveal_password", PASSWORD("old-2"), "/roles/jobs/"},
      {"reset_password", "200 {'role':{'name':'jobs'}}"},
      {"find_connection", CONNECTION_URI("ep-1"), "database_name=app|role_name=app_owner|ep-1"},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"!end", "EnvironmentBranched",
       "'rotatedRoles':['app_owner','jobs']|'origin':'ORIGIN_BRANCHED'|'sequence':'5'|"
       "'sourceBranchId':'br-parent'|'databases':['app','jobs']|state=ready|branch=br-1|!old-1|"
       "!pw-1|'roles':['app_owner','jobs']"}}},
    {"a source environment names project and parent",
     BRANCH_OF_ENVIRONMENT,
     NULL,
     on_neon,
     {{"announce", "ok", "lock=p-1"},
      {"check_source_stays", "1 [{'state':'deleting','branch_id':'br-x'}]"},
      PROJECT_READ,
      {"find_branch", NO_BRANCHES},
      PARENT_ROLES,
      CREATED_AND_READY,
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"reveal_password", PASSWORD("old")},
      {"reset_password", "200 {'role':{}}"},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"!end", "EnvironmentBranched", "'sourceEnvironment':'staging'"}}},
    {"an unknown source is one that is not on Neon",
     BRANCH_OF_ENVIRONMENT,
     NULL,
     source_and_account_gone,
     {{"!end", "CommandRejected", "'code':'SOURCE_NOT_ON_NEON'|state=gone seq=0"}}},
    {"a source that is being deleted",
     BRANCH_OF_ENVIRONMENT,
     NULL,
     being_deleted,
     {{"!end", "CommandRejected", "'code':'SOURCE_DELETING'"}}},
    {"an unknown account",
     BRANCH,
     NULL,
     without_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"a key that is kept to another project",
     BRANCH,
     NULL,
     scoped_elsewhere,
     {{"!end", "CommandRejected", "'code':'KEY_SCOPE'"}}},
    {"the same settings again make nothing, whatever became of the source",
     BRANCH_OF_ENVIRONMENT,
     "{'same':1,'origin':'branched','action':'BranchEnvironment','project_id':'p-1',"
     "'branch_id':'br-1','details':{'branch_name':'b','roles':['app_owner']}}",
     source_and_account_gone,
     {{"!end", "EnvironmentBranched", "!'created':true|'branchId':'br-1'|seq=0"}}},
    {"an environment with other settings is there",
     BRANCH,
     "{'origin':'branched','action':'BranchEnvironment'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_EXISTS'"}}},
    {"the source branch is found by id or exact name, on any page",
     BRANCH,
     NULL,
     NULL,
     {{"find_source", AWAY},
      {"find_source", UNREADABLE, NULL, 500},
      {"find_source", "200 {'branches':[{'id':1}]}", NULL, 1000},
      {"find_source", BRANCHES_PAGE(CHILD("br-2", "main-2"), "", "c1"), NULL, 2000},
      {"find_source", BRANCHES(CHILD("main", "other"), ""), "cursor=c1"},
      {"announce", "ok"},
      {"!stop", "cancelled"},
      {"!end", "CommandCancelled"}}},
    {"a source branch that is not there",
     BRANCH,
     NULL,
     NULL,
     {{"find_source", BRANCHES(CHILD("br-2", "main-2"), "")},
      {"!end", "CommandRejected", "'code':'SOURCE_NOT_FOUND'"}}},
    {"a source project that is not there",
     BRANCH,
     NULL,
     NULL,
     {{"find_source", NOT_FOUND}, {"!end", "CommandRejected", "'code':'SOURCE_NOT_FOUND'"}}},
    {"the source's project is being deleted by somebody",
     BRANCH,
     NULL,
     NULL,
     {{"find_source", BRANCHES(ROOT("br-parent"), "")},
      {"announce", "ok"},
      {"check_source_stays",
       "2 [{},{'application':'other','environment':'e','state':'deleting','origin':'created'}]"},
      {"!end", "CommandRejected", "'code':'SOURCE_DELETING'|environment e of application other"}}},
    {"the source branch is being deleted by its own environment",
     BRANCH,
     NULL,
     NULL,
     {{"find_source", BRANCHES(ROOT("br-parent"), "")},
      {"announce", "ok"},
      {"check_source_stays", "1 [{'state':'deleting','branch_id':'br-parent'}]",
       "lock=p-1|branch=br-parent"},
      {"!end", "CommandRejected", "'code':'SOURCE_DELETING'"}}},
    {"a project that the key does not see",
     BRANCH_OF_ENVIRONMENT,
     NULL,
     on_neon,
     {{"announce", "ok"},
      {"check_source_stays", "0"},
      {"read_project", NOT_FOUND},
      {"!end", "CommandRejected", "'code':'SOURCE_NOT_FOUND'"}}},
    {"... or not any more",
     BRANCH_OF_ENVIRONMENT,
     NULL,
     on_neon,
     {{"announce", "ok"},
      {"check_source_stays", "0"},
      PROJECT_READ,
      {"find_branch", NOT_FOUND},
      {"!end", "CommandRejected", "'code':'SOURCE_NOT_FOUND'"}}},
    {"a list of branches that can not be had",
     BRANCH_OF_ENVIRONMENT,
     NULL,
     on_neon,
     {{"announce", "ok"},
      {"check_source_stays", "0"},
      PROJECT_READ,
      {"find_branch", UNREADABLE},
      {"find_branch", "200 {'branches':[{'id':1}]}", NULL, 500},
      {"find_branch", DENIED, NULL, 1000},
      {"!end", "CommandRejected", "'code':'NEON_DENIED'"}}},
    {"a parent that is gone at the last moment",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch", NOT_FOUND},
      {"!save", NULL, "SOURCE_NOT_FOUND"},
      {"undo_find_branch", NO_BRANCHES},
      {"!end", "CommandFailed", "'code':'SOURCE_NOT_FOUND'|tombstone"}}},
    {"what was made is undone: by its id, and by listing our mark",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch", BRANCHED},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"undo_delete_branch", LOCKED},
      {"undo_delete_branch", NOT_FOUND, NULL, 500},
      {"undo_delete_branch", "200 {'branch':{}}", NULL, 1000},
      {"undo_find_branch", AWAY},
      {"undo_find_branch", UNREADABLE, NULL, 500},
      {"undo_find_branch", NO_BRANCHES, NULL, 1000},
      {"!end", "CommandCancelled", "'undone':['branch br-1']|tombstone|state=gone"}}},
    {"a branch goes with its project",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch", BRANCHED},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"!later", "30000"},
      {"undo_delete_branch", NOT_FOUND},
      {"undo_find_branch", NOT_FOUND},
      {"!end", "CommandCancelled", "!undone|tombstone"}}},
    {"a branch that can not be removed is left",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch", BRANCHED},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"undo_delete_branch", ERROR("422", "", "branch has children")},
      {"!takeover"},
      {"!end", "CommandCancelled",
       "'project p-1, branch br-1'|state=failed|project=p-1 branch=br-1|"
       "'left':[{'branch_id':'br-1','neon_account_id':'neon-1','project_id':'p-1'}]|'status':'"
       "ENVIRONMENT_STATUS_FAILED'"}}},
    {"what an earlier command left goes first",
     BRANCH,
     "{'state':'creating','origin':'branched','action':'BranchEnvironment','command_id':'" TALK_ID
     "','details':{'left':[{'project_id':'p-1','branch_id':'br-0'}]}}",
     NULL,
     {{"find_source", BRANCHES(ROOT("br-parent"), "")},
      {"announce", "ok"},
      {"check_source_stays", "0"},
      PROJECT_READ,
      {"remove_leftover", "200 {'branch':{}}", "DELETE /projects/p-1/branches/br-0"},
      {"find_branch", NO_BRANCHES},
      PARENT_ROLES,
      {"create_branch", DENIED},
      {"!save", NULL, "NEON_DENIED"},
      {"undo_find_branch", NO_BRANCHES},
      {"!end", "CommandFailed", "tombstone|state=gone|!left"}}},
};

int main(void)
{
    return talk_run("BranchEnvironment", TALKS, TALK_COUNT(TALKS));
}
