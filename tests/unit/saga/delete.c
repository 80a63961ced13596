/*
 * DeleteEnvironment.
 */
#include "neon.h"

#include <string.h>

#define DETAILS                                                                                    \
    "'details':{'project_name':'shop-production','branch_name':'b','neon_account_id':'neon-1'}"
#define CREATED_ROW "{'project_id':'p-1','branch_id':'br-1'," DETAILS "}"
#define BRANCHED_ROW "{'origin':'branched','project_id':'p-1','branch_id':'br-1'," DETAILS "}"
#define DELETE_EXPIRED "'deleteEnvironment':{'environment':'production','ifExpired':true}"
#define EXPIRES_IN_A_SECOND ",'expires_at':'2026-11-22T08:07:01Z'"
#define MARKED                                                                                     \
    {                                                                                              \
        "mark_deleting", "ok", "state=deleting|lock=p-1"                                           \
    }
#define ALONE                                                                                      \
    MARKED, {"find_dependents", "0"},                                                              \
    {                                                                                              \
        "check_branches", BRANCHES(ROOT("br-1"), "")                                               \
    }
#define CHILDLESS                                                                                  \
    MARKED,                                                                                        \
    {                                                                                              \
        "check_branches", BRANCHES(ROOT("br-0") "," CHILD("br-1", "b"), "")                        \
    }
#define PROJECT_GONE                                                                               \
    {                                                                                              \
        "delete_project", "200 {'project':{}}", "DELETE /projects/p-1|lock=p-1"                    \
    }
// What is left of the time in which the first call may take place, once the second has ended.
#define STILL_LANDS (TALK_SETTLE_MS - 2 * TALK_EFFECT_MS)
#define GONE                                                                                       \
    "tombstone|'sequence':'5'|state=gone seq=5 account= project= branch= endpoint= details={}"

static void other_account(Stage *stage)
{
    assert_true(text_copy(stage->claimed.account.neon_account_id,
                          sizeof stage->claimed.account.neon_account_id, "neon-2"));
}

static void key_of(Stage *stage, const char *project_id)
{
    LedgerAccount *account = &stage->claimed.account;
    assert_true(text_copy(account->key_kind, sizeof account->key_kind, "project"));
    assert_true(text_copy(account->project_id, sizeof account->project_id, project_id));
}

static void key_of_project(Stage *stage)
{
    key_of(stage, "p-1");
}

static void key_of_other_project(Stage *stage)
{
    key_of(stage, "p-2");
}

static void no_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void soon_too_late(Stage *stage)
{
    stage->command->deadline_ms = stage->epoch == 1 ? stage->now.wall_ms + 60000 : 1;
}

static void already_marked(Stage *stage)
{
    if (stage->epoch > 1) {
        stage->claimed.environment.state = LEDGER_STATE_DELETING;
    }
}

