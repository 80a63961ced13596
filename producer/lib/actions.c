#include <string.h>

#include "base/attr.h"
#include "contract/allocator.h"
#include "lib/command.h"
#include "lib/fault.h"
#include "lib/services.h"

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static Google__Protobuf__DoubleValue *double_value(double value)
{
    Google__Protobuf__DoubleValue *wrapped = allocator_zeroed(sizeof(*wrapped));
    google__protobuf__double_value__init(wrapped);
    wrapped->value = value;
    return wrapped;
}

static Google__Protobuf__Int64Value *int64_value(int64_t value)
{
    Google__Protobuf__Int64Value *wrapped = allocator_zeroed(sizeof(*wrapped));
    google__protobuf__int64_value__init(wrapped);
    wrapped->value = value;
    return wrapped;
}

// NULL where everything is Neon's default.
static Provisioning__V1__EndpointSettings *endpoint_settings(const ProvisionEndpoint *endpoint)
{
    if (endpoint->min_cu == 0 && endpoint->max_cu == 0 && endpoint->suspend_timeout_seconds == 0) {
        return NULL;
    }
    Provisioning__V1__EndpointSettings *settings = allocator_zeroed(sizeof(*settings));
    provisioning__v1__endpoint_settings__init(settings);
    if (endpoint->min_cu != 0) {
        settings->autoscaling_limit_min_cu = double_value(endpoint->min_cu);
    }
    if (endpoint->max_cu != 0) {
        settings->autoscaling_limit_max_cu = double_value(endpoint->max_cu);
    }
    if (endpoint->suspend_timeout_seconds != 0) {
        settings->suspend_timeout_seconds = int64_value(endpoint->suspend_timeout_seconds);
    }
    return settings;
}

static bool set_key(ProvisionCommand *command, const ProvisionConnectAccount *spec,
                    ProvisionError *err)
{
    Provisioning__V1__ConnectAccount *action = command->message->connect_account;
    if (is_given(spec->api_key) == is_given(spec->reference)) {
        return fault_set_field(err, "FIELD_REQUIRED", "connect_account.api_key",
                               "give either an API key or a reference to one");
    }
    if (is_given(spec->reference)) {
        action->api_key_case = PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_REFERENCE;
        action->reference = allocator_copy(spec->reference, strlen(spec->reference));
        return true;
    }
    if (spec->fleet_public_key == NULL) {
        return fault_set_field(err, "FIELD_REQUIRED", "connect_account.sealed",
                               "give the fleet's public key, which the API key is sealed for");
    }
    return provision_command_set_api_key(command, spec->api_key, spec->fleet_public_key, err);
}

ProvisionCommand *provision_connect_account(const char *application_id,
                                            const ProvisionConnectAccount *spec,
                                            ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__ConnectAccount *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__connect_account__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT;
    command->message->connect_account = action;
    draft_set_text(&action->account, spec->account);
    draft_set_text(&action->org_id, spec->org_id);
    if (!set_key(command, spec, err)) {
        return NULL;
    }
    return draft_finish(&command, err);
}

ProvisionCommand *provision_create_environment(const char *application_id,
                                               const ProvisionCreateEnvironment *spec,
                                               ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__CreateEnvironment *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__create_environment__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT;
    command->message->create_environment = action;
    draft_set_text(&action->environment, spec->environment);
    draft_set_text(&action->account, spec->account);
    draft_set_text(&action->region_id, spec->region_id);
    draft_set_text(&action->project_name, spec->project_name);
    draft_set_text(&action->branch_name, spec->branch_name);
    action->pg_version = spec->pg_version;
    action->databases = services_names(spec->databases, spec->database_count);
    action->n_databases = spec->database_count;
    if (spec->has_history_retention) {
        action->history_retention_seconds = int64_value(spec->history_retention_seconds);
    }
    action->endpoint = endpoint_settings(&spec->endpoint);
    action->services = services_new(spec->services, spec->service_count);
    action->n_services = spec->service_count;
    return draft_finish(&command, err);
}

static bool set_source(Provisioning__V1__BranchEnvironment *action,
                       const ProvisionBranchEnvironment *spec, ProvisionError *err)
{
    bool from_branch = is_given(spec->source_account) || is_given(spec->source_project_id) ||
                       is_given(spec->source_branch);
    if (from_branch == is_given(spec->source_environment)) {
        return fault_set_field(err, "FIELD_REQUIRED", "branch_environment.source",
                               "give either a source environment or a source account, project and "
                               "branch");
    }
    if (!from_branch) {
        action->source_case = PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_ENVIRONMENT;
        action->source_environment =
            allocator_copy(spec->source_environment, strlen(spec->source_environment));
        return true;
    }
    Provisioning__V1__BranchReference *source = allocator_zeroed(sizeof(*source));
    provisioning__v1__branch_reference__init(source);
    draft_set_text(&source->account, spec->source_account);
    draft_set_text(&source->project_id, spec->source_project_id);
    draft_set_text(&source->branch, spec->source_branch);
    action->source_case = PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_BRANCH;
    action->source_branch = source;
    return true;
}

ProvisionCommand *provision_branch_environment(const char *application_id,
                                               const ProvisionBranchEnvironment *spec,
                                               ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__BranchEnvironment *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__branch_environment__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_BRANCH_ENVIRONMENT;
    command->message->branch_environment = action;
    draft_set_text(&action->environment, spec->environment);
    draft_set_text(&action->branch_name, spec->branch_name);
    action->endpoint = endpoint_settings(&spec->endpoint);
    action->services = services_new(spec->services, spec->service_count);
    action->n_services = spec->service_count;
    if (!set_source(action, spec, err)) {
        return NULL;
    }
    return draft_finish(&command, err);
}

ProvisionCommand *provision_delete_environment(const char *application_id,
                                               const ProvisionDeleteEnvironment *spec,
                                               ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__DeleteEnvironment *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__delete_environment__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_DELETE_ENVIRONMENT;
    command->message->delete_environment = action;
    draft_set_text(&action->environment, spec->environment);
    action->delete_data = spec->delete_data;
    return draft_finish(&command, err);
}

ProvisionCommand *provision_cancel_command(const char *application_id,
                                           const ProvisionCancelCommand *spec, ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__CancelCommand *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__cancel_command__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_CANCEL_COMMAND;
    command->message->cancel_command = action;
    draft_set_text(&action->command_id, spec->command_id);
    return draft_finish(&command, err);
}
