#include "contract/command.h"

#include <string.h>

#include "kit.h"

#define IMPORT(more) KIT_COMMAND("'importEnvironment':{'environment':'staging'," more "}")
#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X63 X63 X63 X63 "xxx"
#define CREATE(more)                                                                               \
    KIT_COMMAND("'createEnvironment':{'environment':'staging','account':'main',"                   \
                "'regionId':'aws-eu-central-1'" more "}")
#define BRANCH(more)                                                                               \
    KIT_COMMAND(                                                                                   \
        "'branchEnvironment':{'environment':'staging','sourceEnvironment':'production'" more "}")
#define BRANCH_OF(account, project, branch)                                                        \
    KIT_COMMAND("'branchEnvironment':{'environment':'staging','sourceBranch':{'account':'" account \
                "','projectId':'" project "','branch':'" branch "'}}")
#define CONNECT(more) KIT_COMMAND("'connectAccount':{'account':'main'" more "}")
#define ENDPOINT(settings) CREATE(",'endpoint':{" settings "}")
#define DELETE "'deleteEnvironment':{'environment':'staging'}"

static const KitCommandCase ENVELOPES[] = {
    {KIT_COMMAND(DELETE), NULL, ""},
    {KIT_COMMAND("'requestedAt':'2026-11-22T08:07:00Z'," DELETE), NULL, ""},
    {KIT_COMMAND("'requestedAt':'1969-12-31T23:59:59Z'," DELETE), "INVALID_VALUE", "requested_at"},
    {KIT_COMMAND("'deadline':'9999-12-31T23:59:59.999Z'," DELETE), NULL, ""},
    {KIT_COMMAND("'deadline':'1969-12-31T23:59:59Z'," DELETE), "INVALID_VALUE", "deadline"},
    {KIT_COMMAND("'requestedBy':'" X255 "'," DELETE), NULL, ""},
    {KIT_COMMAND("'requestedBy':'x" X255 "'," DELETE), "INVALID_VALUE", "requested_by"},
    {KIT_COMMAND("'replayOf':'" KIT_ID "'," DELETE), NULL, ""},
    {KIT_COMMAND("'replayOf':'that one'," DELETE), "INVALID_VALUE", "replay_of"},
    {KIT_COMMAND("'labels':[{'key':'" X63 "','value':'" X255 "'}]," DELETE), NULL, ""},
    {KIT_COMMAND("'labels':[{'key':'a'},{'value':'b'}]," DELETE), "INVALID_VALUE", "labels[1]"},
    {KIT_COMMAND("'labels':[{'key':'x" X63 "'}]," DELETE), "INVALID_VALUE", "labels[0]"},
    {KIT_COMMAND("'labels':[{'key':'a','value':'x" X255 "'}]," DELETE), "INVALID_VALUE",
     "labels[0]"},
};

#define CANCEL(id) KIT_COMMAND("'cancelCommand':{'commandId':'" id "'}")
#define OTHER_ID "5D1C6B7E-0000-4000-8000-000000000001"

static const KitCommandCase CANCELLATIONS[] = {
    {CANCEL(OTHER_ID), NULL, ""},
    {KIT_COMMAND("'cancelCommand':{}"), "FIELD_REQUIRED", "cancel_command.command_id"},
    {CANCEL("that one"), "INVALID_VALUE", "cancel_command.command_id"},
    {CANCEL("00000000-0000-0000-0000-000000000000"), "INVALID_VALUE", "cancel_command.command_id"},
    {CANCEL(KIT_ID), "INVALID_VALUE", "cancel_command.command_id"},
};

