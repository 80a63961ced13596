// Values that can't be: each is refused before a worker asks anybody anything.
#include "rules/rule.h"

#define INVALID(field) REJECTED("INVALID_VALUE", field)
#define MISSING(field) REJECTED("FIELD_REQUIRED", field)
#define SUSPEND(seconds)                                                                           \
    ENDPOINT_OF("live", "suspendTimeoutSeconds", "'suspendTimeoutSeconds': '" seconds "'")
#define MAX(units) ENDPOINT_OF("live", "autoscalingLimitMaxCu", "'autoscalingLimitMaxCu': " units)
#define BOTH(min, max)                                                                             \
    ENDPOINT_OF("live", "autoscalingLimitMinCu,autoscalingLimitMaxCu",                             \
                "'autoscalingLimitMinCu': " min ", 'autoscalingLimitMaxCu': " max)
#define SUSPEND_FIELD "edit_endpoint.endpoint.suspend_timeout_seconds"
#define MAX_FIELD "edit_endpoint.endpoint.autoscaling_limit_max_cu"
#define SERVICES(list) ", 'databases': ['main'], 'services': [" list "]"
#define DAYS_30 "2592000"

static const Rule RULES[] = {
    // ---- compute
    {"a suspend timeout below -1", "nothing", SUSPEND("-2"), INVALID(SUSPEND_FIELD), "-1 (never)",
     0},
    {"a suspend timeout of a second", "nothing", SUSPEND("1"), INVALID(SUSPEND_FIELD), NULL, 0},
    {"a suspend timeout of less than a minute", "nothing", SUSPEND("59"), INVALID(SUSPEND_FIELD),
     NULL, 0},
    {"a suspend timeout of more than a week", "nothing", SUSPEND("604801"), INVALID(SUSPEND_FIELD),
     "604800", 0},
    {"no compute at all", "nothing", MAX("0"), INVALID(MAX_FIELD), NULL, 0},
    {"less than the smallest compute", "nothing", MAX("0.24"), INVALID(MAX_FIELD), NULL, 0},
    {"less than nothing", "nothing", MAX("-1"), INVALID(MAX_FIELD), NULL, 0},
    {"a step between the quarters", "nothing", MAX("0.3"), INVALID(MAX_FIELD), NULL, 0},
    {"three quarters, which Neon has not", "nothing", MAX("0.75"), INVALID(MAX_FIELD), NULL, 0},
    {"one and a half", "nothing", MAX("1.5"), INVALID(MAX_FIELD), NULL, 0},
    {"a maximum below the minimum", "nothing", BOTH("2", "1"), INVALID(MAX_FIELD), "at least", 0},
    {"a new project's maximum below the minimum", "nothing",
     CREATE_OF("live", ", 'endpoint': {'autoscalingLimitMinCu': 1, 'autoscalingLimitMaxCu': 0.5}"),
     INVALID("create_environment.endpoint.autoscaling_limit_max_cu"), NULL, 0},
    {"a new project's suspend timeout", "nothing",
     CREATE_OF("live", ", 'endpoint': {'suspendTimeoutSeconds': '30'}"),
     INVALID("create_environment.endpoint.suspend_timeout_seconds"), NULL, 0},
    {"a new branch's suspend timeout", "nothing",
     BRANCH_OF("try", "live", ", 'endpoint': {'suspendTimeoutSeconds': '604801'}"),
     INVALID("branch_environment.endpoint.suspend_timeout_seconds"), NULL, 0},
    {"a new branch's compute", "nothing",
     BRANCH_OF("try", "live", ", 'endpoint': {'autoscalingLimitMinCu': 0.1}"),
     INVALID("branch_environment.endpoint.autoscaling_limit_min_cu"), NULL, 0},
    {"an edit without a mask", "nothing",
     MEMBERS("editEndpoint", "'environment': 'live', 'endpoint': {'suspendTimeoutSeconds': '60'}"),
     MISSING("edit_endpoint.update_mask"), NULL, 0},
    {"a mask that names what isn't set", "nothing",
     ENDPOINT_OF("live", "suspendTimeoutSeconds", ""), MISSING(SUSPEND_FIELD), NULL, 0},
    {"a setting that the mask doesn't name", "nothing",
     ENDPOINT_OF("live", "suspendTimeoutSeconds",
                 "'suspendTimeoutSeconds': '60', 'autoscalingLimitMaxCu': 1"),
     INVALID(MAX_FIELD), NULL, 0},
    {"a mask of something else", "nothing",
     ENDPOINT_OF("live", "disabled", "'suspendTimeoutSeconds': '60'"),
     INVALID("edit_endpoint.update_mask"), "disabled", 0},
    // ---- retention
    {"a negative retention", "nothing", RETENTION_OF("live", "-1"),
     INVALID("edit_project.history_retention_seconds"), NULL, 0},
    {"a retention of more than 30 days", "nothing", RETENTION_OF("live", "2592001"),
     INVALID("edit_project.history_retention_seconds"), DAYS_30, 0},
    {"a new project's retention of more than 30 days", "nothing",
     CREATE_OF("live", ", 'historyRetentionSeconds': '2592001'"),
     INVALID("create_environment.history_retention_seconds"), DAYS_30, 0},
    {"an edit that changes nothing at all", "nothing",
     MEMBERS("editProject", "'environment': 'live'"),
     MISSING("edit_project.history_retention_seconds"), NULL, 0},
    {"an edit that is a refresh, too", "nothing",
     MEMBERS("editProject",
             "'environment': 'live', 'historyRetentionSeconds': '60', 'refresh': true"),
     INVALID("edit_project.refresh"), NULL, 0},
    // ---- versions, points and times
    {"a version before Neon's first", "nothing", CREATE_OF("live", ", 'pgVersion': 13"),
     INVALID("create_environment.pg_version"), NULL, 0},
    {"a version that isn't out", "nothing", CREATE_OF("live", ", 'pgVersion': 19"),
     INVALID("create_environment.pg_version"), NULL, 0},
    {"a place in the log that isn't one", "nothing", BRANCH_OF("try", "live", ", 'lsn': '0-12'"),
     INVALID("branch_environment.lsn"), NULL, 0},
    {"a time before 1970", "nothing",
     BRANCH_OF("try", "live", ", 'pointInTime': '1969-12-31T23:59:59Z'"),
     INVALID("branch_environment.point_in_time"), NULL, 0},
    {"an expiry of a preview at once", "nothing", OPEN_OF("7", ", 'expiresIn': '0s'"),
     INVALID("open_preview.expires_in"), NULL, 0},
    {"an expiry of a preview after more than 30 days", "nothing",
     OPEN_OF("7", ", 'expiresIn': '2592001s'"), INVALID("open_preview.expires_in"), NULL, 0},
    {"an expiry in the past", "live", BRANCH_OF("try", "live", ", 'expiresAt': '<in -60>'"),
     INVALID("branch_environment.expires_at"), "30 days", 0},
    {"an expiry after more than 30 days", "live",
     BRANCH_OF("try", "live", ", 'expiresAt': '<in 2593000>'"),
     INVALID("branch_environment.expires_at"), "30 days", 0},
    // ---- previews
    {"pull request 0", "nothing", OPEN_OF("0", ""), INVALID("open_preview.pull_request"), NULL, 0},
    {"pull request -1", "nothing", CLOSE_OF("-1", ""), INVALID("close_preview.pull_request"), NULL,
     0},
    {"a repository of 256 bytes", "nothing", OPEN_OF("7", ", 'repository': '<many 256 r>'"),
     INVALID("open_preview.repository"), NULL, 0},
    {"a git ref of 256 bytes", "nothing", OPEN_OF("7", ", 'gitRef': '<many 256 r>'"),
     INVALID("open_preview.git_ref"), NULL, 0},
    // ---- sources
    {"no source", "nothing", MEMBERS("branchEnvironment", "'environment': 'try'"),
     MISSING("branch_environment.source"), NULL, 0},
    {"itself as the source", "nothing", BRANCH_OF("try", "try", ""),
     INVALID("branch_environment.source_environment"), NULL, 0},
    {"a source without its branch", "nothing",
     MEMBERS("branchEnvironment", "'environment': 'try', 'sourceBranch': {'account': 'main', "
                                  "'projectId': 'some-project-1'}"),
     MISSING("branch_environment.source_branch.branch"), NULL, 0},
    {"an import without its branch", "nothing",
     MEMBERS("importEnvironment", "'environment': 'live'"), MISSING("import_environment.branch"),
     NULL, 0},
    // ---- whose credentials
    {"a rotation of nobody's", "nothing", ROTATE_OF("live", ""),
     MISSING("rotate_credentials.target"), NULL, 0},
    {"a rotation of all, denied", "nothing", ROTATE_OF("live", ", 'all': false"),
     INVALID("rotate_credentials.all"), NULL, 0},
    {"credentials to nobody", "nothing", MEMBERS("revealCredentials", "'environment': 'live'"),
     MISSING("reveal_credentials.reply_public_key"), NULL, 0},
    {"credentials to a key of 3 bytes", "nothing",
     MEMBERS("revealCredentials", "'environment': 'live', 'replyPublicKey': 'AAAA'"),
     INVALID("reveal_credentials.reply_public_key"), NULL, 0},
    // ---- services
    {"a service twice", "nothing",
     CREATE_OF("live", SERVICES("{'name': 'orders'}, {'name': 'orders'}")),
     INVALID("create_environment.services[1].name"), NULL, 0},
    {"a service's database that isn't listed", "nothing",
     CREATE_OF("live", SERVICES("{'name': 'orders', 'databases': [{'database': 'other'}]}")),
     INVALID("create_environment.services[0].databases[0].database"), NULL, 0},
    {"a service's database twice", "nothing",
     CREATE_OF("live", SERVICES("{'name': 'orders', 'databases': [{'database': 'main'}, "
                                "{'database': 'main'}]}")),
     INVALID("create_environment.services[0].databases[1].database"), NULL, 0},
    {"a database twice", "nothing", SETUP_OF("live", ", 'databases': ['main', 'main']"),
     INVALID("setup_roles.databases[1]"), NULL, 0},
    // ---- what is to be stopped
    {"a command to stop that isn't named", "nothing", MEMBERS("cancelCommand", ""),
     MISSING("cancel_command.command_id"), NULL, 0},
    {"a command to stop whose id is none", "nothing", CANCEL_OF("the last one"),
     INVALID("cancel_command.command_id"), NULL, 0},
    {"a command that stops itself", "nothing",
     "'commandId': '0f1e2d3c-4b5a-4697-8877-665544332211', " CANCEL_OF(
         "0F1E2D3C-4B5A-4697-8877-665544332211"),
     INVALID("cancel_command.command_id"), NULL, 0},
};

RuleTable table_values(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
