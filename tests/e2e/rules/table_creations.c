// CreateEnvironment.
#include "rules/rule.h"

#define EXISTS REJECTED("ENVIRONMENT_EXISTS", "environment")

static const Rule RULES[] = {
    {"an account that isn't there", "nothing", CREATE_OF("live", ""),
     REJECTED("ACCOUNT_UNKNOWN", "account"), "ConnectAccount", 0},
    {"an account that was disconnected", "disconnected", CREATE_OF("live", ""),
     REJECTED("ACCOUNT_UNKNOWN", "account"), NULL, 0},
    {"another application's account", "connected", "@neighbour " CREATE_OF("live", ""),
     REJECTED("ACCOUNT_UNKNOWN", "account"), NULL, 0},
    {"a region that Neon hasn't", "connected",
     MEMBERS("createEnvironment",
             "'environment': 'live', 'account': 'main', 'regionId': 'aws-mars-1'"),
     REJECTED("REGION_UNKNOWN", "create_environment.region_id"), "aws-mars-1", 0},
    {"a key that is kept to one project", "kept-to-project",
     MEMBERS("createEnvironment",
             "'environment': 'mine', 'account': 'kept', 'regionId': 'aws-eu-central-1'"),
     REJECTED("KEY_SCOPE", "create_environment.account"), NULL, 0},
    {"what one that failed has left, and the key doesn't see", "left-of-other-maker",
     CREATE_OF("live", ""), REJECTED("NOT_VISIBLE", NULL), "sees nothing there", 0},
    {"what one that failed has left, and another application has branched", "left-and-branched",
     CREATE_OF("live", ""), REJECTED("HAS_DEPENDENTS", NULL), "<neighbour>/theirs", 0},
    {"the same settings again", "live", CREATE_OF("live", ""), ENDS("EnvironmentCreated"),
     "created=false; environment.projectId=<live.project>", 0},
    {"another version", "live", CREATE_OF("live", ", 'pgVersion': 16"), EXISTS, "other settings",
     0},
    {"another region", "live",
     MEMBERS("createEnvironment",
             "'environment': 'live', 'account': 'main', 'regionId': 'aws-us-east-1'"),
     EXISTS, NULL, 0},
    {"the name of a branched environment", "branched", CREATE_OF("try", ""), EXISTS, NULL, 0},
    {"the name of an imported environment", "imported", CREATE_OF("live", ""), EXISTS, NULL, 0},
    {"foreign projects of that name", "two-of-a-name", CREATE_OF("live", ""),
     ENDS("EnvironmentCreated"), "created=true; environment.projectName=<app>-live", 1},
    {"all settings at once", "connected",
     CREATE_OF("live", ", 'pgVersion': 16, 'databases': ['main'], 'historyRetentionSeconds': "
                       "'3600', 'endpoint': {'autoscalingLimitMinCu': 0.5, "
                       "'autoscalingLimitMaxCu': 2, 'suspendTimeoutSeconds': '-1'}"),
     ENDS("EnvironmentCreated"),
     "environment.pgVersion=16; environment.databases.0=main; "
     "environment.historyRetentionSeconds=3600; environment.endpoint.autoscalingLimitMinCu=0.5; "
     "environment.endpoint.autoscalingLimitMaxCu=2; "
     "environment.endpoint.suspendTimeoutSeconds=-1; environment.origin=ORIGIN_CREATED",
     1},
    {"more compute than the plan has, in Neon's words", "connected",
     CREATE_OF("live", ", 'endpoint': {'autoscalingLimitMaxCu': 512}"),
     FAILED("NEON_REFUSED", NULL), "autoscaling", 1},
};

RuleTable table_creations(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
