/*
 * DeleteOrphan: nothing that it was told is believed.
 */
#include "neon.h"

#define ORPHAN                                                                                     \
    "'deleteOrphan':{'environment':'production','account':'main','projectId':'p-1',"               \
    "'branchId':'br-2','commandId':'" TALK_OTHER_ID "'}"
#define DONE "'known':true,'finished':true,'settled':true,'about':true"
#define SAID(more) "confirmed {'marks':[{" DONE more "}]}"
#define BY_BRANCHING SAID(",'action':'BranchEnvironment'")
#define BY_CREATION SAID(",'action':'CreateEnvironment'")
#define WITH_MARK(branch, mark) "200 {'branch':" branch ",'annotation':{'value':{" mark "}}}"
#define MARK(installation, application, environment, command)                                      \
    "'provisioner.installation':'" installation "','provisioner.application':'" application "',"   \
    "'provisioner.environment':'" environment "','provisioner.command':'" command "'"
#define OURS_ALL MARK(TALK_INSTALLATION, "shop", "production", TALK_OTHER_ID)
#define A_BRANCH WITH_MARK(CHILD("br-2", "shop-production"), OURS_ALL)
#define A_ROOT WITH_MARK(ROOT("br-2"), OURS_ALL)
#define JUDGED(reply)                                                                              \
    {                                                                                              \
        "judge", reply,                                                                            \
            "account= |'environment':'production'|'command':'" TALK_OTHER_ID                       \
            "'|'project':'p-1'|'branch':'br-2'"                                                    \
    }
#define READ(reply)                                                                                \
    {                                                                                              \
        "read_branch", reply, "GET /projects/p-1/branches/br-2 "                                   \
    }
#define TO_BRANCHES                                                                                \
    JUDGED(BY_BRANCHING), READ(A_BRANCH), {"condemn", "ok", "lock=p-1"},                           \
    {                                                                                              \
        "judge_again", BY_BRANCHING                                                                \
    }
#define TO_PROJECT                                                                                 \
    JUDGED(BY_CREATION), READ(A_ROOT), {"condemn", "ok", "lock=p-1"},                              \
    {                                                                                              \
        "judge_again", BY_CREATION                                                                 \
    }
#define MAIN_AND(branch) BRANCHES(ROOT("br-1") "," branch, "")
#define FREE                                                                                       \
    {                                                                                              \
        "check_branches", MAIN_AND(CHILD("br-2", "b")), "GET /projects/p-1/branches?"              \
    }
#define LIVE "{'project_id':'p-9','branch_id':'br-9'}"
#define NOTHING_CHANGES "!'sequence'|!state{|!tombstone|row env= state=none seq=0"
#define REFUSED(code)                                                                              \
    {                                                                                              \
        "!end", "CommandRejected", "'code':'" code "'|" NOTHING_CHANGES                            \
    }

