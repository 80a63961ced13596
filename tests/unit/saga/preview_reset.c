/*
 * OpenPreview of one that is open and is to be reset.
 */
#include "preview_lines.h"

#define RESET OPEN(",'reset':true")
#define LATE "2027-11-23T09:00:00Z"
#define SOONER "2027-11-23T08:59:59Z"
#define RESTORED(branch) "200 {'branch':" branch ",'operations':[{'id':'op-1'}]}"
// Up to the reset, of one that is promised to be there until LATE.
#define RESET_LATE                                                                                 \
    {"find_preview", ONE_BRANCH(EXPIRING(LATE))}, {"announce", "ok"}, {"check_source_stays", "0"}, \
        PROJECT_READ, {"check_children", NO_BRANCHES}, {"find_reset", ONE_BRANCH(EXPIRING(LATE))}, \
        PARENT_ROLES, {"reset_branch", RESTORED(EXPIRING(SOONER))},                                \
    {                                                                                              \
        "await_operations", OPERATION("finished")                                                  \
    }
// From then on.
#define CONVERGED(at)                                                                              \
    {"await_branch", ONE_BRANCH(EXPIRING(at))}, {"await_endpoint", ENDPOINT("active")},            \
        {"find_databases", DATABASES}, ROTATED, {"find_connection", CONNECTION_URI("ep-1")},       \
        {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},                                       \
    {                                                                                              \
        "check_login", "ok"                                                                        \
    }

static const Talk RESETS[] = {
    {"reset to its base, it converges as a new branch does",
     OPEN(",'reset':true"),
     ROW_7(""),
     preview_based,
     {{"find_preview", ONE_BRANCH(BRANCH_7(""))},
      {"announce", "ok"},
      {"check_source_stays", "0"},
      PROJECT_READ,
      {"check_children", BRANCHES(BRANCH_7(""), "")},
      {"find_reset", ONE_BRANCH(BRANCH_7(""))},
      PARENT_ROLES,
      {"reset_branch", "200 {'branch':" BRANCH_7("") ",'operations':[{'id':'op-1'}]}",
       "POST /projects/p-1/branches/br-1/restore {'source_branch_id':'br-parent'}|lock=p-1"},
      AWAITED,
      ROTATED,
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"!end", "EnvironmentBranched",
       "!'created'|'rotatedRoles':['app_owner']|'sequence':'5'|state=ready"}}},
    {"... and is left as it is where it has children",
     OPEN(",'reset':true"),
     ROW_7(""),
     preview_based,
     {{"find_preview", ONE_BRANCH(BRANCH_7(""))},
      {"announce", "ok"},
      {"check_source_stays", "0"},
      PROJECT_READ,
      {"check_children", BRANCHES(BRANCH_AS("br-9", "br-1", "child", "9", ""), "")},
      {"!end", "CommandRejected", "'code':'HAS_DEPENDENTS'|child; delete them first|!preserve"}}},
    {"stopped after its reset it stays",
     OPEN(",'reset':true"),
     ROW_7(""),
     preview_based,
     {{"find_preview", ONE_BRANCH(BRANCH_7(""))},
      {"announce", "ok"},
      {"check_source_stays", "0"},
      PROJECT_READ,
      {"check_children", NO_BRANCHES},
      {"find_reset", ONE_BRANCH(BRANCH_7(""))},
      PARENT_ROLES,
      {"reset_branch", "200 {'branch':" BRANCH_7("") "}"},
      {"!stop", "superseded"},
      {"!save"},
      {"!end", "CommandSuperseded", "it was reset|!'undone'|state=ready|branch=br-1"}}},
    {"where that lets it expire sooner than was promised, it is extended",
     RESET,
     ROW_7(",'expires_at_ms':1826960400000"),
     preview_based,
     {RESET_LATE,
      {"find_preview", ONE_BRANCH(EXPIRING(SOONER)), "GET /projects/p-1/branches/br-1"},
      {"extend_expiry", RESTORED(EXPIRING(LATE)),
       "PATCH /projects/p-1/branches/br-1 {'branch':{'expires_at':'" LATE "'|lock=p-1"},
      {"await_operations", OPERATION("finished")},
      {"find_preview", ONE_BRANCH(EXPIRING(LATE))},
      CONVERGED(LATE),
      {"!end", "EnvironmentBranched", "'expiresAt':'2027-11-23T09:00:00.000Z'|'sequence':'5'"}}},
    {"... and where it expires later, that is told",
     RESET,
     ROW_7(",'expires_at_ms':1826960400000"),
     preview_based,
     {RESET_LATE,
      {"find_preview", ONE_BRANCH(EXPIRING("2027-11-24T09:00:00Z"))},
      CONVERGED("2027-11-24T09:00:00Z"),
      {"!end", "EnvironmentBranched", "'expiresAt':'2027-11-24T09:00:00.000Z'"}}},
    {"... looked at once more where the extension's reply was lost",
     RESET,
     ROW_7(",'expires_at_ms':1826960400000"),
     preview_based,
     {RESET_LATE,
      {"find_preview", ONE_BRANCH(EXPIRING(SOONER))},
      {"extend_expiry", "lost"},
      {"find_preview", ONE_BRANCH(EXPIRING(SOONER)), NULL, TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"extend_expiry", RESTORED(EXPIRING(LATE))},
      {"await_operations", OPERATION("finished")},
      {"find_preview", ONE_BRANCH(EXPIRING(LATE))},
      CONVERGED(LATE),
      {"!end", "EnvironmentBranched", "'expiresAt':'2027-11-23T09:00:00.000Z'"}}},
    {"gone since its reset, it isn't made anew",
     RESET,
     ROW_7(",'expires_at_ms':1826960400000"),
     preview_based,
     {RESET_LATE,
      {"find_preview", NOT_FOUND},
      {"!save"},
      {"!end", "CommandFailed",
       "'code':'NEON_NOT_FOUND'|it was reset; send the reset again|row env="}}},
};

int main(void)
{
    return talk_run("OpenPreview, reset", RESETS, TALK_COUNT(RESETS));
}