static const KitCommandCase CREATIONS[] = {
    {CREATE(""), NULL, ""},
    {CREATE(",'projectName':'Shop','branchName':'main','pgVersion':17,'databases':['shop'],"
            "'historyRetentionSeconds':'86400'"),
     NULL, ""},
    {KIT_COMMAND("'createEnvironment':{'account':'main','regionId':'aws-eu-central-1'}"),
     "FIELD_REQUIRED", "create_environment.environment"},
    {KIT_COMMAND("'createEnvironment':{'environment':'Staging'}"), "INVALID_NAME",
     "create_environment.environment"},
    {KIT_COMMAND("'createEnvironment':{'environment':'pr:72'}"), "INVALID_NAME",
     "create_environment.environment"},
    {KIT_COMMAND("'createEnvironment':{'environment':'staging'}"), "FIELD_REQUIRED",
     "create_environment.account"},
    {KIT_COMMAND("'createEnvironment':{'environment':'staging','account':'/'}"), "INVALID_NAME",
     "create_environment.account"},
    {KIT_COMMAND("'createEnvironment':{'environment':'staging','account':'main'}"),
     "FIELD_REQUIRED", "create_environment.region_id"},
    {KIT_COMMAND("'createEnvironment':{'environment':'staging','account':'main',"
                 "'regionId':'Frankfurt'}"),
     "INVALID_NAME", "create_environment.region_id"},
    {CREATE(",'projectName':' Shop'"), "INVALID_NAME", "create_environment.project_name"},
    {CREATE(",'branchName':'main '"), "INVALID_NAME", "create_environment.branch_name"},
    {CREATE(",'pgVersion':14"), NULL, ""},
    {CREATE(",'pgVersion':18"), NULL, ""},
    {CREATE(",'pgVersion':13"), "INVALID_VALUE", "create_environment.pg_version"},
    {CREATE(",'pgVersion':19"), "INVALID_VALUE", "create_environment.pg_version"},
    {CREATE(",'pgVersion':-1"), "INVALID_VALUE", "create_environment.pg_version"},
    {CREATE(",'databases':['postgres']"), "INVALID_NAME", "create_environment.databases[0]"},
    {CREATE(",'historyRetentionSeconds':0"), NULL, ""},
    {CREATE(",'historyRetentionSeconds':2592000"), NULL, ""},
    {CREATE(",'historyRetentionSeconds':2592001"), "INVALID_VALUE",
     "create_environment.history_retention_seconds"},
    {CREATE(",'historyRetentionSeconds':-1"), "INVALID_VALUE",
     "create_environment.history_retention_seconds"},
};

#define ENDPOINT_FIELD "create_environment.endpoint."

static const KitCommandCase ENDPOINTS[] = {
    {ENDPOINT(""), NULL, ""},
    {ENDPOINT("'autoscalingLimitMinCu':0.25,'autoscalingLimitMaxCu':8"), NULL, ""},
    {ENDPOINT("'autoscalingLimitMinCu':0.5,'autoscalingLimitMaxCu':0.5"), NULL, ""},
    {ENDPOINT("'autoscalingLimitMinCu':1"), NULL, ""},
    {ENDPOINT("'autoscalingLimitMaxCu':56"), NULL, ""},
    {ENDPOINT("'autoscalingLimitMinCu':0"), "INVALID_VALUE",
     ENDPOINT_FIELD "autoscaling_limit_min_cu"},
    {ENDPOINT("'autoscalingLimitMinCu':0.75"), "INVALID_VALUE",
     ENDPOINT_FIELD "autoscaling_limit_min_cu"},
    {ENDPOINT("'autoscalingLimitMinCu':-1"), "INVALID_VALUE",
     ENDPOINT_FIELD "autoscaling_limit_min_cu"},
    {ENDPOINT("'autoscalingLimitMaxCu':1.5"), "INVALID_VALUE",
     ENDPOINT_FIELD "autoscaling_limit_max_cu"},
    {ENDPOINT("'autoscalingLimitMaxCu':'NaN'"), "INVALID_VALUE",
     ENDPOINT_FIELD "autoscaling_limit_max_cu"},
    {ENDPOINT("'autoscalingLimitMaxCu':'Infinity'"), "INVALID_VALUE",
     ENDPOINT_FIELD "autoscaling_limit_max_cu"},
    {ENDPOINT("'autoscalingLimitMinCu':2,'autoscalingLimitMaxCu':1"), "INVALID_VALUE",
     ENDPOINT_FIELD "autoscaling_limit_max_cu"},
    {ENDPOINT("'suspendTimeoutSeconds':-1"), NULL, ""},
    {ENDPOINT("'suspendTimeoutSeconds':0"), NULL, ""},
    {ENDPOINT("'suspendTimeoutSeconds':60"), NULL, ""},
    {ENDPOINT("'suspendTimeoutSeconds':604800"), NULL, ""},
    {ENDPOINT("'suspendTimeoutSeconds':59"), "INVALID_VALUE",
     ENDPOINT_FIELD "suspend_timeout_seconds"},
    {ENDPOINT("'suspendTimeoutSeconds':604801"), "INVALID_VALUE",
     ENDPOINT_FIELD "suspend_timeout_seconds"},
    {ENDPOINT("'suspendTimeoutSeconds':-2"), "INVALID_VALUE",
     ENDPOINT_FIELD "suspend_timeout_seconds"},
};

