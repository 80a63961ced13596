// ResetEnvironment.
#include "rules/rule.h"

#define FIELD "reset_environment.environment"
// The branch's restoration, and a new password of neondb_owner.
#define MADE 2

static const Rule RULES[] = {
    {"an environment that isn't there", "live", RESET_OF("nowhere", ""),
     REJECTED("ENVIRONMENT_UNKNOWN", FIELD), NULL, 0},
    {"an environment that was created", "live", RESET_OF("live", ""),
     REJECTED("NOT_BRANCHED", FIELD), NULL, 0},
    {"an environment that failed", "failed", RESET_OF("try", ""),
     REJECTED("ENVIRONMENT_NOT_READY", FIELD), NULL, 0},
    {"a branch that was made without data", "without-data", RESET_OF("bare", ""),
     REJECTED("NO_PARENT", NULL), "no parent", 0},
    {"a branch with somebody's child", "branch-with-child", RESET_OF("try", ""),
     REJECTED("HAS_DEPENDENTS", NULL), "by hand", 0},
    {"a branch with somebody's child, whose name is longer than ours may be",
     "branch-with-long-child", RESET_OF("try", ""), REJECTED("HAS_DEPENDENTS", NULL),
     "<foreign.branch>", 0},
    {"a branch with a child of ours", "nested", RESET_OF("try", ""),
     REJECTED("HAS_DEPENDENTS", NULL), "preserve_under_name", 0},
    {"a branch with a child, which is kept", "branch-with-child",
     RESET_OF("try", ", 'preserveUnderName': 'before'"), ENDS("EnvironmentReset"),
     "environment.branchId=<try.branch>; rotatedRoles.0=neondb_owner", MADE},
    {"a name that another branch has", "branch-with-child",
     RESET_OF("try", ", 'preserveUnderName': 'by hand'"),
     FAILED("BRANCH_NAME_TAKEN", "reset_environment.preserve_under_name"), "another name", 1},
    {"a branch that is protected, in Neon's words", "protected-branch", RESET_OF("try", ""),
     FAILED("NEON_REFUSED", NULL), "protected", 1},
    {"a branch", "branched", RESET_OF("try", ""), ENDS("EnvironmentReset"),
     "environment.branchId=<try.branch>; rotatedRoles.0=neondb_owner", MADE},
    {"a preview", "open", RESET_OF("pr:7", ""), ENDS("EnvironmentReset"),
     "environment.branchId=<pr:7.branch>", MADE},
};

RuleTable table_resets(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
