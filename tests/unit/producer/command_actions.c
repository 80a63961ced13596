// What the constructors make of what a caller says, in the JSON form, which is the contract's.
#include "lib/command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "unit.h"

static void free_json(json_t **json)
{
    json_decref(*json);
}

static void free_text(char **text)
{
    free(*text);
}

// Takes the command over. `expected`: the member of the action, single quotes for double ones.
static void assert_form(ProvisionCommand *made, const char *member, const char *expected)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = made;
    assert_non_null(command);
    char *form CLEANUP(free_text) = provision_command_json(command);
    json_t *json CLEANUP(free_json) = json_loads(form, 0, NULL);
    assert_non_null(json_object_get(json, member));
    char *action CLEANUP(free_text) =
        json_dumps(json_object_get(json, member), JSON_COMPACT | JSON_SORT_KEYS);
    for (char *c = action; *c != '\0'; c++) {
        *c = (char)(*c == '"' ? '\'' : *c);
    }
    assert_string_equal(action, expected);
    // and back
    ProvisionCommand *again CLEANUP(draft_free_at) = provision_command_from_json(form, NULL);
    assert_non_null(again);
}

static void assert_refused(const ProvisionCommand *command, const ProvisionError *error,
                           const char *code, const char *field)
{
    assert_null(command);
    assert_string_equal(error->code, code);
    assert_string_equal(error->field, field);
}

static void an_account_is_disconnected_by_its_name(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionDisconnectAccount spec = {.account = "main"};
    assert_form(provision_disconnect_account("shop", &spec, NULL), "disconnectAccount",
                "{'account':'main'}");
    spec.account = NULL;
    assert_refused(provision_disconnect_account("shop", &spec, &error), &error, "FIELD_REQUIRED",
                   "disconnect_account.account");
}

static void an_account_is_looked_through(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionDiscoverAccount spec = {.account = "main", .project_filter = "shop"};
    assert_form(provision_discover_account("shop", &spec, NULL), "discoverAccount",
                "{'account':'main','projectFilter':'shop'}");
    spec.account = NULL;
    assert_refused(provision_discover_account("shop", &spec, &error), &error, "FIELD_REQUIRED",
                   "discover_account.account");
}

static void an_import_names_a_branch(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionImportEnvironment spec = {.environment = "theirs",
                                       .account = "main",
                                       .project_id = "cool-sun-1",
                                       .branch = "main",
                                       .create_endpoint = true,
                                       .shared = true};
    assert_form(provision_import_environment("shop", &spec, NULL), "importEnvironment",
                "{'branch':{'account':'main','branch':'main','projectId':'cool-sun-1'},"
                "'createEndpoint':true,'environment':'theirs','shared':true}");
    spec.branch = NULL;
    assert_refused(provision_import_environment("shop", &spec, &error), &error, "FIELD_REQUIRED",
                   "import_environment.branch.branch");
}

static void a_branch_starts_at_a_point_and_ends_at_a_time(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionBranchEnvironment spec = {.environment = "then",
                                       .source_environment = "live",
                                       .point_in_time_ms = 1795334820250,
                                       .schema_only = true,
                                       .expires_at_ms = 1795421220000};
    assert_form(provision_branch_environment("shop", &spec, NULL), "branchEnvironment",
                "{'environment':'then','expiresAt':'2026-11-23T08:07:00.000Z','pointInTime':"
                "'2026-11-22T08:07:00.250Z','schemaOnly':true,'sourceEnvironment':'live'}");
    spec.lsn = "0/1A2B3C4D";
    assert_refused(provision_branch_environment("shop", &spec, &error), &error, "INVALID_VALUE",
                   "branch_environment.point");
    spec = (ProvisionBranchEnvironment){
        .environment = "then", .source_environment = "live", .lsn = "0/1A2B3C4D"};
    assert_form(provision_branch_environment("shop", &spec, NULL), "branchEnvironment",
                "{'environment':'then','lsn':'0/1A2B3C4D','sourceEnvironment':'live'}");
    spec.lsn = "yesterday";
    assert_refused(provision_branch_environment("shop", &spec, &error), &error, "INVALID_VALUE",
                   "branch_environment.lsn");
}

