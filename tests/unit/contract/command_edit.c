// What edits of a project or an endpoint may name.
#include "contract/command.h"

#include "kit.h"

#define PROJECT(more) KIT_COMMAND("'editProject':{'environment':'staging'" more "}")
#define ENDPOINT(mask, more)                                                                       \
    KIT_COMMAND("'editEndpoint':{'environment':'staging','updateMask':'" mask                      \
                "','endpoint':{" more "}}")

static const KitCommandCase PROJECTS[] = {
    {PROJECT(",'historyRetentionSeconds':'0'"), NULL, ""},
    {PROJECT(",'historyRetentionSeconds':'2592000'"), NULL, ""},
    {PROJECT(",'refresh':true"), NULL, ""},
    {KIT_COMMAND("'editProject':{'environment':'pr:7','refresh':true}"), NULL, ""},
    {PROJECT(""), "FIELD_REQUIRED", "edit_project.history_retention_seconds"},
    {PROJECT(",'historyRetentionSeconds':'1','refresh':true"), "INVALID_VALUE",
     "edit_project.refresh"},
    {PROJECT(",'historyRetentionSeconds':'-1'"), "INVALID_VALUE",
     "edit_project.history_retention_seconds"},
    {PROJECT(",'historyRetentionSeconds':'2592001'"), "INVALID_VALUE",
     "edit_project.history_retention_seconds"},
    {KIT_COMMAND("'editProject':{'historyRetentionSeconds':'1'}"), "FIELD_REQUIRED",
     "edit_project.environment"},
    {KIT_COMMAND("'editProject':{'environment':'A B','refresh':true}"), "INVALID_NAME",
     "edit_project.environment"},
};

static const KitCommandCase ENDPOINTS[] = {
    {ENDPOINT("autoscalingLimitMaxCu", "'autoscalingLimitMaxCu':8"), NULL, ""},
    {ENDPOINT("autoscalingLimitMinCu,autoscalingLimitMaxCu,suspendTimeoutSeconds",
              "'autoscalingLimitMinCu':0.25,'autoscalingLimitMaxCu':0.5,"
              "'suspendTimeoutSeconds':'-1'"),
     NULL, ""},
    {KIT_COMMAND("'editEndpoint':{'environment':'pr:7','updateMask':'suspendTimeoutSeconds',"
                 "'endpoint':{'suspendTimeoutSeconds':'0'}}"),
     NULL, ""},
    {KIT_COMMAND("'editEndpoint':{'updateMask':'suspendTimeoutSeconds'}"), "FIELD_REQUIRED",
     "edit_endpoint.environment"},
    {KIT_COMMAND("'editEndpoint':{'environment':'staging'}"), "FIELD_REQUIRED",
     "edit_endpoint.update_mask"},
    {ENDPOINT("", "'autoscalingLimitMaxCu':8"), "FIELD_REQUIRED", "edit_endpoint.update_mask"},
    {ENDPOINT("host", "'autoscalingLimitMaxCu':8"), "INVALID_VALUE", "edit_endpoint.update_mask"},
    {ENDPOINT("suspendTimeoutSeconds", "'autoscalingLimitMaxCu':8"), "INVALID_VALUE",
     "edit_endpoint.endpoint.autoscaling_limit_max_cu"},
    {ENDPOINT("autoscalingLimitMinCu", ""), "FIELD_REQUIRED",
     "edit_endpoint.endpoint.autoscaling_limit_min_cu"},
    {KIT_COMMAND("'editEndpoint':{'environment':'staging','updateMask':'autoscalingLimitMaxCu'}"),
     "FIELD_REQUIRED", "edit_endpoint.endpoint.autoscaling_limit_max_cu"},
    {ENDPOINT("autoscalingLimitMaxCu", "'autoscalingLimitMaxCu':0.75"), "INVALID_VALUE",
     "edit_endpoint.endpoint.autoscaling_limit_max_cu"},
    {ENDPOINT("autoscalingLimitMinCu,autoscalingLimitMaxCu",
              "'autoscalingLimitMinCu':4,'autoscalingLimitMaxCu':2"),
     "INVALID_VALUE", "edit_endpoint.endpoint.autoscaling_limit_max_cu"},
    {ENDPOINT("suspendTimeoutSeconds", "'suspendTimeoutSeconds':'59'"), "INVALID_VALUE",
     "edit_endpoint.endpoint.suspend_timeout_seconds"},
    {ENDPOINT("suspendTimeoutSeconds", "'suspendTimeoutSeconds':'604801'"), "INVALID_VALUE",
     "edit_endpoint.endpoint.suspend_timeout_seconds"},
};

static void a_project_is_edited_or_refreshed(void **state)
{
    (void)state;
    kit_check_commands(PROJECTS, KIT_COUNT(PROJECTS));
}

static void a_mask_names_what_the_endpoint_sets(void **state)
{
    (void)state;
    kit_check_commands(ENDPOINTS, KIT_COUNT(ENDPOINTS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_project_is_edited_or_refreshed),
        cmocka_unit_test(a_mask_names_what_the_endpoint_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
