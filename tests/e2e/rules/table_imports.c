// ImportEnvironment, and what can't be done with what was imported.
#include "rules/rule.h"

#define BRANCH "import_environment.branch.branch"
#define READ_ONLY(field) REJECTED("IMPORTED_READ_ONLY", field)

static const Rule RULES[] = {
    {"an account that isn't there", "nothing",
     IMPORT_OF("live", "main", "some-project-1", "main", ""),
     REJECTED("ACCOUNT_UNKNOWN", "account"), NULL, 0},
    {"a part of a branch's name", "project",
     IMPORT_OF("live", "main", "<theirs.project>", "mai", ""), REJECTED("BRANCH_NOT_FOUND", BRANCH),
     "exact name", 0},
    {"a project that isn't there", "connected",
     IMPORT_OF("live", "main", "no-project-12345678", "main", ""),
     REJECTED("BRANCH_NOT_FOUND", BRANCH), NULL, 0},
    {"a branch that was deleted", "project-with-deleted-branch",
     IMPORT_OF("theirs", "main", "<live.project>", "by hand", ""),
     REJECTED("BRANCH_NOT_FOUND", BRANCH), NULL, 0},
    {"a project that the account's key isn't kept to", "kept-to-project",
     IMPORT_OF("theirs", "kept", "<second.project>", "main", ""),
     REJECTED("KEY_SCOPE", "import_environment.branch.project_id"), NULL, 0},
    {"the branch of a created environment", "live",
     IMPORT_OF("again", "main", "<live.project>", "main", ""),
     REJECTED("ALREADY_IMPORTED", "import_environment.branch"), "live", 0},
    {"a branch that was imported", "imported",
     IMPORT_OF("again", "main", "<theirs.project>", "<theirs.branch>", ""),
     REJECTED("ALREADY_IMPORTED", "import_environment.branch"), "shared", 0},
    {"a branch that is being deleted", "deleting",
     "@neighbour " IMPORT_OF("theirs", "main", "<live.project>", "<try.branch>", ""),
     REJECTED("SOURCE_DELETING", NULL), "try", 0},
    {"the name of an environment with other settings", "live",
     IMPORT_OF("live", "main", "<live.project>", "main", ""),
     REJECTED("ENVIRONMENT_EXISTS", "environment"), NULL, 0},
    {"another branch under the same name", "imported",
     IMPORT_OF("live", "main", "<theirs.project>", "other", ""),
     REJECTED("ENVIRONMENT_EXISTS", "environment"), NULL, 0},
    {"somebody's branch", "project", IMPORT_OF("live", "main", "<theirs.project>", "main", ""),
     ENDS("EnvironmentImported"),
     "environment.origin=ORIGIN_IMPORTED; environment.branchId=<theirs.branch>; "
     "databases.0.name=neondb; databases.0.owner=neondb_owner",
     0},
    {"the same settings again", "imported",
     IMPORT_OF("live", "main", "<theirs.project>", "main", ""), ENDS("EnvironmentImported"),
     "environment.branchId=<theirs.branch>", 0},
    {"a branch that both are to use", "imported",
     IMPORT_OF("again", "main", "<theirs.project>", "main", ", 'shared': true"),
     ENDS("EnvironmentImported"), "environment.branchId=<theirs.branch>", 0},
    {"a branch without endpoint", "bare", IMPORT_OF("live", "main", "<theirs.project>", "bare", ""),
     ENDS("EnvironmentImported"), "environment.branchId=<bare.branch>; environment.endpointId=", 0},
    {"a branch without endpoint, which is to have one", "bare",
     IMPORT_OF("live", "main", "<theirs.project>", "bare", ", 'createEndpoint': true"),
     ENDS("EnvironmentImported"), "environment.branchId=<bare.branch>", 1},
    {"a branch with an endpoint, which is to have one", "project",
     IMPORT_OF("live", "main", "<theirs.project>", "main", ", 'createEndpoint': true"),
     ENDS("EnvironmentImported"), NULL, 0},
    // ---- afterwards
    {"the retention of what was imported", "imported", RETENTION_OF("live", "3600"),
     READ_ONLY("edit_project.environment"), "looked at", 0},
    {"the compute of what was imported", "imported",
     ENDPOINT_OF("live", "suspendTimeoutSeconds", "'suspendTimeoutSeconds': '600'"),
     READ_ONLY("edit_endpoint.environment"), NULL, 0},
    {"a reset of what was imported", "imported", RESET_OF("live", ""),
     READ_ONLY("reset_environment.environment"), NULL, 0},
    {"a refresh of what was imported", "imported",
     MEMBERS("editProject", "'environment': 'live', 'refresh': true"), ENDS("ProjectEdited"),
     "changed=false", 0},
    {"what was imported is forgotten", "imported", DELETE_OF("live", ""),
     ENDS("EnvironmentDeleted"), "forgottenOnly=true; origin=ORIGIN_IMPORTED", 0},
    {"the data of what was imported stays", "imported", DELETE_OF("live", ", 'deleteData': true"),
     READ_ONLY("delete_environment.delete_data"), NULL, 0},
    {"what was imported is forgotten though others branched it", "branched-off-imported",
     DELETE_OF("live", ""), ENDS("EnvironmentDeleted"), "forgottenOnly=true", 0},
};

RuleTable table_imports(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
