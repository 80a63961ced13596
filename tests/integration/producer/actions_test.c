// Every action that provisionctl sends, as the worker gets it.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "contract/json.h"
#include "ctl.h"

static void free_json(json_t **json)
{
    json_decref(*json);
}

// The command's action in JSON form, single quotes for double ones; freed by the caller.
static char *action_of(const Command *command)
{
    json_t *json CLEANUP(free_json) = json_from_message(&command->message->base);
    static const char *const ENVELOPE[] = {"commandId", "applicationId", "requestedAt"};
    for (size_t i = 0; i < sizeof(ENVELOPE) / sizeof(ENVELOPE[0]); i++) {
        assert_int_equal(json_object_del(json, ENVELOPE[i]), 0);
    }
    char *text = json_dumps(json, JSON_COMPACT);
    for (char *c = text; *c != '\0'; c++) {
        *c = (char)(*c == '"' ? '\'' : *c);
    }
    return text;
}

static void free_text(char **text)
{
    free(*text);
}

static const struct {
    const char *arguments[16];
    const char *action;
} ACTIONS[] = {
    {{"send", "disconnect-account", "--account=main"}, "{'disconnectAccount':{'account':'main'}}"},
    {{"send", "discover-account", "--account=main", "--project=shop"},
     "{'discoverAccount':{'account':'main','projectFilter':'shop'}}"},
    {{"send", "edit-project", "-e", "live", "--history-retention=0s"},
     "{'editProject':{'environment':'live','historyRetentionSeconds':'0'}}"},
    {{"send", "edit-project", "-e", "live", "--refresh"},
     "{'editProject':{'environment':'live','refresh':true}}"},
    {{"send", "edit-endpoint", "-e", "live", "--max-cu=2", "--suspend-timeout=default"},
     "{'editEndpoint':{'environment':'live','updateMask':'autoscalingLimitMaxCu,"
     "suspendTimeoutSeconds','endpoint':{'autoscalingLimitMaxCu':2.0,'suspendTimeoutSeconds':"
     "'0'}}}"},
    {{"send", "edit-endpoint", "-e", "live", "--min-cu=0.5"},
     "{'editEndpoint':{'environment':'live','updateMask':'autoscalingLimitMinCu','endpoint':"
     "{'autoscalingLimitMinCu':0.5}}}"},
    {{"send", "set-preview-base", "-e", "live"}, "{'setPreviewBase':{'environment':'live'}}"},
    {{"send", "open-preview", "42", "--repository=acme/shop", "--git-ref=refs/heads/x",
      "--git-sha=f00d", "--expires-in=3d", "--reset", "--service=orders=main:read"},
     "{'openPreview':{'pullRequest':42,'repository':'acme/shop','gitRef':'refs/heads/x',"
     "'gitSha':'f00d','expiresIn':'259200s','reset':true,'services':[{'name':'orders',"
     "'databases':[{'database':'main','access':'ACCESS_READ'}]}]}}"},
    {{"preview", "open", "7"}, "{'openPreview':{'pullRequest':7}}"},
    {{"send", "close-preview", "42"}, "{'closePreview':{'pullRequest':42}}"},
    {{"preview", "close", "7", "--repository=acme/shop"},
     "{'closePreview':{'pullRequest':7,'repository':'acme/shop'}}"},
    {{"send", "close-preview", "42", "--if-expired"},
     "{'closePreview':{'pullRequest':42,'ifExpired':true}}"},
    {{"send", "delete-environment", "-e", "try", "--if-expired"},
     "{'deleteEnvironment':{'environment':'try','ifExpired':true}}"},
    {{"send", "sweep-account", "--account=main"}, "{'sweepAccount':{'account':'main'}}"},
    {{"send", "sweep-account", "--account=main", "--delete"},
     "{'sweepAccount':{'account':'main','deleteOrphans':true}}"},
    {{"send", "delete-orphan", "-e", "pr:7", "--account=main", "--project=cool-sun-1",
      "--branch=br-cool-sun-1", "--command=5d1c6b7e-0000-4000-8000-000000000001"},
     "{'deleteOrphan':{'environment':'pr:7','account':'main','projectId':'cool-sun-1',"
     "'branchId':'br-cool-sun-1','commandId':'5d1c6b7e-0000-4000-8000-000000000001'}}"},
    {{"send", "reset-environment", "-e", "try", "--preserve-under-name=old"},
     "{'resetEnvironment':{'environment':'try','preserveUnderName':'old'}}"},
    {{"send", "branch-environment", "-e", "then", "--source-environment=live",
      "--at=2026-11-22T08:07:00Z", "--schema-only", "--expires-at=2026-11-29T08:07:00Z"},
     "{'branchEnvironment':{'environment':'then','sourceEnvironment':'live','pointInTime':"
     "'2026-11-22T08:07:00.000Z','schemaOnly':true,'expiresAt':'2026-11-29T08:07:00.000Z'}}"},
    {{"send", "branch-environment", "-e", "then", "--source-environment=live", "--at=0/1A2B3C4D"},
     "{'branchEnvironment':{'environment':'then','sourceEnvironment':'live','lsn':"
     "'0/1A2B3C4D'}}"},
    {{"send", "import-environment", "-e", "theirs", "--account=main", "--project=p-1",
      "--branch=main", "--create-endpoint", "--shared"},
     "{'importEnvironment':{'environment':'theirs','branch':{'account':'main','projectId':"
     "'p-1','branch':'main'},'createEndpoint':true,'shared':true}}"},
};

