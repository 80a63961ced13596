// Commands that change the settings of what is there.
#include <string.h>

#include "base/attr.h"
#include "contract/allocator.h"
#include "lib/command.h"
#include "lib/fault.h"
#include "lib/values.h"

enum { ENDPOINT_SETTINGS = 3 };

ProvisionCommand *provision_edit_project(const char *application_id,
                                         const ProvisionEditProject *spec, ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__EditProject *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__edit_project__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_EDIT_PROJECT;
    command->message->edit_project = action;
    draft_set_text(&action->environment, spec->environment);
    if (spec->has_history_retention) {
        action->history_retention_seconds = values_int64(spec->history_retention_seconds);
    }
    action->refresh = spec->refresh;
    return draft_finish(&command, err);
}

static void name_setting(Google__Protobuf__FieldMask *mask, const char *path)
{
    mask->paths[mask->n_paths++] = allocator_copy(path, strlen(path));
}

// The mask names exactly what is set.
static void set_endpoint(Provisioning__V1__EditEndpoint *action, const ProvisionEditEndpoint *spec)
{
    Google__Protobuf__FieldMask *mask = allocator_zeroed(sizeof(*mask));
    google__protobuf__field_mask__init(mask);
    mask->paths = allocator_zeroed(ENDPOINT_SETTINGS * sizeof(*mask->paths));
    Provisioning__V1__EndpointSettings *endpoint = allocator_zeroed(sizeof(*endpoint));
    provisioning__v1__endpoint_settings__init(endpoint);
    if (spec->has_min_cu) {
        name_setting(mask, "autoscaling_limit_min_cu");
        endpoint->autoscaling_limit_min_cu = values_double(spec->min_cu);
    }
    if (spec->has_max_cu) {
        name_setting(mask, "autoscaling_limit_max_cu");
        endpoint->autoscaling_limit_max_cu = values_double(spec->max_cu);
    }
    if (spec->has_suspend_timeout) {
        name_setting(mask, "suspend_timeout_seconds");
        endpoint->suspend_timeout_seconds = values_int64(spec->suspend_timeout_seconds);
    }
    action->update_mask = mask;
    action->endpoint = endpoint;
}

ProvisionCommand *provision_edit_endpoint(const char *application_id,
                                          const ProvisionEditEndpoint *spec, ProvisionError *err)
{
    if (!spec->has_min_cu && !spec->has_max_cu && !spec->has_suspend_timeout) {
        (void)fault_set_field(err, "FIELD_REQUIRED", "edit_endpoint.endpoint",
                              "give at least one of the endpoint's settings");
        return NULL;
    }
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__EditEndpoint *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__edit_endpoint__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_EDIT_ENDPOINT;
    command->message->edit_endpoint = action;
    draft_set_text(&action->environment, spec->environment);
    set_endpoint(action, spec);
    return draft_finish(&command, err);
}
