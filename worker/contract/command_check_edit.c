#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "contract/command_parts.h"

#define PROJECT "edit_project."
#define ENDPOINT "edit_endpoint."

bool command_check_edit_project(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__EditProject *action = message->edit_project;
    const char *field = PROJECT "history_retention_seconds";
    if (!command_check_any_environment(action->environment, PROJECT "environment", err)) {
        return false;
    }
    if (action->refresh && action->history_retention_seconds != NULL) {
        return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", PROJECT "refresh",
                               PROJECT "refresh changes nothing: leave it out, or %s", field);
    }
    if (!action->refresh && action->history_retention_seconds == NULL) {
        return error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", field, "%s is missing: set it",
                               field);
    }
    return command_check_retention(action->history_retention_seconds, field, err);
}

static bool is_in_mask(const Google__Protobuf__FieldMask *mask, const char *path)
{
    for (size_t i = 0; mask != NULL && i < mask->n_paths; i++) {
        if (strcmp(mask->paths[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_field(const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(
               &provisioning__v1__endpoint_settings__descriptor, name) != NULL;
}

// Each is one of the endpoint's settings.
static bool check_paths(const Google__Protobuf__FieldMask *mask, Error *err)
{
    if (mask == NULL || mask->n_paths == 0) {
        return error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", ENDPOINT "update_mask",
                               ENDPOINT "update_mask is missing: name the settings that change");
    }
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (!has_field(mask->paths[i])) {
            return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", ENDPOINT "update_mask",
                                   ENDPOINT "update_mask: %.64s is none of "
                                            "autoscaling_limit_min_cu, autoscaling_limit_max_cu, "
                                            "suspend_timeout_seconds",
                                   mask->paths[i]);
        }
    }
    return true;
}

// What is named is set, and what is set is named: nothing is dropped, and nothing reset, by
// mistake.
static bool check_named(const Google__Protobuf__FieldMask *mask, const char *name, bool is_set,
                        Error *err)
{
    if (is_in_mask(mask, name) == is_set) {
        return true;
    }
    Text field CLEANUP(text_clear) = TEXT_INIT(128);
    text_printf(&field, ENDPOINT "endpoint.%s", name);
    return is_set ? error_set_field(err, ERROR_INVALID, "INVALID_VALUE", text_get(&field),
                                    "%s is not in update_mask: name it there, or leave it out",
                                    text_get(&field))
                  : error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", text_get(&field),
                                    "update_mask names %s: set it", text_get(&field));
}

bool command_check_edit_endpoint(const Provisioning__V1__Command *message, Error *err)
{
    static const Provisioning__V1__EndpointSettings NOTHING =
        PROVISIONING__V1__ENDPOINT_SETTINGS__INIT;
    const Provisioning__V1__EditEndpoint *action = message->edit_endpoint;
    const Provisioning__V1__EndpointSettings *endpoint =
        action->endpoint != NULL ? action->endpoint : &NOTHING;
    const Google__Protobuf__FieldMask *mask = action->update_mask;
    return command_check_any_environment(action->environment, ENDPOINT "environment", err) &&
           check_paths(mask, err) &&
           check_named(mask, "autoscaling_limit_min_cu", endpoint->autoscaling_limit_min_cu != NULL,
                       err) &&
           check_named(mask, "autoscaling_limit_max_cu", endpoint->autoscaling_limit_max_cu != NULL,
                       err) &&
           check_named(mask, "suspend_timeout_seconds", endpoint->suspend_timeout_seconds != NULL,
                       err) &&
           command_check_endpoint(endpoint, ENDPOINT "endpoint", err);
}
