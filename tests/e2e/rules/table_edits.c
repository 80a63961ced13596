// EditProject and EditEndpoint.
#include "rules/rule.h"

#define SUSPEND(environment, seconds)                                                              \
    ENDPOINT_OF(environment, "suspendTimeoutSeconds", "'suspendTimeoutSeconds': '" seconds "'")
#define MAX(units) ENDPOINT_OF("live", "autoscalingLimitMaxCu", "'autoscalingLimitMaxCu': " units)
#define MIN(units) ENDPOINT_OF("live", "autoscalingLimitMinCu", "'autoscalingLimitMinCu': " units)
#define BOTH(min, max)                                                                             \
    ENDPOINT_OF("live", "autoscalingLimitMinCu,autoscalingLimitMaxCu",                             \
                "'autoscalingLimitMinCu': " min ", 'autoscalingLimitMaxCu': " max)
#define EDITED ENDS("EndpointEdited")

static const Rule RULES[] = {
    {"the project of an environment that isn't there", "live", RETENTION_OF("nowhere", "3600"),
     REJECTED("ENVIRONMENT_UNKNOWN", "edit_project.environment"), "environments", 0},
    {"the compute of an environment that isn't there", "live", SUSPEND("nowhere", "60"),
     REJECTED("ENVIRONMENT_UNKNOWN", "edit_endpoint.environment"), NULL, 0},
    {"the project of another application's environment", "live",
     "@neighbour " RETENTION_OF("live", "3600"),
     REJECTED("ENVIRONMENT_UNKNOWN", "edit_project.environment"), NULL, 0},
    {"the project of an environment that failed", "failed", RETENTION_OF("try", "3600"),
     REJECTED("ENVIRONMENT_NOT_READY", "edit_project.environment"), "failed", 0},
    {"the compute of an environment that failed", "failed", SUSPEND("try", "60"),
     REJECTED("ENVIRONMENT_NOT_READY", "edit_endpoint.environment"), NULL, 0},
    {"the compute of an environment that has none", "imported-bare", SUSPEND("live", "60"),
     REJECTED("ENVIRONMENT_NOT_READY", "edit_endpoint.environment"), "no endpoint", 0},
    {"a project that somebody else made", "branched-off-theirs", RETENTION_OF("try", "3600"),
     REJECTED("PROJECT_NOT_OURS", "edit_project.environment"), "<theirs.project>", 0},
    {"a project of an imported environment, by its branch", "branched-off-imported",
     RETENTION_OF("try", "3600"), REJECTED("PROJECT_NOT_OURS", "edit_project.environment"), NULL,
     0},
    // ---- retention
    {"another retention", "branched", RETENTION_OF("live", "3600"), ENDS("ProjectEdited"),
     "changed=true; historyRetentionSecondsBefore=86400; historyRetentionSecondsAfter=3600; "
     "siblingEnvironments.0=try",
     1},
    {"another retention, by a branch of the project", "branched", RETENTION_OF("try", "0"),
     ENDS("ProjectEdited"),
     "changed=true; historyRetentionSecondsAfter=0; siblingEnvironments.0=live", 1},
    {"another retention, where another application lives", "neighbour-lives-there",
     RETENTION_OF("live", "3600"), ENDS("ProjectEdited"),
     "changed=true; siblingEnvironments.0=<neighbour>/theirs; siblingEnvironments.1=", 1},
    {"a retention of 30 days", "live", RETENTION_OF("live", "2592000"), ENDS("ProjectEdited"),
     "changed=true; historyRetentionSecondsAfter=2592000", 1},
    {"the retention that it has", "live", RETENTION_OF("live", "86400"), ENDS("ProjectEdited"),
     "changed=false; historyRetentionSecondsAfter=86400", 0},
    {"a longer retention than the plan has, in Neon's words", "poor-plan",
     RETENTION_OF("live", "2592000"), FAILED("NEON_REFUSED", NULL),
     "requested history retention seconds exceeds allowed maximum", 1},
    {"a retention that Neon denies", "change-denied", RETENTION_OF("live", "3600"),
     FAILED("NEON_DENIED", NULL), "not yours", 1},
    {"a retention beyond some limit", "change-limited", RETENTION_OF("live", "3600"),
     FAILED("NEON_LIMIT", NULL), "limit exceeded", 1},
    {"a retention of a project that Neon doesn't show any more", "change-unseen",
     RETENTION_OF("live", "3600"), FAILED("NEON_NOT_FOUND", NULL), NULL, 1},
    {"a retention that Neon finds taken", "change-taken", RETENTION_OF("live", "3600"),
     FAILED("NEON_EXISTS", NULL), NULL, 1},
    {"a retention that Neon's conditions don't allow", "change-unmet", RETENTION_OF("live", "3600"),
     FAILED("NEON_PRECONDITION", NULL), "not now", 1},
    {"a refresh", "live", MEMBERS("editProject", "'environment': 'live', 'refresh': true"),
     ENDS("ProjectEdited"), "changed=false; historyRetentionSecondsAfter=86400", 0},
    // ---- compute
    {"never to suspend", "live", SUSPEND("live", "-1"), EDITED,
     "changed=true; before.suspendTimeoutSeconds=0; after.suspendTimeoutSeconds=-1", 1},
    {"to suspend after a minute", "live", SUSPEND("live", "60"), EDITED,
     "changed=true; after.suspendTimeoutSeconds=60", 1},
    {"to suspend after a week", "live", SUSPEND("live", "604800"), EDITED,
     "changed=true; after.suspendTimeoutSeconds=604800", 1},
    {"to suspend as it does", "live", SUSPEND("live", "0"), EDITED,
     "changed=false; after.suspendTimeoutSeconds=0", 0},
    {"the compute that it has", "live", BOTH("0.25", "0.25"), EDITED,
     "changed=false; after.autoscalingLimitMaxCu=0.25", 0},
    {"half a unit", "live", MAX("0.5"), EDITED,
     "changed=true; after.autoscalingLimitMinCu=0.25; after.autoscalingLimitMaxCu=0.5", 1},
    {"whole units", "live", MAX("3"), EDITED, "changed=true; after.autoscalingLimitMaxCu=3", 1},
    {"a minimum that is the maximum", "live", BOTH("2", "2"), EDITED,
     "after.autoscalingLimitMinCu=2; after.autoscalingLimitMaxCu=2", 1},
    {"a minimum above the maximum that it has", "live", MIN("8"),
     REJECTED("INVALID_VALUE", "edit_endpoint.endpoint.autoscaling_limit_min_cu"), "both limits",
     0},
    {"more compute than the plan has, in Neon's words", "live", MAX("64"),
     FAILED("NEON_REFUSED", NULL), "autoscaling", 1},
    {"a branch's compute", "branched", SUSPEND("try", "120"), EDITED,
     "environment=try; changed=true; after.suspendTimeoutSeconds=120", 1},
};

RuleTable table_edits(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
