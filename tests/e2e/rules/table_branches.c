// BranchEnvironment.
#include "rules/rule.h"

#define SOURCE "branch_environment.source_environment"
#define SOURCE_BRANCH "branch_environment.source_branch.branch"
#define SOURCE_PROJECT "branch_environment.source_branch.project_id"
#define NOT_FOUND REJECTED("SOURCE_NOT_FOUND", SOURCE_BRANCH)
// The branch, and a new password of neondb_owner.
#define MADE 2

static const Rule RULES[] = {
    // ---- what is branched from
    {"an environment that isn't there", "connected", BRANCH_OF("try", "live", ""),
     REJECTED("SOURCE_NOT_ON_NEON", SOURCE), "environments", 0},
    {"another application's environment", "live", "@neighbour " BRANCH_OF("try", "live", ""),
     REJECTED("SOURCE_NOT_ON_NEON", SOURCE), NULL, 0},
    {"an environment whose making failed", "failed", BRANCH_OF("next", "try", ""),
     REJECTED("SOURCE_NOT_ON_NEON", SOURCE), NULL, 0},
    {"an environment that expires", "expiring", BRANCH_OF("next", "short", ""),
     REJECTED("SOURCE_EXPIRES", SOURCE), "expires", 0},
    {"an account that isn't there", "live", BRANCH_OFF("try", "other", "<live.project>", "main"),
     REJECTED("ACCOUNT_UNKNOWN", "account"), NULL, 0},
    {"a part of a branch's name", "live", BRANCH_OFF("try", "main", "<live.project>", "mai"),
     NOT_FOUND, "exact name", 0},
    {"a branch's name in capitals", "live", BRANCH_OFF("try", "main", "<live.project>", "Main"),
     NOT_FOUND, NULL, 0},
    {"a branch id that isn't there", "live",
     BRANCH_OFF("try", "main", "<live.project>", "br-no-such-a5000000"), NOT_FOUND, NULL, 0},
    {"a branch that was deleted", "project-with-deleted-branch",
     BRANCH_OFF("try", "main", "<live.project>", "by hand"), NOT_FOUND, NULL, 0},
    {"a project that isn't there", "live", BRANCH_OFF("try", "main", "no-project-12345678", "main"),
     NOT_FOUND, NULL, 0},
    {"a project that the account doesn't see", "two-accounts",
     BRANCH_OFF("try", "second", "<live.project>", "main"), NOT_FOUND, NULL, 0},
    {"a project that the account's key isn't kept to", "kept-to-project",
     BRANCH_OFF("try", "kept", "<second.project>", "main"), REJECTED("KEY_SCOPE", SOURCE_PROJECT),
     "<live.project>", 0},
    {"a branch that is being deleted", "deleting",
     "@neighbour " BRANCH_OFF("next", "main", "<live.project>", "<try.branch>"),
     REJECTED("SOURCE_DELETING", NULL), "try", 0},
    // ---- the new branch
    {"what one that failed has left, and the key doesn't see", "branch-left-elsewhere",
     BRANCH_OF("try", "live", ""), FAILED("NOT_VISIBLE", NULL), "sees nothing there", 1},
    {"a name that a foreign branch has", "project-with-branch",
     BRANCH_OF("try", "live", ", 'branchName': 'by hand'"),
     REJECTED("BRANCH_NAME_TAKEN", "branch_environment.branch_name"), "left alone", 0},
    {"a name that a deleted branch had", "project-with-deleted-branch",
     BRANCH_OF("try", "live", ", 'branchName': 'by hand'"), ENDS("EnvironmentBranched"),
     "created=true; environment.branchName=by hand", MADE},
    {"the same settings again", "branched", BRANCH_OF("try", "live", ""),
     ENDS("EnvironmentBranched"), "created=false; environment.branchId=<try.branch>", 0},
    {"another branch's name", "branched", BRANCH_OF("try", "live", ", 'branchName': 'other'"),
     REJECTED("ENVIRONMENT_EXISTS", "environment"), NULL, 0},
    {"the name of a created environment", "two-projects", BRANCH_OF("live", "second", ""),
     REJECTED("ENVIRONMENT_EXISTS", "environment"), NULL, 0},
    {"an environment", "live", BRANCH_OF("try", "live", ""), ENDS("EnvironmentBranched"),
     "created=true; environment.origin=ORIGIN_BRANCHED; environment.sourceEnvironment=live; "
     "environment.branchName=<app>-try; environment.projectId=<live.project>; "
     "rotatedRoles.0=neondb_owner",
     MADE},
    {"somebody's branch, by its name", "project",
     BRANCH_OFF("try", "main", "<theirs.project>", "main"), ENDS("EnvironmentBranched"),
     "created=true; environment.projectId=<theirs.project>; "
     "environment.sourceBranchId=<theirs.branch>",
     MADE},
    {"somebody's branch, by its id", "project",
     BRANCH_OFF("try", "main", "<theirs.project>", "<theirs.branch>"), ENDS("EnvironmentBranched"),
     "environment.sourceBranchId=<theirs.branch>", MADE},
    {"an imported environment", "imported", BRANCH_OF("try", "live", ""),
     ENDS("EnvironmentBranched"),
     "created=true; environment.projectId=<theirs.project>; environment.sourceEnvironment=live",
     MADE},
    {"the project that a key is kept to", "kept-to-project",
     BRANCH_OFF("try", "kept", "<live.project>", "main"), ENDS("EnvironmentBranched"),
     "environment.projectId=<live.project>", MADE},
    {"a branch that expires after 30 days", "live",
     BRANCH_OF("try", "live", ", 'expiresAt': '<in 2591000>'"), ENDS("EnvironmentBranched"),
     "created=true", MADE},
    {"a branch without data", "live", BRANCH_OF("try", "live", ", 'schemaOnly': true"),
     ENDS("EnvironmentBranched"), "created=true; environment.sourceEnvironment=live", MADE},
    {"a branch without data off one that expires, in Neon's words", "expiring",
     BRANCH_OF("next", "short", ", 'schemaOnly': true"), FAILED("NEON_REFUSED", NULL), "expires",
     1},
    {"a point in time before the project", "live",
     BRANCH_OF("try", "live", ", 'pointInTime': '2020-01-01T00:00:00Z'"),
     FAILED("NEON_REFUSED", NULL), NULL, 1},
    {"a branch's own compute", "live",
     BRANCH_OF("try", "live",
               ", 'endpoint': {'autoscalingLimitMinCu': 0.25, "
               "'autoscalingLimitMaxCu': 0.5, 'suspendTimeoutSeconds': '604800'}"),
     ENDS("EnvironmentBranched"),
     "environment.endpoint.autoscalingLimitMinCu=0.25; "
     "environment.endpoint.autoscalingLimitMaxCu=0.5; "
     "environment.endpoint.suspendTimeoutSeconds=604800",
     MADE},
};

RuleTable table_branches(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
