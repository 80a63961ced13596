#include <string.h>

#include "base/uuid.h"
#include "contract/command_parts.h"

enum { NEON_ACCOUNT_ID_MAX = 127 };

static bool check_id(const char *id, const char *field, Error *err)
{
    return command_check_required(id, field, err) && name_check_neon_id(id, field, err);
}

// Whose key has seen it; an account's id is as Neon says it.
static bool check_reach(const Provisioning__V1__DeleteOrphan *action, Error *err)
{
    const char *field = "delete_orphan.neon_account_id";
    if (strlen(action->neon_account_id) > NEON_ACCOUNT_ID_MAX) {
        return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", field,
                               "%s has at most %d bytes", field, NEON_ACCOUNT_ID_MAX);
    }
    return action->org_id[0] == '\0' ||
           name_check_neon_id(action->org_id, "delete_orphan.org_id", err);
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
           check_reach(action, err) && command_check_required(action->command_id, field, err) &&
           (uuid_is_valid(action->command_id) ||
            error_set_field(err, ERROR_INVALID, "INVALID_VALUE", field,
                            "%s must be a UUID, other than the nil one", field));
}
