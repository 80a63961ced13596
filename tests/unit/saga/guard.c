/*
 * No project goes while somebody else lives in it, whoever deletes it; and a key that can't see a
 * thing does not prove it gone.
 */
#include "project_lines.h"

#include <string.h>

#define LEFT(list) "'details':{'left':[" list "]}}"
#define REPEATED "{'state':'creating','project_id':'p-5','command_id':'" TALK_ID "',"
#define P5 "{'project_id':'p-5','neon_account_id':'neon-1'}"
#define P6 "{'project_id':'p-6','neon_account_id':'neon-1'}"
#define INHABITED "1 [{'application':'blog','environment':'pr'}]"
#define STAYS "state=failed seq=0 account=main project=p-5|'left':[" P5R "]|!tombstone"
#define P5R "{'neon_account_id':'neon-1','project_id':'p-5'}"
#define CANCELLED                                                                                  \
    START, {"create_project", CREATED}, {"!stop", "cancelled"},                                    \
    {                                                                                              \
        "!save", NULL, "CANCELLED"                                                                 \
    }
#define FAILED_ROW                                                                                 \
    "{'state':'failed','project_id':'p-1','branch_id':'br-1','details':{"                          \
    "'project_name':'shop-production','neon_account_id':'neon-1','left':["
#define OWN_GONE                                                                                   \
    {"mark_deleting", "ok", "state=deleting|lock=p-1"}, {"find_dependents", "0"},                  \
        {"check_branches", BRANCHES(ROOT("br-1"), "")},                                            \
    {                                                                                              \
        "delete_project", "200 {'project':{}}", "DELETE /projects/p-1"                             \
    }

// What the guard's mark has made of the row.
static void marked_row(Stage *stage)
{
    LedgerEnvironment *row = &stage->claimed.environment;
    if (stage->epoch > 1) {
        row->state = LEDGER_STATE_DELETING;
        assert_true(text_copy(row->project_id, sizeof row->project_id, "p-5"));
    }
}

static void other_account(Stage *stage)
{
    assert_true(text_copy(stage->claimed.account.neon_account_id,
                          sizeof stage->claimed.account.neon_account_id, "neon-2"));
}

static void scoped_key(Stage *stage)
{
    assert_true(text_copy(stage->claimed.account.key_kind, sizeof stage->claimed.account.key_kind,
                          "project"));
}

