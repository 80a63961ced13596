#include <string.h>

#include "base/attr.h"
#include "contract/allocator.h"
#include "lib/command.h"
#include "lib/fault.h"
#include "lib/services.h"
#include "lib/values.h"

static char *copy_of(const char *text)
{
    return allocator_copy(text, strlen(text));
}

static Provisioning__V1__RolesPolicy policy_of(ProvisionRolesPolicy policy)
{
    switch (policy) {
    case PROVISION_ROLES_POLICY_AUTHORITATIVE:
        return PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_AUTHORITATIVE;
    case PROVISION_ROLES_POLICY_ADDITIVE:
        return PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_ADDITIVE;
    case PROVISION_ROLES_POLICY_KEEP:
    default:
        return PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_UNSPECIFIED;
    }
}

ProvisionCommand *provision_setup_roles(const char *application_id, const ProvisionSetupRoles *spec,
                                        ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__SetupRoles *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__setup_roles__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_SETUP_ROLES;
    command->message->setup_roles = action;
    draft_set_text(&action->environment, spec->environment);
    action->databases = services_names(spec->databases, spec->database_count);
    action->n_databases = spec->database_count;
    action->services = services_new(spec->services, spec->service_count);
    action->n_services = spec->service_count;
    action->mode = spec->mode == PROVISION_ROLES_PLAN
                       ? PROVISIONING__V1__ROLES_MODE__ROLES_MODE_PLAN
                       : PROVISIONING__V1__ROLES_MODE__ROLES_MODE_APPLY;
    action->policy = policy_of(spec->policy);
    action->adopt = spec->adopt;
    return draft_finish(&command, err);
}

static bool set_rotated(Provisioning__V1__RotateCredentials *action,
                        const ProvisionRotateCredentials *spec, ProvisionError *err)
{
    if (values_is_given(spec->role) + values_is_given(spec->service) + spec->all != 1) {
        return fault_set_field(err, "FIELD_REQUIRED", "rotate_credentials.target",
                               "give one of role, service and all");
    }
    if (values_is_given(spec->role)) {
        action->target_case = PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_ROLE;
        action->role = copy_of(spec->role);
    } else if (values_is_given(spec->service)) {
        action->target_case = PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_SERVICE;
        action->service = copy_of(spec->service);
    } else {
        action->target_case = PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_ALL;
        action->all = true;
    }
    return true;
}

ProvisionCommand *provision_rotate_credentials(const char *application_id,
                                               const ProvisionRotateCredentials *spec,
                                               ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__RotateCredentials *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__rotate_credentials__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_ROTATE_CREDENTIALS;
    command->message->rotate_credentials = action;
    draft_set_text(&action->environment, spec->environment);
    return set_rotated(action, spec, err) ? draft_finish(&command, err) : NULL;
}

static bool set_revealed(Provisioning__V1__RevealCredentials *action,
                         const ProvisionRevealCredentials *spec, ProvisionError *err)
{
    if (values_is_given(spec->role) && values_is_given(spec->service)) {
        return fault_set_field(err, "INVALID_VALUE", "reveal_credentials.target",
                               "give a role or a service, not both");
    }
    if (values_is_given(spec->role)) {
        action->target_case = PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_ROLE;
        action->role = copy_of(spec->role);
    } else if (values_is_given(spec->service)) {
        action->target_case = PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_SERVICE;
        action->service = copy_of(spec->service);
    }
    return true;
}

ProvisionCommand *provision_reveal_credentials(const char *application_id,
                                               const ProvisionRevealCredentials *spec,
                                               ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__RevealCredentials *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__reveal_credentials__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_REVEAL_CREDENTIALS;
    command->message->reveal_credentials = action;
    draft_set_text(&action->environment, spec->environment);
    if (spec->reply_public_key != NULL) {
        action->reply_public_key.data = allocator_copy(spec->reply_public_key, PROVISION_KEY_BYTES);
        action->reply_public_key.len = PROVISION_KEY_BYTES;
    }
    return set_revealed(action, spec, err) ? draft_finish(&command, err) : NULL;
}
