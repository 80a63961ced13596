// Commands that make an environment out of a branch, or bring its branch to another state.
#include <string.h>

#include "base/attr.h"
#include "contract/allocator.h"
#include "lib/command.h"
#include "lib/fault.h"
#include "lib/services.h"
#include "lib/values.h"

static Provisioning__V1__BranchReference *reference_new(const char *account, const char *project_id,
                                                        const char *branch)
{
    Provisioning__V1__BranchReference *reference = allocator_zeroed(sizeof(*reference));
    provisioning__v1__branch_reference__init(reference);
    draft_set_text(&reference->account, account);
    draft_set_text(&reference->project_id, project_id);
    draft_set_text(&reference->branch, branch);
    return reference;
}

static bool set_source(Provisioning__V1__BranchEnvironment *action,
                       const ProvisionBranchEnvironment *spec, ProvisionError *err)
{
    bool from_branch = values_is_given(spec->source_account) ||
                       values_is_given(spec->source_project_id) ||
                       values_is_given(spec->source_branch);
    if (from_branch == values_is_given(spec->source_environment)) {
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
    action->source_case = PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_BRANCH;
    action->source_branch =
        reference_new(spec->source_account, spec->source_project_id, spec->source_branch);
    return true;
}

static bool set_point(Provisioning__V1__BranchEnvironment *action,
                      const ProvisionBranchEnvironment *spec, ProvisionError *err)
{
    if (spec->point_in_time_ms != 0 && values_is_given(spec->lsn)) {
        return fault_set_field(err, "INVALID_VALUE", "branch_environment.point",
                               "give a point in time or a position in the WAL, not both");
    }
    if (spec->point_in_time_ms != 0) {
        action->point_case = PROVISIONING__V1__BRANCH_ENVIRONMENT__POINT_POINT_IN_TIME;
        action->point_in_time = values_instant(spec->point_in_time_ms);
    } else if (values_is_given(spec->lsn)) {
        action->point_case = PROVISIONING__V1__BRANCH_ENVIRONMENT__POINT_LSN;
        action->lsn = allocator_copy(spec->lsn, strlen(spec->lsn));
    }
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
    action->endpoint = values_endpoint(&spec->endpoint);
    action->services = services_new(spec->services, spec->service_count);
    action->n_services = spec->service_count;
    action->schema_only = spec->schema_only;
    if (spec->expires_at_ms != 0) {
        action->expires_at = values_instant(spec->expires_at_ms);
    }
    if (!set_source(action, spec, err) || !set_point(action, spec, err)) {
        return NULL;
    }
    return draft_finish(&command, err);
}

ProvisionCommand *provision_import_environment(const char *application_id,
                                               const ProvisionImportEnvironment *spec,
                                               ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__ImportEnvironment *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__import_environment__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_IMPORT_ENVIRONMENT;
    command->message->import_environment = action;
    draft_set_text(&action->environment, spec->environment);
    action->branch = reference_new(spec->account, spec->project_id, spec->branch);
    action->create_endpoint = spec->create_endpoint;
    action->shared = spec->shared;
    return draft_finish(&command, err);
}

ProvisionCommand *provision_reset_environment(const char *application_id,
                                              const ProvisionResetEnvironment *spec,
                                              ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__ResetEnvironment *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__reset_environment__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_RESET_ENVIRONMENT;
    command->message->reset_environment = action;
    draft_set_text(&action->environment, spec->environment);
    draft_set_text(&action->preserve_under_name, spec->preserve_under_name);
    return draft_finish(&command, err);
}