static const Talk TALKS[] = {
    {"a leftover that another application has branched stays",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok", "state=deleting|lock=p-5"},
      {"find_inhabitants", INHABITED, "lock=p-5"},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|project p-5|blog/pr|" STAYS}}},
    {"... whatever the ledger can name of them",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants",
       "30 [{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'},"
       "{'environment':'e-0123456789012345678901234567890123456789012345678901234567'}]"},
      {"!end", "CommandRejected", "30 other environments|, ...|" STAYS}}},
    {"... or only Neon knows, on the last page",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover", AWAY, "GET /projects/p-5/branches"},
      {"check_leftover", UNREADABLE, NULL, 500},
      {"check_leftover", "200 {'branches':[{'id':1}]}", NULL, 1000},
      {"check_leftover", BRANCHES_PAGE(ROOT("br-1"), "", "c1"), NULL, 2000},
      {"check_leftover", BRANCHES(CHILD("br-2", "dev") "," CHILD("br-3", "test"), ""), "cursor=c1"},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|p-5|branches: dev, test|" STAYS}}},
    {"a second root is somebody else's",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover",
       BRANCHES(BRANCH_AS("br-9", "", "imported", "9", "") "," ROOT("br-1"), EARLIER("br-1"))},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|branches: imported;|" STAYS}}},
    {"... with whatever names",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover", BRANCHES(BRANCH_AS("br-8", "", LONG_NAME, "9", "") "," BRANCH_AS(
                                      "br-9", "", LONG_NAME, "9", "") "," CHILD("br-7", LONG_NAME),
                                  "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|branches: br-9, br-7;|" STAYS}}},
    {"... or beside our own",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover",
       BRANCHES(BRANCH_AS("br-9", "", LONG_NAME, "9", "") "," ROOT("br-1"), EARLIER("br-1"))},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|branches: br-9;|" STAYS}}},
    {"a root that is read twice is one",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover", BRANCHES(ROOT("br-1") ",{'id':1}", "")},
      {"check_leftover", BRANCHES(ROOT("br-1"), ""), NULL, 500},
      {"remove_leftover", "200 {'project':{}}", "DELETE /projects/p-5"},
      {"mark_creating", "ok"},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"undo_find_project", NO_PROJECTS},
      {"!end", "CommandCancelled", "tombstone"}}},
    {"a guard is begun again after a takeover, and the refusal restores the row",
     CREATE,
     REPEATED LEFT(P5),
     marked_row,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"!takeover"},
      {"check_region", REGIONS},
      {"mark_leftover", "ok", "state=deleting|lock=p-5"},
      {"find_inhabitants", INHABITED},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|" STAYS}}},
    {"each of several is guarded, and the second may stay",
     CREATE,
     REPEATED LEFT(P5 "," P6),
     NULL,
     {{"check_region", REGIONS},
      LEFTOVER_GUARDED("p-5"),
      {"remove_leftover", "200 {'project':{}}", "DELETE /projects/p-5"},
      {"mark_leftover", "ok", "state=deleting|lock=p-6"},
      {"find_inhabitants", INHABITED, "lock=p-6"},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"undo_find_project", NO_PROJECTS},
      {"!end", "CommandFailed",
       "'code':'HAS_DEPENDENTS'|'left':['project p-6']|state=failed seq=5|!p-5"}}},
    {"a leftover that is removed lets the row be created again, in another's hands, too",
     CREATE,
     REPEATED LEFT(P5),
     marked_row,
     {{"check_region", REGIONS},
      LEFTOVER_GUARDED("p-5"),
      {"remove_leftover", "200 {'project':{}}", "DELETE /projects/p-5"},
      {"!takeover"},
      {"mark_creating", "ok", "state=creating|lock= "},
      {"find_project", NO_PROJECTS},
      {"create_project", CREATED},
      TAIL,
      {"!end", "EnvironmentCreated", "state=ready"}}},
    {"one that Neon twice says is gone is not deleted",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover", NOT_FOUND},
      {"check_leftover", NOT_FOUND, NULL, TALK_LAG_MS},
      {"mark_creating", "ok", "state=creating|lock= "},
      {"find_project", NO_PROJECTS},
      {"create_project", CREATED},
      TAIL,
      {"!end", "EnvironmentCreated", "state=ready"}}},
    {"one 404 proves nothing: who lives in a leftover is seen",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover", BRANCHES_PAGE(ROOT("br-1"), "", "c1")},
      {"check_leftover", NOT_FOUND, "cursor=c1"},
      {"check_leftover", BRANCHES(ROOT("br-1") "," CHILD("br-2", "dev"), ""), "!cursor",
       TALK_LAG_MS},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|branches: dev;|" STAYS}}},
    {"... or moves in before its deletion is repeated",
     CREATE,
     REPEATED LEFT(P5),
     NULL,
     {{"check_region", REGIONS},
      LEFTOVER_GUARDED("p-5"),
      {"remove_leftover", LOCKED, "DELETE /projects/p-5"},
      {"!takeover"},
      {"check_leftover", BRANCHES(ROOT("br-1") "," CHILD("br-2", "dev"), "")},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"undo_find_project", NO_PROJECTS},
      {"!end", "CommandFailed", "'code':'HAS_DEPENDENTS'|'left':['project p-5']|state=failed"}}},
    {"... or into what is undone",
     CREATE,
     NULL,
     NULL,
     {CANCELLED,
      UNDO_GUARDED("p-1"),
      {"undo_delete_project", LOCKED},
      {"undo_check_branches", BRANCHES(ROOT("br-1") "," CHILD("br-2", "dev"), OURS("br-1")), NULL,
       500},
      {"!end", "CommandCancelled", "undo_check_branches: |branches: dev;|state=failed"}}},
    {"another account's 404 proves nothing: the leftover stays",
     CREATE,
     REPEATED LEFT(P5),
     other_account,
     {{"check_region", REGIONS},
      {"mark_leftover", "ok"},
      {"find_inhabitants", "0"},
      {"check_leftover", NOT_FOUND},
      {"!end", "CommandRejected", "'code':'NOT_VISIBLE'|" STAYS}}},
    {"an undo leaves the project that another has branched",
     CREATE,
     NULL,
     NULL,
     {CANCELLED,
      {"undo_mark_deleting", "ok", "state=deleting|lock=p-1"},
      {"undo_find_dependents", INHABITED, "lock=p-1"},
      {"!end", "CommandCancelled",
       "'left':['undo_find_dependents: 1 other environments live in project p-1|blog/pr|"
       "'project p-1'|state=failed seq=5 account=main project=p-1|"
       "'left':[{'neon_account_id':'neon-1','org_id':'org-1','project_id':'p-1'}]|!tombstone"}}},
    {"... and the branches that only Neon knows",
     CREATE,
     NULL,
     NULL,
     {CANCELLED,
      {"undo_mark_deleting", "ok"},
      {"undo_find_dependents", "0"},
      {"undo_check_branches", BRANCHES(ROOT("br-1") "," CHILD("br-2", "dev"), OURS("br-1"))},
      {"!end", "CommandCancelled", "undo_check_branches: |branches: dev;|state=failed"}}},
    {"a guard of one project is none of another, and none for ever",
     CREATE,
     NULL,
     NULL,
     {CANCELLED,
      UNDO_GUARDED("p-1"),
      {"undo_delete_project", "200 {'project':{}}"},
      {"undo_find_project", ONE_PROJECT("p-2")},
      {"undo_find_project", BRANCHES(ROOT("br-2"), OURS("br-2"))},
      UNDO_GUARDED("p-2"),
      {"undo_delete_project", "200 {'project':{}}", "DELETE /projects/p-2"},
      {"undo_find_project", ONE_PROJECT("p-1")},
      {"undo_find_project", BRANCHES(ROOT("br-1"), OURS("br-1"))},
      {"undo_mark_deleting", "ok", "lock=p-1", 500},
      {"undo_find_dependents", INHABITED, "lock=p-1"},
      {"!end", "CommandCancelled", "'project p-1'|state=failed"}}},
    {"a Delete leaves another's leftover that somebody has branched",
     DELETE_ALL,
     FAILED_ROW P5 "]}}",
     NULL,
     {OWN_GONE,
      {"mark_leftover", "ok", "state=deleting|lock=p-5"},
      {"find_inhabitants", INHABITED, "lock=p-5"},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"!end", "CommandFailed",
       "'code':'HAS_DEPENDENTS'|'left':['project p-5']|state=failed seq=5 account=main "
       "project=p-1"}}},
    {"a Delete whose row names a leftover by now still knows its own project",
     DELETE_ALL,
     FAILED_ROW P5 ",{'project_id':'p-1'}]}}",
     marked_row,
     {OWN_GONE,
      LEFTOVER_GUARDED("p-5"),
      {"remove_leftover", BROKEN, "DELETE /projects/p-5"},
      {"!takeover"},
      {"check_leftover", BRANCHES(ROOT("br-1"), ""), "GET /projects/p-5/branches"},
      {"remove_leftover", "200 {'project':{}}", "DELETE /projects/p-5"},
      {"confirm_gone", NO_PROJECTS},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "EnvironmentDeleted", "'projectId':'p-1'|tombstone"}}},
    {"a Delete does not take a listed project that somebody has branched",
     DELETE_ALL,
     FAILED_ROW "]}}",
     NULL,
     {OWN_GONE,
      {"confirm_gone", ONE_PROJECT("p-2")},
      {"confirm_gone", BRANCHES(ROOT("br-2"), EARLIER("br-2"))},
      {"judge_leftover", "confirmed {'marks':[{'known':true,'finished':true}]}"},
      {"mark_leftover", "ok", "lock=p-2"},
      {"find_inhabitants", INHABITED, "lock=p-2"},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"!end", "CommandFailed", "project p-2|state=failed"}}},
    {"an own project of which no branch is known is looked into all the same",
     DELETE_ALL,
     "{'state':'failed','project_id':'p-5','details':{'left':[" P5 "]}}",
     NULL,
     {{"mark_deleting", "ok"},
      {"find_dependents", "0"},
      {"check_branches", BRANCHES(ROOT("br-5") "," CHILD("br-6", "dev"), EARLIER("br-5"))},
      {"!end", "CommandRejected", "other branches: dev;|state=failed"}}},
    {"a listing by another account's key proves nothing",
     DELETE_ALL,
     "{'state':'failed','details':{'project_name':'shop-production','neon_account_id':'neon-1',"
     "'left':[]}}",
     other_account,
     {{"mark_deleting", "ok"},
      {"confirm_gone", NO_PROJECTS},
      {"!end", "CommandRejected", "'code':'NOT_VISIBLE'|state=failed|!tombstone"}}},
    {"a key of one project sees no leftover in another",
     DELETE,
     "{'state':'failed','origin':'branched','project_id':'p-1','branch_id':'br-1','details':{"
     "'neon_account_id':'neon-1','left':[{'project_id':'p-1','branch_id':'br-0'}]}}",
     scoped_key,
     {{"mark_deleting", "ok"},
      {"check_branches", BRANCHES(ROOT("br-0") "," CHILD("br-1", "b"), "")},
      {"delete_branch", "200 {'branch':{}}"},
      {"remove_leftover", NOT_FOUND, "br-0"},
      {"!save", NULL, "NOT_VISIBLE"},
      {"!end", "CommandFailed", "'left':['project p-1, branch br-0']|state=failed"}}},
};

int main(void)
{
    return talk_run("what stands before a deletion", TALKS, TALK_COUNT(TALKS));
}
