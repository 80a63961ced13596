/*
 * SweepAccount: what of an account no environment owns. It deletes nothing itself.
 */
#include "neon.h"

#define SWEEP "'sweepAccount':{'account':'main'}"
#define SWEEP_AND_DELETE "'sweepAccount':{'account':'main','deleteOrphans':true}"
#define CHECKED                                                                                    \
    {                                                                                              \
        "check_ledger", "confirmed {'marks':[],'expired':[]}", "account=main|names=[]"             \
    }
#define SHOP PROJECT("p-1", "shop", "8")
#define MARK_AS(branch, installation, application)                                                 \
    "'" branch "':{'value':{'provisioner.installation':'" installation "',"                        \
    "'provisioner.application':'" application "','provisioner.environment':'production',"          \
    "'provisioner.command':'" TALK_OTHER_ID "'}}"
// A root, and a branch of it, both made by an earlier command.
#define MARKED BRANCHES(ROOT("br-1") "," CHILD("br-2", "shop-production"), EARLIER("br-2"))
#define NOW "'now_ms':1795400000000" // a day after all of them
#define JUDGED(marks) "confirmed {" NOW ",'marks':[" marks "]}"
#define FINISHED(action)                                                                           \
    "'known':true,'about':true,'finished':true,'settled':true,'action':'" action "'"
#define ORPHAN "{" FINISHED("BranchEnvironment") "}"
#define NOTHING_EXPIRED                                                                            \
    {                                                                                              \
        "judge", "confirmed {'expired':[]}", "account=main|names=[]"                               \
    }
#define LISTED                                                                                     \
    {"list_projects", PROJECTS(SHOP)},                                                             \
    {                                                                                              \
        "list_branches", MARKED                                                                    \
    }
#define JUDGED_ONE(reply)                                                                          \
    LISTED, {"judge", JUDGED(reply), "account= |'command':'" TALK_OTHER_ID "'|'branch':'br-2'"},   \
        NOTHING_EXPIRED