static void unknown(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void of_other_project(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-9");
}

static void of_its_project(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-1");
}

static void of_other_neon_account(Stage *stage)
{
    TALK_SET(stage->claimed.account.neon_account_id, NULL, "", "neon-2");
}

static const Talk TALKS[] = {
    {"a branch is deleted, its environment stays as it is",
     ORPHAN,
     LIVE,
     NULL,
     {TO_BRANCHES,
      FREE,
      {"delete_orphan", "200 {'operations':[{'id':'op-1'}]}",
       "DELETE /projects/p-1/branches/br-2 |lock=p-1"},
      {"await_operations", OPERATION("finished")},
      {"!end", "OrphanDeleted",
       "'deleted':true|'environment':'production'|'projectId':'p-1'|'branchId':'br-2'|"
       "'commandId':'" TALK_OTHER_ID "'|!projectDeleted|" NOTHING_CHANGES}}},
    {"a project with nothing else in it goes as a whole",
     ORPHAN,
     LIVE,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES(ROOT("br-2"), "")},
      {"delete_orphan", "200 {'project':{}}", "DELETE /projects/p-1 |lock=p-1"},
      {"!end", "OrphanDeleted", "'deleted':true|'projectDeleted':true|" NOTHING_CHANGES}}},
    {"one with another branch stays",
     ORPHAN,
     NULL,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES_PAGE(ROOT("br-2"), "", "c-1")},
      {"check_branches", BRANCHES(CHILD("br-3", "dev") "," CHILD("br-4", "test"), ""),
       "cursor=c-1"},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|other branches: dev, test"}}},
    {"... whatever its name",
     ORPHAN,
     NULL,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES(ROOT("br-2") "," CHILD("br-3", LONG_NAME), "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|other branches: br-3;"}}},
    {"a branch with children stays",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      {"check_branches", MAIN_AND(CHILD("br-2", "b") "," BRANCH_AS("br-3", "br-2", "x", "9", ""))},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|children: x;"}}},
    {"a protected one stays",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      {"check_branches", MAIN_AND(BRANCH_AS("br-2", "br-1", "b", "9", ",'protected':true"))},
      REFUSED("BRANCH_PROTECTED")}},
    {"the default one stays",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      {"check_branches", MAIN_AND(BRANCH_AS("br-2", "br-1", "b", "9", ",'default':true"))},
      REFUSED("BRANCH_DEFAULT")}},
    {"the default branch of a project goes with it",
     ORPHAN,
     NULL,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES(ROOT("br-2"), "")},
      {"delete_orphan", "200 {'project':{}}"},
      {"!end", "OrphanDeleted", "'projectDeleted':true"}}},
    {"what is gone is gone, once it was looked for when a listing would show it",
     ORPHAN,
     NULL,
     NULL,
     {JUDGED(BY_BRANCHING),
      READ(NOT_FOUND),
      {"read_branch", NOT_FOUND, NULL, TALK_LAG_MS},
      {"!end", "OrphanDeleted", "'branchId':'br-2'|!'deleted'|" NOTHING_CHANGES}}},
    {"... or went meanwhile",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      {"check_branches", BRANCHES(ROOT("br-1"), "")},
      {"!end", "OrphanDeleted", "!'deleted'"}}},
    {"... with its project",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      {"check_branches", NOT_FOUND},
      {"check_branches", NOT_FOUND, NULL, TALK_LAG_MS},
      {"!end", "OrphanDeleted", "!'deleted'"}}},
    {"... or just before us",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES, FREE, {"delete_orphan", NOT_FOUND}, {"!end", "OrphanDeleted", "!'deleted'"}}},
    {"... as Neon says of a branch",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES, FREE, {"delete_orphan", "204"}, {"!end", "OrphanDeleted", "!'deleted'"}}},
    {"a key that is kept to the project sees its branches, and those that aren't there",
     ORPHAN,
     NULL,
     of_its_project,
     {TO_BRANCHES, FREE, {"delete_orphan", NOT_FOUND}, {"!end", "OrphanDeleted", "!'deleted'"}}},
    {"what an environment of another account was made by says nothing of the key",
     ORPHAN,
     "{'account':'second','details':{'neon_account_id':'neon-1'}}",
     of_other_neon_account,
     {TO_BRANCHES, FREE, {"delete_orphan", NOT_FOUND}, {"!end", "OrphanDeleted", "!'deleted'"}}},
    {"a deletion whose reply was lost was ours",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      FREE,
      {"delete_orphan", "lost"},
      {"check_branches", BRANCHES(ROOT("br-1"), ""), NULL, TALK_SETTLE_MS - 10},
      {"!end", "OrphanDeleted", "'deleted':true"}}},
    {"... a project's, too, once Neon has said twice that it is gone",
     ORPHAN,
     NULL,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES(ROOT("br-2"), "")},
      {"delete_orphan", "lost"},
      {"check_branches", NOT_FOUND, NULL, TALK_SETTLE_MS - 10},
      {"check_branches", NOT_FOUND, NULL, TALK_LAG_MS},
      {"!end", "OrphanDeleted", "'deleted':true|'projectDeleted':true"}}},
    {"who moves in before the deletion is repeated is seen",
     ORPHAN,
     NULL,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES(ROOT("br-2"), "")},
      {"delete_orphan", LOCKED},
      {"check_branches", BRANCHES(ROOT("br-2") "," CHILD("br-3", "by-hand"), ""), NULL, 500},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"!end", "CommandFailed", "'code':'HAS_DEPENDENTS'|by-hand|" NOTHING_CHANGES}}},
    {"... by who takes over, too",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      FREE,
      {"delete_orphan", LOCKED},
      {"!takeover"},
      {"check_branches",
       MAIN_AND(CHILD("br-2", "b") "," BRANCH_AS("br-3", "br-2", "by-hand", "9", ""))},
      {"!save", NULL, "HAS_DEPENDENTS"},
      {"!end", "CommandFailed", "'code':'HAS_DEPENDENTS'|by-hand|" NOTHING_CHANGES}}},
    {"one 404 of a listing proves nothing, on a later page either",
     ORPHAN,
     NULL,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES_PAGE(ROOT("br-2"), "", "c-1")},
      {"check_branches", NOT_FOUND, "cursor=c-1"},
      {"check_branches", BRANCHES(ROOT("br-2") "," CHILD("br-3", "dev"), ""), "!cursor",
       TALK_LAG_MS},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|other branches: dev;"}}},
    {"whoever takes over goes on deleting once the first call is settled",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      FREE,
      {"delete_orphan", "lost"},
      {"!takeover"},
      {"check_branches", MAIN_AND(CHILD("br-2", "b")), NULL, TALK_SETTLE_MS - 10},
      {"delete_orphan", "200 {}"},
      {"!end", "OrphanDeleted", "'deleted':true"}}},
    {"... and before that checks all again",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES,
      {"!takeover"},
      TO_BRANCHES,
      FREE,
      {"delete_orphan", "200 {}"},
      {"!end", "OrphanDeleted", "'deleted':true"}}},
    {"what Neon refuses to delete is told, and changes no row",
     ORPHAN,
     "{'state':'failed','details':{'left':[{'project_id':'p-7'}]}}",
     NULL,
     {JUDGED(BY_BRANCHING),
      READ(A_BRANCH),
      {"condemn", "ok"},
      {"judge_again", BY_BRANCHING},
      FREE,
      {"delete_orphan", ERROR("422", "", "branch has children")},
      {"!save", NULL, "NEON_REFUSED"},
      {"!end", "CommandFailed", "branch has children|!p-7|" NOTHING_CHANGES}}},
    {"once it may be under way a stop comes too late",
     ORPHAN,
     NULL,
     NULL,
     {TO_PROJECT,
      {"check_branches", BRANCHES(ROOT("br-2"), "")},
      {"delete_orphan", LOCKED},
      {"!stop", "cancelled"},
      {"check_branches", BRANCHES(ROOT("br-2"), ""), NULL, -1},
      {"delete_orphan", "200 {}"},
      {"!end", "OrphanDeleted", "'deleted':true"}}},
    {"before it does not",
     ORPHAN,
     NULL,
     NULL,
     {TO_BRANCHES, {"!stop", "cancelled"}, {"!end", "CommandCancelled", NOTHING_CHANGES}}},
    {"what can't be read is read again",
     ORPHAN,
     NULL,
     NULL,
     {JUDGED(BY_BRANCHING),
      READ(AWAY),
      {"read_branch", UNREADABLE, NULL, -1},
      {"read_branch", A_BRANCH, NULL, -1},
      {"condemn", "ok"},
      {"judge_again", BY_BRANCHING},
      {"check_branches", AWAY},
      {"check_branches", UNREADABLE, NULL, -1},
      {"check_branches", BRANCHES("{}", ""), NULL, -1},
      {"check_branches", MAIN_AND(CHILD("br-2", "b")), NULL, -1},
      {"delete_orphan", "200 {}"},
      {"!end", "OrphanDeleted", "'deleted':true"}}},
};

