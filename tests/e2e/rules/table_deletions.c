// DeleteEnvironment.
#include "rules/rule.h"

#define WITH_DATA ", 'deleteData': true"
#define NEEDED REJECTED("HAS_DEPENDENTS", NULL)

static const Rule RULES[] = {
    {"an environment that isn't there", "live", DELETE_OF("nowhere", ""),
     REJECTED("ENVIRONMENT_UNKNOWN", "delete_environment.environment"), NULL, 0},
    {"another application's environment", "live", "@neighbour " DELETE_OF("live", WITH_DATA),
     REJECTED("ENVIRONMENT_UNKNOWN", "delete_environment.environment"), NULL, 0},
    {"a project without a word of its data", "live", DELETE_OF("live", ""),
     REJECTED("DELETE_DATA_REQUIRED", "delete_environment.delete_data"), NULL, 0},
    {"a project that another environment lives in", "branched", DELETE_OF("live", WITH_DATA),
     NEEDED, "/try", 0},
    {"a project that another application lives in", "neighbour-lives-there",
     DELETE_OF("live", WITH_DATA), NEEDED, "<neighbour>/theirs", 0},
    {"a project with somebody's branch", "project-with-branch", DELETE_OF("live", WITH_DATA),
     NEEDED, "by hand", 0},
    {"a project with somebody's branch, whose name is longer than ours may be",
     "project-with-long-branch", DELETE_OF("live", WITH_DATA), NEEDED, "<foreign.branch>", 0},
    {"a project with somebody's branch, which one listing doesn't show",
     "project-with-branch-unlisted", DELETE_OF("live", WITH_DATA), NEEDED, "by hand", 0},
    {"a project whose other branch was deleted", "project-with-deleted-branch",
     DELETE_OF("live", WITH_DATA), ENDS("EnvironmentDeleted"),
     "origin=ORIGIN_CREATED; projectId=<live.project>", 1},
    {"a project whose branch is protected", "protected-project", DELETE_OF("live", WITH_DATA),
     REJECTED("BRANCH_PROTECTED", NULL), "lift that", 0},
    {"a branch with somebody's child", "branch-with-child", DELETE_OF("try", ""), NEEDED, "by hand",
     0},
    {"a branch with somebody's child, whose name is longer than ours may be",
     "branch-with-long-child", DELETE_OF("try", ""), NEEDED, "<foreign.branch>", 0},
    {"a branch with a child of ours", "nested", DELETE_OF("try", ""), NEEDED, "deep", 0},
    {"a branch that is protected", "protected-branch", DELETE_OF("try", ""),
     REJECTED("BRANCH_PROTECTED", NULL), NULL, 0},
    {"a branch that has become the default", "default-branch", DELETE_OF("try", ""),
     REJECTED("BRANCH_DEFAULT", NULL), "another one", 0},
    {"a project that is gone, with another key of its organization", "gone-and-same-organization",
     DELETE_OF("live", WITH_DATA), ENDS("EnvironmentDeleted"), "projectId=<live.project>", 0},
    {"a branch that the key doesn't see", "other-maker", DELETE_OF("try", ""),
     REJECTED("NOT_VISIBLE", NULL), "sees nothing there", 0},
    {"a branch", "branched", DELETE_OF("try", ""), ENDS("EnvironmentDeleted"),
     "environment=try; origin=ORIGIN_BRANCHED; branchId=<try.branch>; forgottenOnly=false", 1},
    {"a branch, with a word of its data", "branched", DELETE_OF("try", WITH_DATA),
     ENDS("EnvironmentDeleted"), "origin=ORIGIN_BRANCHED", 1},
    {"a branch that somebody deleted", "deleted-branch", DELETE_OF("try", ""),
     ENDS("EnvironmentDeleted"), "branchId=<try.branch>", 0},
    {"a project", "live", DELETE_OF("live", WITH_DATA), ENDS("EnvironmentDeleted"),
     "origin=ORIGIN_CREATED; projectId=<live.project>", 1},
    {"a project that somebody deleted", "deleted-project", DELETE_OF("live", WITH_DATA),
     ENDS("EnvironmentDeleted"), "projectId=<live.project>", 0},
    {"the base of previews", "base", DELETE_OF("try", ""), ENDS("EnvironmentDeleted"), NULL, 1},
};

RuleTable table_deletions(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
