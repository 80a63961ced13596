// What every command about an environment finds where the ledger is behind: its account is gone, or
// has a key that is kept to another project. Nothing is asked for.
#include "rules/rule.h"

#define LOST(what, command, field)                                                                 \
    {                                                                                              \
        what, "account-lost", command, REJECTED("ACCOUNT_UNKNOWN", field), NULL, 0                 \
    }
#define ELSEWHERE(what, command, field)                                                            \
    {                                                                                              \
        what, "key-elsewhere", command, REJECTED("KEY_SCOPE", field), NULL, 0                      \
    }
#define SUSPEND ENDPOINT_OF("live", "suspendTimeoutSeconds", "'suspendTimeoutSeconds': '60'")

static const Rule RULES[] = {
    LOST("a new branch, its account gone", BRANCH_OF("next", "live", ""), "account"),
    LOST("an edit of the project, its account gone", RETENTION_OF("live", "60"),
         "edit_project.environment"),
    LOST("an edit of the compute, its account gone", SUSPEND, "edit_endpoint.environment"),
    LOST("credentials, the account gone", REVEAL_OF("live", ""), "reveal_credentials.environment"),
    LOST("a reset, the account gone", RESET_OF("try", ""), "reset_environment.environment"),
    LOST("a deletion of a branch, its account gone", DELETE_OF("try", ""),
         "delete_environment.environment"),
    LOST("a deletion of a project, its account gone", DELETE_OF("live", ", 'deleteData': true"),
         "delete_environment.environment"),
    LOST("a new preview, its account gone", OPEN_OF("8", ""), "account"),
    LOST("the same preview again, its account gone", OPEN_OF("7", ""), "account"),
    LOST("to close a preview, its account gone", CLOSE_OF("7", ""), "account"),
    ELSEWHERE("a new branch out of the key's scope", BRANCH_OF("next", "live", ""),
              "branch_environment.source_environment"),
    ELSEWHERE("an edit of a project out of the key's scope", RETENTION_OF("live", "60"),
              "edit_project.environment"),
    ELSEWHERE("a refresh of a project out of the key's scope",
              MEMBERS("editProject", "'environment': 'live', 'refresh': true"),
              "edit_project.environment"),
    ELSEWHERE("an edit of a compute out of the key's scope", SUSPEND, "edit_endpoint.environment"),
    ELSEWHERE("credentials out of the key's scope", REVEAL_OF("live", ""),
              "reveal_credentials.environment"),
    ELSEWHERE("a reset out of the key's scope", RESET_OF("try", ""),
              "reset_environment.environment"),
    ELSEWHERE("a deletion of a branch out of the key's scope", DELETE_OF("try", ""),
              "delete_environment.environment"),
    ELSEWHERE("a new project with such a key", CREATE_OF("next", ""), "create_environment.account"),
    ELSEWHERE("an import out of the key's scope",
              IMPORT_OF("next", "main", "<live.project>", "main", ", 'shared': true"),
              "import_environment.branch.project_id"),
    ELSEWHERE("a new preview out of the key's scope", OPEN_OF("8", ""),
              "open_preview.pull_request"),
    ELSEWHERE("the same preview again, out of the key's scope", OPEN_OF("7", ""),
              "open_preview.pull_request"),
    ELSEWHERE("to close a preview out of the key's scope", CLOSE_OF("7", ""),
              "close_preview.pull_request"),
    {"a deletion of a project with a key that is kept to it", "key-of-project",
     DELETE_OF("live", ", 'deleteData': true"),
     REJECTED("KEY_SCOPE", "delete_environment.environment"), "connect the account with", 0},
};

RuleTable table_lost(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