static const KitCommandCase BRANCHES[] = {
    {BRANCH(""), NULL, ""},
    {BRANCH(",'branchName':'staging','endpoint':{'suspendTimeoutSeconds':300}"), NULL, ""},
    {BRANCH_OF("main", "dry-hall-87167252", "production"), NULL, ""},
    {KIT_COMMAND("'branchEnvironment':{'sourceEnvironment':'production'}"), "FIELD_REQUIRED",
     "branch_environment.environment"},
    {KIT_COMMAND("'branchEnvironment':{'environment':'staging'}"), "FIELD_REQUIRED",
     "branch_environment.source"},
    {KIT_COMMAND("'branchEnvironment':{'environment':'staging','sourceEnvironment':''}"),
     "FIELD_REQUIRED", "branch_environment.source_environment"},
    {KIT_COMMAND("'branchEnvironment':{'environment':'staging','sourceEnvironment':'pr:1'}"),
     "INVALID_NAME", "branch_environment.source_environment"},
    {KIT_COMMAND("'branchEnvironment':{'environment':'staging','sourceEnvironment':'staging'}"),
     "INVALID_VALUE", "branch_environment.source_environment"},
    {BRANCH_OF("", "p", "b"), "FIELD_REQUIRED", "branch_environment.source_branch.account"},
    {BRANCH_OF("A", "p", "b"), "INVALID_NAME", "branch_environment.source_branch.account"},
    {BRANCH_OF("a", "", "b"), "FIELD_REQUIRED", "branch_environment.source_branch.project_id"},
    {BRANCH_OF("a", "P", "b"), "INVALID_NAME", "branch_environment.source_branch.project_id"},
    {BRANCH_OF("a", "p", ""), "FIELD_REQUIRED", "branch_environment.source_branch.branch"},
    {BRANCH_OF("a", "p", " "), "INVALID_NAME", "branch_environment.source_branch.branch"},
    {BRANCH(",'branchName':' '"), "INVALID_NAME", "branch_environment.branch_name"},
    {BRANCH(",'endpoint':{'suspendTimeoutSeconds':1}"), "INVALID_VALUE",
     "branch_environment.endpoint.suspend_timeout_seconds"},
    {BRANCH(",'schemaOnly':false"), NULL, ""},
};

static const KitCommandCase ACCOUNTS[] = {
    {CONNECT(",'plaintext':'napi_key'"), NULL, ""},
    {CONNECT(",'plaintext':'napi_key','orgId':'org-wild-sun-123'"), NULL, ""},
    {CONNECT(",'plaintext':'napi_key','orgId':'Org'"), "INVALID_NAME", "connect_account.org_id"},
    {CONNECT(",'reference':'file:neon.key'"), NULL, ""},
    {CONNECT(",'reference':'env:NEON_API_KEY-2'"), NULL, ""},
    {CONNECT(""), "FIELD_REQUIRED", "connect_account.api_key"},
    {KIT_COMMAND("'connectAccount':{'plaintext':'napi_key'}"), "FIELD_REQUIRED",
     "connect_account.account"},
    {KIT_COMMAND("'connectAccount':{'account':'a:b','plaintext':'napi_key'}"), "INVALID_NAME",
     "connect_account.account"},
    {CONNECT(",'reference':''"), "REFERENCE_INVALID", "connect_account.reference"},
    {CONNECT(",'reference':'neon.key'"), "REFERENCE_INVALID", "connect_account.reference"},
    {CONNECT(",'reference':'http:neon.key'"), "REFERENCE_INVALID", "connect_account.reference"},
    {CONNECT(",'reference':'file:'"), "REFERENCE_INVALID", "connect_account.reference"},
    {CONNECT(",'reference':'file:.hidden'"), "REFERENCE_INVALID", "connect_account.reference"},
    {CONNECT(",'reference':'file:../shop/key'"), "REFERENCE_INVALID", "connect_account.reference"},
    {CONNECT(",'reference':'file:a b'"), "REFERENCE_INVALID", "connect_account.reference"},
    {CONNECT(",'reference':'file:" X63 X63 "xx'"), NULL, ""},
    {CONNECT(",'reference':'file:" X63 X63 "xxx'"), "REFERENCE_INVALID",
     "connect_account.reference"},
};

