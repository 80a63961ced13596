#include <string.h>

#include "base/attr.h"
#include "contract/allocator.h"
#include "lib/command.h"
#include "lib/fault.h"
#include "lib/services.h"
#include "lib/values.h"

static bool set_key(ProvisionCommand *command, const ProvisionConnectAccount *spec,
                    ProvisionError *err)
{
    Provisioning__V1__ConnectAccount *action = command->message->connect_account;
    if (values_is_given(spec->api_key) == values_is_given(spec->reference)) {
        return fault_set_field(err, "FIELD_REQUIRED", "connect_account.api_key",
                               "give either an API key or a reference to one");
    }
    if (values_is_given(spec->reference)) {
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
        action->history_retention_seconds = values_int64(spec->history_retention_seconds);
    }
    action->endpoint = values_endpoint(&spec->endpoint);
    action->services = services_new(spec->services, spec->service_count);
    action->n_services = spec->service_count;
    return draft_finish(&command, err);
}

ProvisionCommand *provision_disconnect_account(const char *application_id,
                                               const ProvisionDisconnectAccount *spec,
                                               ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__DisconnectAccount *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__disconnect_account__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_DISCONNECT_ACCOUNT;
    command->message->disconnect_account = action;
    draft_set_text(&action->account, spec->account);
    return draft_finish(&command, err);
}

ProvisionCommand *provision_discover_account(const char *application_id,
                                             const ProvisionDiscoverAccount *spec,
                                             ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__DiscoverAccount *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__discover_account__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_DISCOVER_ACCOUNT;
    command->message->discover_account = action;
    draft_set_text(&action->account, spec->account);
    draft_set_text(&action->project_filter, spec->project_filter);
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
    action->if_expired = spec->if_expired;
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