static void each_action_has_its_options(void **state)
{
    Stage *stage = *state;
    for (size_t i = 0; i < sizeof(ACTIONS) / sizeof(ACTIONS[0]); i++) {
        const char *arguments[20] = {NULL};
        size_t count = 0;
        for (; ACTIONS[i].arguments[count] != NULL; count++) {
            arguments[count] = ACTIONS[i].arguments[count];
        }
        arguments[count] = "--application=shop";
        Process process CLEANUP(process_clear);
        ctl_run(stage, &process, arguments);
        ctl_assert_exit(&process, EXIT_CODE_OK);
        Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
        char *action CLEANUP(free_text) = action_of(command);
        assert_string_equal(action, ACTIONS[i].action);
    }
}

static void times_may_be_told_from_now(void **state)
{
    Stage *stage = *state;
    Process process CLEANUP(process_clear);
    time_t before = time(NULL);
    ctl_run(stage, &process,
            ARGUMENTS("send", "branch-environment", "-a", "shop", "-e", "then",
                      "--source-environment=live", "--at=2h", "--expires-in=7d"));
    ctl_assert_exit(&process, EXIT_CODE_OK);
    Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    const Provisioning__V1__BranchEnvironment *action = command->message->branch_environment;
    time_t now = time(NULL);
    assert_in_range(action->point_in_time->seconds, before - 7200, now - 7200);
    assert_in_range(action->expires_at->seconds, before + 604800, now + 604800);
}

static void what_is_missing_or_wrong_is_told_before_it_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[16];
        const char *says;
    } CASES[] = {
        {{"send", "disconnect-account", "-a", "shop"}, "--account"},
        {{"send", "discover-account", "-a", "shop"}, "--account"},
        {{"send", "import-environment", "-a", "shop", "-e", "x", "--account=main"}, "--project"},
        {{"send", "edit-project", "-a", "shop", "-e", "x"}, "--history-retention"},
        {{"send", "edit-project", "-a", "shop", "-e", "x", "--refresh", "--history-retention=1d"},
         "one of"},
        {{"send", "edit-project", "-a", "shop", "-e", "x", "--history-retention=500ms"},
         "whole seconds"},
        {{"send", "edit-endpoint", "-a", "shop", "-e", "x"}, "--min-cu"},
        {{"send", "edit-endpoint", "-a", "shop", "-e", "x", "--suspend-timeout=soon"}, "never"},
        {{"send", "set-preview-base", "-a", "shop"}, "--environment"},
        {{"send", "reset-environment", "-a", "shop"}, "--environment"},
        {{"send", "open-preview", "-a", "shop"}, "PULL_REQUEST"},
        {{"send", "open-preview", "-a", "shop", "4x"}, "4x"},
        {{"send", "open-preview", "-a", "shop", "4", "--expires-in=0s"}, "1s"},
        {{"send", "close-preview", "-a", "shop", "0"}, "pull request"},
        {{"send", "close-preview", "-a", "shop", "1", "2"}, "one PULL_REQUEST"},
        {{"send", "sweep-account", "-a", "shop"}, "--account"},
        {{"send", "delete-orphan", "-a", "shop", "-e", "x", "--account=main"}, "--command"},
        {{"send", "delete-orphan", "-a", "shop", "--command=that"}, "UUID"},
        {{"preview"}, "open|close|list"},
        {{"preview", "reopen", "1"}, "open, close or list"},
        {{"send", "branch-environment", "-a", "shop", "-e", "x", "--source-environment=y",
          "--at=noon"},
         "--at takes"},
        {{"send", "branch-environment", "-a", "shop", "-e", "x", "--source-environment=y",
          "--expires-at=noon"},
         "--expires-at takes"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Process process CLEANUP(process_clear);
        process_run_ctl(&process, CASES[i].arguments, NULL, NULL);
        ctl_assert_exit(&process, EXIT_CODE_USAGE);
        if (strstr(process.err, CASES[i].says) == NULL) {
            fail_msg("case %zu doesn't say %s: %s", i, CASES[i].says, process.err);
        }
    }
}

// HOST=$(provisionctl preview open 42 --wait)
static void the_host_of_a_preview_is_all_that_a_script_reads(void **state)
{
    Stage *stage = *state;
    Process open CLEANUP(process_clear);
    ctl_start(stage, &open, ARGUMENTS("preview", "open", "42", "-a", "shop", "--wait"));
    Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    stage_begin(stage);
    stage_event_form(stage, "shop", command->command_id,
                     "'environmentBranched': {'environment': {'environment': 'pr:42', 'host': "
                     "'ep-42.test'}, 'created': true}");
    stage_commit(stage);
    process_finish(&open);
    ctl_assert_exit(&open, EXIT_CODE_OK);
    assert_string_equal(open.out, "ep-42.test\n");
    Process refused CLEANUP(process_clear);
    ctl_start(stage, &refused, ARGUMENTS("preview", "open", "43", "-a", "shop", "--wait"));
    Command *second CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    stage_begin(stage);
    stage_event(stage, "shop", second->command_id, stage_rejected("PREVIEW_BASE_MISSING"));
    stage_commit(stage);
    process_finish(&refused);
    ctl_assert_exit(&refused, EXIT_CODE_REJECTED);
    assert_non_null(strstr(refused.out, "PREVIEW_BASE_MISSING"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_action_has_its_options),
        cmocka_unit_test(times_may_be_told_from_now),
        cmocka_unit_test(what_is_missing_or_wrong_is_told_before_it_is_sent),
        cmocka_unit_test(the_host_of_a_preview_is_all_that_a_script_reads),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
