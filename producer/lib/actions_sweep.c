#include <provision/command.h>

#include "base/attr.h"
#include "contract/allocator.h"
#include "lib/command.h"

ProvisionCommand *provision_sweep_account(const char *application_id,
                                          const ProvisionSweepAccount *spec, ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__SweepAccount *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__sweep_account__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_SWEEP_ACCOUNT;
    command->message->sweep_account = action;
    draft_set_text(&action->account, spec->account);
    action->delete_orphans = spec->delete_orphans;
    return draft_finish(&command, err);
}

ProvisionCommand *provision_delete_orphan(const char *application_id,
                                          const ProvisionDeleteOrphan *spec, ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__DeleteOrphan *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__delete_orphan__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_DELETE_ORPHAN;
    command->message->delete_orphan = action;
    draft_set_text(&action->environment, spec->environment);
    draft_set_text(&action->account, spec->account);
    draft_set_text(&action->project_id, spec->project_id);
    draft_set_text(&action->branch_id, spec->branch_id);
    draft_set_text(&action->command_id, spec->command_id);
    draft_set_text(&action->neon_account_id, spec->neon_account_id);
    draft_set_text(&action->org_id, spec->org_id);
    return draft_finish(&command, err);
}