static const Talk TALKS[] = {
    {"a project goes as a whole",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {ALONE,
      {"delete_project", LOCKED},
      {"delete_project", "200 {'project':{}}", "DELETE /projects/p-1|lock=p-1", 500},
      {"!end", "EnvironmentDeleted",
       "'projectId':'p-1'|'branchId':'br-1'|'origin':'ORIGIN_CREATED'|!forgottenOnly|" GONE}}},
    {"a branch goes alone",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {CHILDLESS,
      {"delete_branch", "200 {'branch':{},'operations':[{'id':'op-1'}]}",
       "DELETE /projects/p-1/branches/br-1|lock=p-1"},
      {"await_operations", OPERATION("finished"), "/projects/p-1/operations/op-1"},
      {"!end", "EnvironmentDeleted", "'origin':'ORIGIN_BRANCHED'|" GONE}}},
    {"what was imported is only forgotten, even without its account",
     DELETE,
     "{'origin':'imported','project_id':'p-1','branch_id':'br-1'}",
     no_account,
     {MARKED, {"!end", "EnvironmentDeleted", "'forgottenOnly':true|" GONE}}},
    {"one that has not expired, where it is only to be deleted then",
     DELETE_EXPIRED,
     "{'origin':'branched','project_id':'p-1','details':{'expires_at_ms':1795334820001}}",
     NULL,
     {{"!end", "CommandRejected",
       "'code':'NOT_EXPIRED'|'field':'delete_environment.if_expired'|row env= state=none"}}},
    {"... and one that has",
     DELETE_EXPIRED,
     "{'origin':'branched','project_id':'p-1','branch_id':'br-1',"
     "'details':{'expires_at_ms':1795334820000}}",
     NULL,
     {MARKED, {"check_branches", NO_BRANCHES}, {"!end", "EnvironmentDeleted", GONE}}},
    {"... and one that has, but for which somebody has put it off at Neon",
     DELETE_EXPIRED,
     "{'origin':'branched','project_id':'p-1','branch_id':'br-1',"
     "'details':{'expires_at_ms':1795334820000}}",
     NULL,
     {MARKED,
      {"check_branches", BRANCHES(BRANCH_AS("br-1", "br-0", "b", "9", EXPIRES_IN_A_SECOND), "")},
      {"!end", "CommandRejected",
       "'code':'NOT_EXPIRED'|'field':'delete_environment.if_expired'|expires later at Neon|"
       "state=ready seq=0"}}},
    {"an unknown environment",
     DELETE,
     NULL,
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'|row env= "}}},
    {"one that is gone, or only being made",
     DELETE,
     "{'state':'gone'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'"}}},
    {"data goes only where that was said",
     DELETE,
     CREATED_ROW,
     NULL,
     {{"!end", "CommandRejected",
       "'code':'DELETE_DATA_REQUIRED'|'field':'delete_environment.delete_data'|row env= "}}},
    {"the data of what was imported",
     DELETE_ALL,
     "{'origin':'imported','project_id':'p-1','branch_id':'br-1'}",
     NULL,
     {{"!end", "CommandRejected",
       "'code':'IMPORTED_READ_ONLY'|'field':'delete_environment.delete_data'|row env= "}}},
    {"an account that is not connected any more",
     DELETE_ALL,
     CREATED_ROW,
     no_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"other environments on the project: refused, and the row is as before",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents", "2 [{'environment':'pr'},{'application':'blog','environment':'x'}]"},
      {"!end", "CommandRejected",
       "'code':'HAS_DEPENDENTS'|2 other environments|shop/pr, blog/x|!...|state=ready seq=0 "
       "account=main project=p-1 branch=br-1|!tombstone"}}},
    {"more than can be named",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents",
       "30 [{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'}]"},
      {"!end", "CommandRejected", "30 other environments|, ..."}}},
    {"a refusal under a second claim restores the row, too",
     DELETE_ALL,
     CREATED_ROW,
     already_marked,
     {MARKED,
      {"!takeover"},
      MARKED,
      {"find_dependents", "1 [{}]"},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|state=ready seq=0"}}},
    {"... even when it comes before the mark",
     DELETE,
     CREATED_ROW,
     already_marked,
     {{"!end", "CommandRejected", "'code':'DELETE_DATA_REQUIRED'|row env= "}}},
    {"a failed environment stays failed when its deletion is refused",
     DELETE_ALL,
     "{'state':'failed','project_id':'p-1','branch_id':'br-1','details':{'left':[]}}",
     NULL,
     {MARKED,
      {"find_dependents", "1 [{}]"},
      {"!end", "CommandRejected", "state=failed seq=0|'left':[]"}}},
    {"other branches in the project",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", AWAY},
      {"check_branches", UNREADABLE, NULL, 500},
      {"check_branches", "200 {'branches':[{'id':1}]}", NULL, 1000},
      {"check_branches", BRANCHES_PAGE(ROOT("br-1") "," CHILD("br-2", "dev"), "", "c1"), NULL,
       2000},
      {"check_branches", BRANCHES(CHILD("br-3", "test"), ""), "cursor=c1"},
      {"!end", "CommandRejected",
       "'code':'HAS_DEPENDENTS'|other branches: dev, test|state=ready"}}},
    {"one with a name that is longer than ours may be counts, too, and is told by its id",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", BRANCHES(ROOT("br-1") "," CHILD("br-2", LONG_NAME), "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|other branches: br-2;|state=ready"}}},
    {"... among more than can be named",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", BRANCHES(CHILD("br-2", LONG_64 LONG_64) "," CHILD(
                                      "br-3", LONG_64 LONG_64 LONG_64) "," CHILD("br-4", "dev"),
                                  "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|" LONG_64 LONG_64 ", ...;|!dev"}}},
    {"a branch with children",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {MARKED,
      {"check_branches",
       BRANCHES(CHILD("br-1", "b") "," BRANCH_AS("br-2", "br-1", "child", "9", ""), "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|children: child"}}},
    {"... whatever their names",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {MARKED,
      {"check_branches",
       BRANCHES(CHILD("br-1", "b") "," BRANCH_AS("br-2", "br-1", LONG_NAME, "9", ""), "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|children: br-2;"}}},
    {"a protected branch",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {MARKED,
      {"check_branches", BRANCHES(BRANCH_AS("br-1", "br-0", "b", "9", ",'protected':true"), "")},
      {"!end", "CommandRejected", "'code':'BRANCH_PROTECTED'"}}},
    {"a branch that became the default",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {MARKED,
      {"check_branches", BRANCHES(BRANCH_AS("br-1", "br-0", "b", "9", ",'default':true"), "")},
      {"!end", "CommandRejected", "'code':'BRANCH_DEFAULT'"}}},
    {"a branch that somebody deleted before us",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {MARKED,
      {"check_branches", BRANCHES(ROOT("br-0"), "")},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"a project that nobody sees is looked for by our mark before that is believed",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", NOT_FOUND},
      {"delete_project", NOT_FOUND},
      {"confirm_gone", NO_PROJECTS, "search=shop-production"},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"a branch of a project that nobody sees",
     DELETE,
     BRANCHED_ROW,
     key_of_project,
     {MARKED,
      {"check_branches", NOT_FOUND},
      {"delete_branch", NOT_FOUND},
      {"confirm_gone", AWAY, "/projects/p-1/branches?"},
      {"confirm_gone", NOT_FOUND, NULL, 500},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"the key of another Neon account can not tell",
     DELETE_ALL,
     CREATED_ROW,
     other_account,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", NOT_FOUND},
      {"delete_project", NOT_FOUND},
      {"!save", NULL, "NOT_VISIBLE"},
      {"!end", "CommandFailed",
       "'code':'NOT_VISIBLE'|'left':['project p-1']|state=failed seq=5|project=p-1|"
       "'left':[{'neon_account_id':'neon-1','project_id':'p-1'}]|ENVIRONMENT_STATUS_FAILED|!"
       "tombstone"}}},
    {"a key that is kept to one project can not delete even its own",
     DELETE_ALL,
     CREATED_ROW,
     key_of_project,
     {{"!end", "CommandRejected",
       "'code':'KEY_SCOPE'|'field':'delete_environment.environment'|row env= "}}},
    {"... nor see another's branches",
     DELETE,
     BRANCHED_ROW,
     key_of_other_project,
     {{"!end", "CommandRejected", "'code':'KEY_SCOPE'|p-2|row env= "}}},
    {"before the first intent a stop turns it",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED, {"!stop", "cancelled"}, {"!end", "CommandCancelled", "state=ready seq=0"}}},
    {"from the first intent on there is no way back",
     DELETE_ALL,
     CREATED_ROW,
     soon_too_late,
     {ALONE,
      {"delete_project", BROKEN},
      {"!stop", "cancelled"},
      {"delete_project", LOCKED, NULL, 500},
      {"!later", "70000"},
      {"delete_project", BROKEN},
      {"!takeover"},
      {"delete_project", NOT_FOUND},
      {"confirm_gone", NO_PROJECTS},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"what an earlier command passed over is waited for and removed",
     DELETE_ALL,
     "{'project_id':'p-1','branch_id':'br-1','unsettled_in_ms':40000," DETAILS "}",
     NULL,
     {ALONE,
      PROJECT_GONE,
      {"confirm_gone", ONE_PROJECT("p-2"), NULL, 40000 - 4 * TALK_EFFECT_MS},
      {"confirm_gone", BRANCHES(ROOT("br-2"), EARLIER("br-2")), "/p-2/"},
      LEFTOVER_GUARDED("p-2"),
      {"delete_leftover", AWAY, "DELETE /projects/p-2"},
      {"delete_leftover", "200 {'project':{}}", NULL, 500},
      {"confirm_gone", ONE_PROJECT("p-2")},
      {"confirm_gone", BRANCHES(ROOT("br-2"), EARLIER("br-2"))},
      {"delete_leftover", NOT_FOUND},
      {"confirm_gone", NO_PROJECTS, NULL, 1000},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"a failed environment: what is left goes by id, the rest by mark",
     DELETE,
     "{'state':'failed','origin':'branched','project_id':'p-1','branch_id':'br-1','details':{"
     "'left':[{'project_id':'p-1','branch_id':'br-0'},{'project_id':'p-1','branch_id':'br-1'}]}}",
     NULL,
     {CHILDLESS,
      {"delete_branch", "204"},
      {"remove_leftover", "200 {'branch':{}}", "br-0"},
      {"confirm_gone", BRANCHES(CHILD("br-5", "shop-production"), EARLIER("br-5")),
       "search=shop-production"},
      {"delete_leftover", "204", "DELETE /projects/p-1/branches/br-5|lock=p-1"},
      {"confirm_gone", NO_BRANCHES, NULL, 500},
      {"confirm_gone", NO_BRANCHES},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"one that fails ends when no call of it can take place any more",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {ALONE,
      {"delete_project", BROKEN},
      {"delete_project", DENIED, NULL, 500},
      {"!save", NULL, "NEON_DENIED"},
      {"!end", "CommandFailed", "'left':['project p-1']|state=failed", STILL_LANDS - 500}}},
    {"... which who takes over waits for, too",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {ALONE,
      {"delete_project", "lost"},
      {"!takeover"},
      {"delete_project", DENIED},
      {"!save", NULL, "NEON_DENIED"},
      {"!takeover"},
      {"!end", "CommandFailed", "'left':['project p-1']|state=failed", STILL_LANDS}}},
    {"a deletion that fails names what is still there, once",
     DELETE,
     "{'state':'failed','origin':'branched','project_id':'p-1','branch_id':'br-1','details':{"
     "'branch_name':'b','left':[{'project_id':'p-1','branch_id':'br-1'}]}}",
     NULL,
     {CHILDLESS,
      {"delete_branch", DENIED},
      {"!save", NULL, "NEON_DENIED"},
      {"!end", "CommandFailed",
       "'left':['project p-1, branch br-1']|'left':[{'branch_id':'br-1','project_id':'p-1'}]}"}}},
    {"nothing of it was ever journaled",
     DELETE_ALL,
     "{'state':'failed','details':{'project_name':'shop-production','left':[]}}",
     NULL,
     {{"mark_deleting", "ok", "state=deleting"},
      {"confirm_gone", NO_PROJECTS},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"a listing that always shows something ends the deletion",
     DELETE_ALL,
     "{'state':'failed','details':{'project_name':'shop-production','left':[]}}",
     NULL,
     {{"mark_deleting", "ok"},
      {"confirm_gone", ONE_PROJECT("p-2")},
      {"confirm_gone", BRANCHES(ROOT("br-2"), EARLIER("br-2"))},
      LEFTOVER_GUARDED("p-2"),
      {"delete_leftover", "200 {'project':{}}"},
      {"!later", "900001"},
      {"confirm_gone", ONE_PROJECT("p-2")},
      {"!save", NULL, "NEON_UNAVAILABLE"},
      {"!end", "CommandFailed", "state=failed|'left':[]"}}},
};

int main(void)
{
    return talk_run("DeleteEnvironment", TALKS, TALK_COUNT(TALKS));
}