static const KitCommandCase ACTIONS[] = {
    {"{'commandId':'" KIT_ID "','applicationId':'shop'}", "FIELD_REQUIRED", "action"},
    {KIT_COMMAND("'deleteEnvironment':{'environment':'staging','deleteData':true}"), NULL, ""},
    {KIT_COMMAND("'deleteEnvironment':{}"), "FIELD_REQUIRED", "delete_environment.environment"},
    {KIT_COMMAND("'deleteEnvironment':{'environment':'pr:72'}"), "INVALID_NAME",
     "delete_environment.environment"},
    {KIT_COMMAND("'disconnectAccount':{'account':'main'}"), NULL, ""},
    {KIT_COMMAND("'disconnectAccount':{}"), "FIELD_REQUIRED", "disconnect_account.account"},
    {KIT_COMMAND("'setPreviewBase':{'environment':'staging'}"), NULL, ""},
    {KIT_COMMAND("'setPreviewBase':{}"), "FIELD_REQUIRED", "set_preview_base.environment"},
    {KIT_COMMAND("'setPreviewBase':{'environment':'pr:1'}"), "INVALID_NAME",
     "set_preview_base.environment"},
    {KIT_COMMAND("'discoverAccount':{'account':'main','projectFilter':'shop'}"), NULL, ""},
    {KIT_COMMAND("'discoverAccount':{}"), "FIELD_REQUIRED", "discover_account.account"},
    {KIT_COMMAND("'discoverAccount':{'account':'main','projectFilter':'" X255 "xxx'}"),
     "INVALID_NAME", "discover_account.project_filter"},
    {IMPORT("'branch':{'account':'main','projectId':'p-1','branch':'main'},"
            "'createEndpoint':true,'shared':true"),
     NULL, ""},
    {KIT_COMMAND("'importEnvironment':{}"), "FIELD_REQUIRED", "import_environment.environment"},
    {KIT_COMMAND("'importEnvironment':{'environment':'staging'}"), "FIELD_REQUIRED",
     "import_environment.branch"},
    {IMPORT("'branch':{'projectId':'p-1','branch':'main'}"), "FIELD_REQUIRED",
     "import_environment.branch.account"},
    {IMPORT("'branch':{'account':'main','branch':'main'}"), "FIELD_REQUIRED",
     "import_environment.branch.project_id"},
    {IMPORT("'branch':{'account':'main','projectId':'p-1'}"), "FIELD_REQUIRED",
     "import_environment.branch.branch"},
};

static void the_envelope_is_bounded(void **state)
{
    (void)state;
    kit_check_commands(ENVELOPES, KIT_COUNT(ENVELOPES));
}

static void a_creation_is_checked_field_by_field(void **state)
{
    (void)state;
    kit_check_commands(CREATIONS, KIT_COUNT(CREATIONS));
}

static void compute_settings_are_those_of_neon(void **state)
{
    (void)state;
    kit_check_commands(ENDPOINTS, KIT_COUNT(ENDPOINTS));
}

static void a_branch_needs_one_whole_source(void **state)
{
    (void)state;
    kit_check_commands(BRANCHES, KIT_COUNT(BRANCHES));
}

static void an_account_needs_one_key(void **state)
{
    (void)state;
    kit_check_commands(ACCOUNTS, KIT_COUNT(ACCOUNTS));
}

static void a_cancellation_names_another_command(void **state)
{
    (void)state;
    kit_check_commands(CANCELLATIONS, KIT_COUNT(CANCELLATIONS));
}

static void other_actions_are_refused_by_name(void **state)
{
    (void)state;
    kit_check_commands(ACTIONS, KIT_COUNT(ACTIONS));
}

static void a_33rd_label_is_refused(void **state)
{
    (void)state;
    for (unsigned count = 32; count <= 33; count++) {
        Text text CLEANUP(text_clear) = TEXT_INIT(4096);
        text_append(&text, "{'commandId':'" KIT_ID "','applicationId':'shop','labels':[");
        for (unsigned i = 0; i < count; i++) {
            text_append(&text, i == 0 ? "{'key':'k'}" : ",{'key':'k'}");
        }
        text_append(&text, "]," DELETE "}");
        const KitCommandCase one = {text_get(&text), count == 33 ? "INVALID_VALUE" : NULL,
                                    count == 33 ? "labels" : ""};
        kit_check_commands(&one, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope_is_bounded),
        cmocka_unit_test(a_creation_is_checked_field_by_field),
        cmocka_unit_test(compute_settings_are_those_of_neon),
        cmocka_unit_test(a_branch_needs_one_whole_source),
        cmocka_unit_test(an_account_needs_one_key),
        cmocka_unit_test(a_cancellation_names_another_command),
        cmocka_unit_test(other_actions_are_refused_by_name),
        cmocka_unit_test(a_33rd_label_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