#define REFUSES(name, row, setup, reply, code)                                                     \
    {                                                                                              \
        name, ORPHAN, row, setup,                                                                  \
        {                                                                                          \
            JUDGED(reply), REFUSED(code)                                                           \
        }                                                                                          \
    }
#define NOT_OURS(name, mark)                                                                       \
    {                                                                                              \
        name, ORPHAN, NULL, NULL,                                                                  \
        {                                                                                          \
            JUDGED(BY_BRANCHING), READ(WITH_MARK(CHILD("br-2", "b"), mark)), REFUSED("NOT_OURS")   \
        }                                                                                          \
    }

#define SEEN_BY(account, organization)                                                             \
    "'deleteOrphan':{'environment':'production','account':'main','projectId':'p-1',"               \
    "'branchId':'br-2','commandId':'" TALK_OTHER_ID "','neonAccountId':'" account                  \
    "','orgId':'" organization "'}"
#define IS_GONE                                                                                    \
    {                                                                                              \
        JUDGED(BY_BRANCHING), READ(NOT_FOUND), {"read_branch", NOT_FOUND, NULL, TALK_LAG_MS},      \
        {                                                                                          \
            "!end", "OrphanDeleted", "!'deleted'|" NOTHING_CHANGES                                 \
        }                                                                                          \
    }
#define CANNOT_TELL                                                                                \
    {                                                                                              \
        JUDGED(BY_BRANCHING), READ(NOT_FOUND), REFUSED("NOT_VISIBLE")                              \
    }

// The account's own key is of neon-1 and org-1.
static const Talk SEEN[] = {
    {"one that the sweep's own key doesn't see is gone", SEEN_BY("neon-1", "org-1"), NULL, NULL,
     IS_GONE},
    {"... and for one of the same organization, whatever the row says", SEEN_BY("neon-2", "org-1"),
     "{'details':{'neon_account_id':'neon-3'}}", NULL, IS_GONE},
    {"... and for one of the same Neon account where no organization is known",
     SEEN_BY("neon-1", ""), NULL, NULL, IS_GONE},
    {"a key of another organization than it was seen in can't tell", SEEN_BY("neon-1", "org-2"),
     NULL, NULL, CANNOT_TELL},
    {"... nor one of another Neon account, where no organization is known", SEEN_BY("neon-2", ""),
     NULL, NULL, CANNOT_TELL},
};

