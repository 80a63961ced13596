#include "base/uuid.h"
#include "contract/command_parts.h"

static bool check_id(const char *id, const char *field, Error *err)
{
    return command_check_required(id, field, err) && name_check_neon_id(id, field, err);
}

bool command_check_sweep(const Provisioning__V1__Command *message, Error *err)
{
    return command_check_account(message->sweep_account->account, "sweep_account.account", err);
}

bool command_check_orphan(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__DeleteOrphan *action = message->delete_orphan;
    const char *field = "delete_orphan.command_id";
    return command_check_any_environment(action->environment, "delete_orphan.environment", err) &&
           command_check_account(action->account, "delete_orphan.account", err) &&
           check_id(action->project_id, "delete_orphan.project_id", err) &&
           check_id(action->branch_id, "delete_orphan.branch_id", err) &&
           command_check_required(action->command_id, field, err) &&
           (uuid_is_valid(action->command_id) ||
            error_set_field(err, ERROR_INVALID, "INVALID_VALUE", field,
                            "%s must be a UUID, other than the nil one", field));
}