static void a_project_is_edited_or_looked_at_again(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionEditProject spec = {.environment = "live", .has_history_retention = true};
    assert_form(provision_edit_project("shop", &spec, NULL), "editProject",
                "{'environment':'live','historyRetentionSeconds':'0'}");
    spec.refresh = true;
    assert_refused(provision_edit_project("shop", &spec, &error), &error, "INVALID_VALUE",
                   "edit_project.refresh");
    spec.has_history_retention = false;
    assert_form(provision_edit_project("shop", &spec, NULL), "editProject",
                "{'environment':'live','refresh':true}");
    spec.refresh = false;
    assert_refused(provision_edit_project("shop", &spec, &error), &error, "FIELD_REQUIRED",
                   "edit_project.history_retention_seconds");
}

static void the_mask_names_exactly_what_is_set(void **state)
{
    (void)state;
    static const struct {
        ProvisionEditEndpoint spec;
        const char *form;
    } CASES[] = {
        {{.has_min_cu = true, .min_cu = 0.25, .max_cu = 2},
         "{'endpoint':{'autoscalingLimitMinCu':0.25},'environment':'live','updateMask':"
         "'autoscalingLimitMinCu'}"},
        {{.has_max_cu = true, .max_cu = 2},
         "{'endpoint':{'autoscalingLimitMaxCu':2.0},'environment':'live','updateMask':"
         "'autoscalingLimitMaxCu'}"},
        {{.has_suspend_timeout = true},
         "{'endpoint':{'suspendTimeoutSeconds':'0'},'environment':'live','updateMask':"
         "'suspendTimeoutSeconds'}"},
        {{.has_min_cu = true,
          .has_max_cu = true,
          .has_suspend_timeout = true,
          .min_cu = 1,
          .max_cu = 2,
          .suspend_timeout_seconds = -1},
         "{'endpoint':{'autoscalingLimitMaxCu':2.0,'autoscalingLimitMinCu':1.0,"
         "'suspendTimeoutSeconds':'-1'},'environment':'live','updateMask':"
         "'autoscalingLimitMinCu,autoscalingLimitMaxCu,suspendTimeoutSeconds'}"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        ProvisionEditEndpoint spec = CASES[i].spec;
        spec.environment = "live";
        assert_form(provision_edit_endpoint("shop", &spec, NULL), "editEndpoint", CASES[i].form);
    }
}

static void an_endpoint_takes_what_neon_takes(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionEditEndpoint spec = {.environment = "live", .min_cu = 1};
    assert_refused(provision_edit_endpoint("shop", &spec, &error), &error, "FIELD_REQUIRED",
                   "edit_endpoint.endpoint");
    spec = (ProvisionEditEndpoint){
        .environment = "live", .has_min_cu = true, .has_max_cu = true, .min_cu = 2, .max_cu = 1};
    assert_null(provision_edit_endpoint("shop", &spec, &error));
    assert_string_equal(error.code, "INVALID_VALUE");
    spec = (ProvisionEditEndpoint){
        .environment = "live", .has_suspend_timeout = true, .suspend_timeout_seconds = 59};
    assert_refused(provision_edit_endpoint("shop", &spec, &error), &error, "INVALID_VALUE",
                   "edit_endpoint.endpoint.suspend_timeout_seconds");
}

static void a_preview_is_opened_for_a_pull_request(void **state)
{
    (void)state;
    static const ProvisionService SERVICES[] = {{"orders", NULL, 0}};
    ProvisionError error;
    ProvisionOpenPreview spec = {.pull_request = 42};
    assert_form(provision_open_preview("shop", &spec, NULL), "openPreview", "{'pullRequest':42}");
    spec = (ProvisionOpenPreview){.pull_request = 42,
                                  .repository = "acme/shop",
                                  .git_ref = "refs/pull/42/head",
                                  .git_sha = "f00d",
                                  .expires_in_seconds = 259200,
                                  .reset = true,
                                  .services = SERVICES,
                                  .service_count = 1};
    assert_form(provision_open_preview("shop", &spec, NULL), "openPreview",
                "{'expiresIn':'259200s','gitRef':'refs/pull/42/head','gitSha':'f00d',"
                "'pullRequest':42,'repository':'acme/shop','reset':true,'services':[{'name':"
                "'orders'}]}");
    spec.expires_in_seconds = 30 * 86400 + 1;
    assert_refused(provision_open_preview("shop", &spec, &error), &error, "INVALID_VALUE",
                   "open_preview.expires_in");
    spec = (ProvisionOpenPreview){.pull_request = 0};
    assert_refused(provision_open_preview("shop", &spec, &error), &error, "INVALID_VALUE",
                   "open_preview.pull_request");
}

static void a_preview_is_closed_by_its_number(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionClosePreview spec = {.pull_request = 42, .repository = "acme/shop"};
    assert_form(provision_close_preview("shop", &spec, NULL), "closePreview",
                "{'pullRequest':42,'repository':'acme/shop'}");
    spec.pull_request = -1;
    assert_refused(provision_close_preview("shop", &spec, &error), &error, "INVALID_VALUE",
                   "close_preview.pull_request");
}

static void what_was_left_is_swept_and_deleted_by_its_ids(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionSweepAccount sweep = {.account = "main", .delete_orphans = true};
    assert_form(provision_sweep_account("shop", &sweep, NULL), "sweepAccount",
                "{'account':'main','deleteOrphans':true}");
    sweep.account = NULL;
    assert_refused(provision_sweep_account("shop", &sweep, &error), &error, "FIELD_REQUIRED",
                   "sweep_account.account");
    ProvisionDeleteOrphan orphan = {.environment = "pr:7",
                                    .account = "main",
                                    .project_id = "cool-sun-1",
                                    .branch_id = "br-cool-sun-1",
                                    .command_id = "5d1c6b7e-0000-4000-8000-000000000001"};
    assert_form(provision_delete_orphan("shop", &orphan, NULL), "deleteOrphan",
                "{'account':'main','branchId':'br-cool-sun-1','commandId':'5d1c6b7e-0000-4000-8000-"
                "000000000001','environment':'pr:7','projectId':'cool-sun-1'}");
    orphan.neon_account_id = "neon-1";
    orphan.org_id = "org-1";
    assert_form(provision_delete_orphan("shop", &orphan, NULL), "deleteOrphan",
                "{'account':'main','branchId':'br-cool-sun-1','commandId':'5d1c6b7e-0000-4000-8000-"
                "000000000001','environment':'pr:7','neonAccountId':'neon-1','orgId':'org-1',"
                "'projectId':'cool-sun-1'}");
    orphan.branch_id = "../x";
    assert_refused(provision_delete_orphan("shop", &orphan, &error), &error, "INVALID_NAME",
                   "delete_orphan.branch_id");
}

static void what_has_expired_goes_only_then(void **state)
{
    (void)state;
    ProvisionClosePreview close = {.pull_request = 42, .if_expired = true};
    assert_form(provision_close_preview("shop", &close, NULL), "closePreview",
                "{'ifExpired':true,'pullRequest':42}");
    ProvisionDeleteEnvironment deletion = {.environment = "try", .if_expired = true};
    assert_form(provision_delete_environment("shop", &deletion, NULL), "deleteEnvironment",
                "{'environment':'try','ifExpired':true}");
}

static void a_base_and_a_reset_name_their_environment(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionSetPreviewBase base = {.environment = "live"};
    assert_form(provision_set_preview_base("shop", &base, NULL), "setPreviewBase",
                "{'environment':'live'}");
    ProvisionResetEnvironment reset = {.environment = "try", .preserve_under_name = "old try"};
    assert_form(provision_reset_environment("shop", &reset, NULL), "resetEnvironment",
                "{'environment':'try','preserveUnderName':'old try'}");
    reset = (ProvisionResetEnvironment){.environment = NULL};
    assert_refused(provision_reset_environment("shop", &reset, &error), &error, "FIELD_REQUIRED",
                   "reset_environment.environment");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_disconnected_by_its_name),
        cmocka_unit_test(an_account_is_looked_through),
        cmocka_unit_test(an_import_names_a_branch),
        cmocka_unit_test(a_branch_starts_at_a_point_and_ends_at_a_time),
        cmocka_unit_test(a_project_is_edited_or_looked_at_again),
        cmocka_unit_test(the_mask_names_exactly_what_is_set),
        cmocka_unit_test(an_endpoint_takes_what_neon_takes),
        cmocka_unit_test(a_preview_is_opened_for_a_pull_request),
        cmocka_unit_test(a_preview_is_closed_by_its_number),
        cmocka_unit_test(a_base_and_a_reset_name_their_environment),
        cmocka_unit_test(what_was_left_is_swept_and_deleted_by_its_ids),
        cmocka_unit_test(what_has_expired_goes_only_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