#define MADE_BY_OTHER "{'details':{'neon_account_id':'neon-1'}}"

static const Talk REFUSALS[] = {
    {"a key that is kept to the project doesn't delete it",
     ORPHAN,
     NULL,
     of_its_project,
     {JUDGED(BY_CREATION),
      {"!end", "CommandRejected",
       "'code':'KEY_SCOPE'|'field':'delete_orphan.project_id'|" NOTHING_CHANGES}}},
    {"a key of another Neon account can't tell whether the branch is gone",
     ORPHAN,
     MADE_BY_OTHER,
     of_other_neon_account,
     {JUDGED(BY_BRANCHING), READ(NOT_FOUND), REFUSED("NOT_VISIBLE")}},
    {"... nor the project, when its branches are listed",
     ORPHAN,
     MADE_BY_OTHER,
     of_other_neon_account,
     {TO_PROJECT, {"check_branches", NOT_FOUND}, REFUSED("NOT_VISIBLE")}},
    {"... or when it is deleted",
     ORPHAN,
     MADE_BY_OTHER,
     of_other_neon_account,
     {TO_PROJECT,
      {"check_branches", BRANCHES(ROOT("br-2"), "")},
      {"delete_orphan", NOT_FOUND},
      {"!save", NULL, "NOT_VISIBLE"},
      {"!end", "CommandFailed", "'code':'NOT_VISIBLE'|" NOTHING_CHANGES}}},
    {"an unknown account", ORPHAN, NULL, unknown, {REFUSED("ACCOUNT_UNKNOWN")}},
    {"a key that is kept to another project",
     ORPHAN,
     NULL,
     of_other_project,
     {{"!end", "CommandRejected", "'code':'KEY_SCOPE'|'field':'delete_orphan.project_id'"}}},
    REFUSES("another copy of the ledger", NULL, NULL,
            "{'recorded':'system 1','present':'system 2','marks':[{" DONE "}]}", "LEDGER_CHANGED"),
    REFUSES("no answer", NULL, NULL, "none", "LEDGER_CHANGED"),
    REFUSES("an unknown command", NULL, NULL, "confirmed {'marks':[{}]}", "COMMAND_UNKNOWN"),
    REFUSES("one that runs", NULL, NULL,
            "confirmed {'marks':[{'known':true,'action':'BranchEnvironment'}]}",
            "ORPHAN_IN_FLIGHT"),
    REFUSES("an environment's", NULL, NULL, SAID(",'owner':'blog/imported'"), "ORPHAN_IN_USE"),
    REFUSES("a project with somebody in it", NULL, NULL,
            SAID(",'action':'CreateEnvironment','inhabitant':'blog/pr'"), "ORPHAN_IN_USE"),
    REFUSES("what a failed environment left", NULL, NULL,
            SAID(",'action':'CreateEnvironment','state':'failed'"), "ORPHAN_IN_USE"),
    REFUSES("a copy", NULL, NULL, SAID(",'action':'ImportEnvironment'"), "ORPHAN_DOUBTFUL"),
    REFUSES("a mark with another environment than its command's", NULL, NULL,
            "confirmed {'marks':[{'known':true,'finished':true,'settled':true,"
            "'action':'BranchEnvironment'}]}",
            "ORPHAN_DOUBTFUL"),
    {"a branch in a project that its command created",
     ORPHAN,
     NULL,
     NULL,
     {JUDGED(BY_CREATION), READ(A_BRANCH), REFUSED("ORPHAN_DOUBTFUL")}},
    NOT_OURS("no mark", ""),
    NOT_OURS("another installation", MARK("x", "shop", "production", TALK_OTHER_ID)),
    NOT_OURS("another application", MARK(TALK_INSTALLATION, "blog", "production", TALK_OTHER_ID)),
    NOT_OURS("another environment", MARK(TALK_INSTALLATION, "shop", "staging", TALK_OTHER_ID)),
    NOT_OURS("another command", MARK(TALK_INSTALLATION, "shop", "production", TALK_ID)),
    {"whoever came in before it was condemned is seen",
     ORPHAN,
     NULL,
     NULL,
     {JUDGED(BY_BRANCHING),
      READ(A_BRANCH),
      {"condemn", "ok"},
      {"judge_again", SAID(",'action':'BranchEnvironment','owner':'blog/imported'")},
      {"!end", "CommandRejected",
       "'code':'ORPHAN_IN_USE'|blog/imported|'field':'delete_orphan.branch_id'"}}},
};

int main(void)
{
    return talk_run("DeleteOrphan", TALKS, TALK_COUNT(TALKS)) +
           talk_run("refusals", REFUSALS, TALK_COUNT(REFUSALS)) +
           talk_run("DeleteOrphan, who has seen it", SEEN, TALK_COUNT(SEEN));
}
