/*
 * What DeleteEnvironment looks at before each call that deletes.
 */
#include "delete_lines.h"

#include <string.h>

static void other_account(Stage *stage)
{
    assert_true(text_copy(stage->claimed.account.neon_account_id,
                          sizeof stage->claimed.account.neon_account_id, "neon-2"));
}

static void other_organization(Stage *stage)
{
    TALK_SET(stage->claimed.account.org_id, NULL, "", "org-2");
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

static void already_marked(Stage *stage)
{
    if (stage->epoch > 1) {
        stage->claimed.environment.state = LEDGER_STATE_DELETING;
    }
}

#define OF_ORGANIZATION                                                                            \
    "{'project_id':'p-1','branch_id':'br-1','details':{'project_name':'shop-production',"          \
    "'neon_account_id':'neon-1','org_id':'org-1'}}"

static const Talk TALKS[] = {
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
      {"check_branches", NOT_FOUND, NULL, TALK_LAG_MS},
      {"confirm_gone", NO_PROJECTS, "search=shop-production"},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"a branch of a project that nobody sees",
     DELETE,
     BRANCHED_ROW,
     key_of_project,
     {MARKED,
      {"check_branches", NOT_FOUND},
      {"check_branches", NOT_FOUND, NULL, TALK_LAG_MS},
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
      {"!end", "CommandRejected",
       "'code':'NOT_VISIBLE'|state=ready seq=0 account=main project=p-1|!tombstone"}}},
    {"... unless it is of the same organization",
     DELETE_ALL,
     OF_ORGANIZATION,
     other_account,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", NOT_FOUND},
      {"check_branches", NOT_FOUND, NULL, TALK_LAG_MS},
      {"confirm_gone", NO_PROJECTS, "org_id=org-1"},
      {"confirm_gone", NO_PROJECTS, NULL, -1},
      {"!end", "EnvironmentDeleted", "'projectId':'p-1'|tombstone"}}},
    {"... which the same person's key need not be",
     DELETE_ALL,
     OF_ORGANIZATION,
     other_organization,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", NOT_FOUND},
      {"!end", "CommandRejected", "'code':'NOT_VISIBLE'|state=ready seq=0|!tombstone"}}},
    {"... nor once the deletion may be under way",
     DELETE_ALL,
     CREATED_ROW,
     other_account,
     {ALONE,
      {"delete_project", LOCKED},
      {"check_branches", NOT_FOUND, NULL, 500},
      {"!save", NULL, "NOT_VISIBLE"},
      {"!end", "CommandFailed",
       "'code':'NOT_VISIBLE'|'left':['project p-1']|state=failed seq=5|project=p-1|"
       "'left':[{'neon_account_id':'neon-1','project_id':'p-1'}]|ENVIRONMENT_STATUS_FAILED|!"
       "tombstone"}}},
    {"one 404 proves nothing: who lives in the project is seen, on a later page, too",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", BRANCHES_PAGE(ROOT("br-1"), "", "c1")},
      {"check_branches", NOT_FOUND, "cursor=c1"},
      {"check_branches", BRANCHES(ROOT("br-1") "," CHILD("br-2", "dev"), ""), "!cursor",
       TALK_LAG_MS},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|other branches: dev;|state=ready"}}},
    {"... nor that a preview has still expired",
     DELETE_EXPIRED,
     "{'origin':'branched','project_id':'p-1','branch_id':'br-1',"
     "'details':{'expires_at_ms':1795334820000}}",
     NULL,
     {MARKED,
      {"check_branches", NOT_FOUND},
      {"check_branches", BRANCHES(CHILD("br-1", "b"), ""), NULL, TALK_LAG_MS},
      {"!end", "CommandRejected", "'code':'NOT_EXPIRED'|state=ready seq=0"}}},
    {"a 404 before the deletion is none after it",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {MARKED,
      {"find_dependents", "0"},
      {"check_branches", NOT_FOUND},
      {"check_branches", BRANCHES(ROOT("br-1"), ""), NULL, TALK_LAG_MS},
      {"delete_project", LOCKED},
      {"check_branches", NOT_FOUND, NULL, 1000},
      {"check_branches", NOT_FOUND, NULL, TALK_LAG_MS},
      {"confirm_gone", NO_PROJECTS},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "EnvironmentDeleted", GONE}}},
    {"who moves in before the deletion is repeated is seen",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {ALONE,
      {"delete_project", LOCKED},
      {"check_branches", BRANCHES(ROOT("br-1") "," CHILD("br-2", "by-hand"), ""), NULL, 500},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"!end", "CommandFailed",
       "'code':'HAS_DEPENDENTS'|by-hand|'left':['project p-1']|state=failed"}}},
    {"... by who takes over, too, and it ends when no call can take place any more",
     DELETE_ALL,
     CREATED_ROW,
     NULL,
     {ALONE,
      {"delete_project", "lost"},
      {"!takeover"},
      {"check_branches", BRANCHES(ROOT("br-1") "," CHILD("br-2", "by-hand"), "")},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"!end", "CommandFailed", "'code':'HAS_DEPENDENTS'|'left':['project p-1']",
       STILL_LANDS + TALK_EFFECT_MS}}},
    {"... and a branch that got a child",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {CHILDLESS,
      {"delete_branch", AWAY},
      {"check_branches",
       BRANCHES(CHILD("br-1", "b") "," BRANCH_AS("br-2", "br-1", "child", "9", ""), ""), NULL, 500},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"!end", "CommandFailed", "'code':'HAS_DEPENDENTS'|children: child;"}}},
    {"a branch whose deletion's reply was lost is gone when no listing shows it",
     DELETE,
     BRANCHED_ROW,
     NULL,
     {CHILDLESS,
      {"delete_branch", "lost"},
      {"check_branches", BRANCHES(ROOT("br-0"), ""), NULL, 500},
      {"!end", "EnvironmentDeleted", GONE}}},
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
};

int main(void)
{
    return talk_run("what stands in a deletion's way", TALKS, TALK_COUNT(TALKS));
}