static void unknown(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void of_one_project(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-1");
}

static void patient(Stage *stage)
{
    stage->rules.sweep_min_age_ms = INT64_C(100) * 86400 * 1000;
}

static const Talk LISTINGS[] = {
    {"all pages of all projects are read, marks of others only counted",
     SWEEP,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", PROJECTS_PAGE(SHOP, "c-1"), "GET /projects?|org_id=org-1|!cursor"},
      {"list_projects", PROJECTS(PROJECT("p-2", "blog", "9")), "cursor=c-1"},
      {"list_branches", BRANCHES_PAGE(ROOT("br-1"), MARK_AS("br-1", "other", "shop"), "c-2"),
       "GET /projects/p-1/branches|!cursor"},
      {"list_branches", BRANCHES(CHILD("br-2", "pr"), MARK_AS("br-2", TALK_INSTALLATION, "blog")),
       "cursor=c-2"},
      {"list_branches", NO_BRANCHES, "GET /projects/p-2/branches|!cursor"},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept",
       "'account':'main'|'projects':2|'branches':2|'otherApplications':1|'foreign':1|!'marked'|"
       "!'findings'|!'doubts'|!'deleting'|!'sequence'|!state{|!command{|row env= state=none"}}},
    {"an unknown account",
     SWEEP,
     NULL,
     unknown,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"a ledger that isn't the one that was confirmed judges nothing",
     SWEEP,
     NULL,
     NULL,
     {{"check_ledger", "{'recorded':'system 1','present':'system 2'}"},
      {"!end", "CommandRejected",
       "'code':'LEDGER_CHANGED'|system 2|system 1|--confirm-ledger|row env= state=none"}}},
    {"... nor does one that was never confirmed, or doesn't answer",
     SWEEP,
     NULL,
     NULL,
     {{"check_ledger", "{'present':'system 2'}"},
      {"!end", "CommandRejected",
       "'code':'LEDGER_CHANGED'|system 2|was never confirmed|--confirm-ledger"}}},
    {"... at any time",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      LISTED,
      {"judge", "none"},
      {"!end", "CommandRejected", "'code':'LEDGER_CHANGED'|unknown|!command{"}}},
    {"a key of one project sees that one",
     SWEEP,
     NULL,
     of_one_project,
     {CHECKED,
      {"list_projects", "200 {'project':" SHOP "}", "GET /projects/p-1 "},
      {"list_branches", NO_BRANCHES},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", "'projects':1"}}},
    {"... unless it is gone",
     SWEEP,
     NULL,
     of_one_project,
     {CHECKED,
      {"list_projects", "200 {'project':{}}"},
      {"list_projects", NOT_FOUND, NULL, -1},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", "!'projects'|!'doubts'"}}},
    {"what can't be read is read again",
     SWEEP,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", AWAY},
      {"list_projects", UNREADABLE, NULL, -1},
      {"list_projects", PROJECTS("{}"), NULL, -1},
      {"list_projects", PROJECTS(SHOP), NULL, -1},
      {"list_branches", AWAY},
      {"list_branches", UNREADABLE, NULL, -1},
      {"list_branches", BRANCHES("{}", ""), NULL, -1},
      {"list_branches", NO_BRANCHES, NULL, -1},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", "'projects':1|!'doubts'"}}},
    {"who takes over looks again",
     SWEEP,
     NULL,
     NULL,
     {CHECKED,
      LISTED,
      {"!takeover"},
      CHECKED,
      JUDGED_ONE(ORPHAN),
      {"!end", "AccountSwept", "'marked':1"}}},
};

// What makes a listing doubtful: told, and nothing follows from it.
static const Talk DOUBTS[] = {
    {"projects that Neon could not read",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", "200 {'projects':[" SHOP "],'unavailable_project_ids':['p-2']}"},
      {"list_branches", MARKED},
      {"judge", JUDGED(ORPHAN)},
      {"judge", "confirmed {'expired':[{'environment':'pr:7','expires_at_ms':1}]}"},
      {"!end", "AccountSwept",
       "unavailable_project_ids|'verdict':'SWEEP_VERDICT_ORPHAN'|'verdict':'SWEEP_VERDICT_EXPIRED'|"
       "!'deleting'|!sentCommandId|!command{"}}},
    {"a list of projects that repeats itself",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", PROJECTS_PAGE(SHOP, "c-1")},
      {"list_projects", PROJECTS_PAGE(SHOP, "c-2")},
      {"list_branches", MARKED},
      {"judge", JUDGED(ORPHAN)},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", "the list of projects repeats itself|'projects':1|!command{"}}},
    {"a list of branches that repeats itself",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", PROJECTS(SHOP)},
      {"list_branches", BRANCHES_PAGE(CHILD("br-2", "pr"), EARLIER("br-2"), "c-1")},
      {"list_branches", BRANCHES_PAGE(CHILD("br-2", "pr"), EARLIER("br-2"), "c-2")},
      {"judge", JUDGED(ORPHAN)},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", "list of branches repeats itself: p-1|'marked':1|!command{"}}},
    {"a project that is gone since it was listed, or that can't be read",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", PROJECTS(SHOP "," PROJECT("p-2", "x", "9") "," PROJECT("p-3", "y", "9"))},
      {"list_branches", NOT_FOUND},
      {"list_branches", ERROR("403", "", "not allowed")},
      {"list_branches", ERROR("406", "", "not acceptable")},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", "can't be listed: p-1|p-2|p-3|!'deleting'"}}},
};

#define FOUND(verdict) "'verdict':'SWEEP_VERDICT_" verdict "'"

#define EXPIRED_OF(number, branch)                                                                 \
    "{'environment':'pr:" number "','project_id':'p-1','branch_id':'" branch "','expires_at_ms':"  \
    "1}"
#define EXPIRED_THREE                                                                              \
    "confirmed {'marks':[],'expired':[" EXPIRED_OF("7", "br-7") "," EXPIRED_OF(                    \
        "8", "br-8") "," EXPIRED_OF("9", "br-9") "]}"
#define EXPIRING(id, at) BRANCH_AS(id, "br-parent", id, "9", ",'expires_at':'" at "'")

#define MISMARKED(what, environment, command, judged)                                              \
    {                                                                                              \
        what " is doubtful, and nothing follows from it", SWEEP_AND_DELETE, NULL, NULL,            \
        {                                                                                          \
            CHECKED, {"list_projects", PROJECTS(SHOP)},                                            \
                {"list_branches",                                                                  \
                 BRANCHES(CHILD("br-2", "b"),                                                      \
                          "'br-2':{'value':{'provisioner.installation':'" TALK_INSTALLATION        \
                          "','provisioner.application':'shop','provisioner.environment':"          \
                          "'" environment "','provisioner.command':'" command "'}}")},             \
                {"judge", JUDGED(judged)}, NOTHING_EXPIRED,                                        \
            {                                                                                      \
                "!end", "AccountSwept", FOUND("DOUBTFUL") "|!sentCommandId|!command{"              \
            }                                                                                      \
        }                                                                                          \
    }

static const Talk FINDINGS[] = {
    {"an orphan is told of",
     SWEEP,
     NULL,
     NULL,
     {CHECKED,
      JUDGED_ONE(ORPHAN),
      {"!end", "AccountSwept",
       FOUND("ORPHAN") "|'environment':'production'|'commandId':'" TALK_OTHER_ID
                       "'|'projectId':'p-1'|'branchId':'br-2'|'name':'shop-production'|"
                       "'createdAt':'2026-11-22T09:00:00.000Z'|!'isProject'|!sentCommandId|!"
                       "command{"}}},
    {"... and deleted by a command where that is asked for",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      JUDGED_ONE(ORPHAN),
      {"!end", "AccountSwept",
       FOUND("ORPHAN") "|'deleting':true|'sentCommandId'|command{|'requestedBy':'sweep'|"
                       "'deleteOrphan':{'account':'main','branchId':'br-2','commandId':"
                       "'" TALK_OTHER_ID "','environment':'production','neonAccountId':'neon-1',"
                       "'orgId':'org-1','projectId':'p-1'}"}}},
    {"... by a key of one project, too, which lists no organization's",
     SWEEP_AND_DELETE,
     NULL,
     of_one_project,
     {CHECKED,
      {"list_projects", "200 {'project':" SHOP "}"},
      {"list_branches",
       BRANCHES(ROOT("br-1") "," CHILD("br-2", "shop-production"), EARLIER("br-2"))},
      {"judge", JUDGED("{" FINISHED("BranchEnvironment") "}")},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept",
       FOUND("ORPHAN") "|'neonAccountId':'neon-1','projectId':'p-1'}|!orgId"}}},
    {"the root of a project that a command created is the project",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", PROJECTS(SHOP)},
      {"list_branches", BRANCHES(ROOT("br-1"), EARLIER("br-1"))},
      {"judge", JUDGED("{" FINISHED("CreateEnvironment") "}")},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", FOUND("ORPHAN") "|'isProject':true|'deleteOrphan'"}}},
    {"... which no key that is kept to it can delete",
     SWEEP_AND_DELETE,
     NULL,
     of_one_project,
     {CHECKED,
      {"list_projects", "200 {'project':" SHOP "}"},
      {"list_branches", BRANCHES(ROOT("br-1"), EARLIER("br-1"))},
      {"judge", JUDGED("{" FINISHED("CreateEnvironment") "}")},
      NOTHING_EXPIRED,
      {"!end", "AccountSwept", FOUND("ORPHAN") "|'isProject':true|!sentCommandId|!command{"}}},
    {"what is young may be in the making",
     SWEEP_AND_DELETE,
     NULL,
     patient,
     {CHECKED, JUDGED_ONE(ORPHAN), {"!end", "AccountSwept", FOUND("IN_FLIGHT") "|!command{"}}},
    {"what an environment has is none of them",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      JUDGED_ONE("{" FINISHED("BranchEnvironment") ",'owner':'shop/production','state':'ready'}"),
      {"!end", "AccountSwept", "'marked':1|!'findings'|!command{"}}},
    {"what the ledger says nothing of is left alone",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED, JUDGED_ONE(""), {"!end", "AccountSwept", FOUND("UNKNOWN_COMMAND") "|!command{"}}},
    MISMARKED("a mark with what no environment is called", "Not Valid", TALK_OTHER_ID, ORPHAN),
    MISMARKED("... or with what is no command's id", "production", "that one", "{}"),
    {"an expired preview is closed, another environment deleted, both only if still expired",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {CHECKED,
      {"list_projects", NO_PROJECTS},
      {"judge", "confirmed {'expired':[{'environment':'pr:7','project_id':'p-1','branch_id':'br-7',"
                "'expires_at_ms':1795300000250},{'environment':'test','expires_at_ms':1}]}"},
      {"!end", "AccountSwept",
       FOUND("EXPIRED") "|'environment':'pr:7'|'expiresAt':'2026-11-21T22:26:40.250Z'|"
                        "'closePreview':{'ifExpired':true,'pullRequest':7}|"
                        "'deleteEnvironment':{'environment':'test','ifExpired':true}|"
                        "!deleteData|!'createdAt'"}}},
    {"one whose expiry was lifted or put off at Neon stays, one that has expired there doesn't",
     SWEEP_AND_DELETE,
     NULL,
     NULL,
     {{"check_ledger", EXPIRED_THREE},
      {"list_projects", PROJECTS(SHOP)},
      {"list_branches",
       BRANCHES(CHILD("br-7", "seven") "," EXPIRING("br-8", "2099-01-01T00:00:00Z") "," EXPIRING(
                    "br-9", "2026-11-01T00:00:00Z"),
                "")},
      {"judge", EXPIRED_THREE},
      {"!end", "AccountSwept",
       FOUND("EXPIRED") "|!'environment':'pr:7'|!'environment':'pr:8'|'environment':'pr:9'|"
                        "'closePreview':{'ifExpired':true,'pullRequest':9}"}}},
};

int main(void)
{
    return talk_run("listings", LISTINGS, TALK_COUNT(LISTINGS)) +
           talk_run("doubts", DOUBTS, TALK_COUNT(DOUBTS)) +
           talk_run("findings", FINDINGS, TALK_COUNT(FINDINGS));
}
