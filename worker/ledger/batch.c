#include <string.h>

#include "ledger/ledger.h"

void ledger_batch_clear(LedgerBatch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t p = 0; p < batch->statements[i].param_count; p++) {
            text_clear(&batch->statements[i].params[p]);
        }
    }
    *batch = (LedgerBatch){.count = 0};
}

const char *ledger_state_name(LedgerState state)
{
    static const char *const NAMES[] = {
        [LEDGER_STATE_NONE] = "none",     [LEDGER_STATE_CREATING] = "creating",
        [LEDGER_STATE_READY] = "ready",   [LEDGER_STATE_DELETING] = "deleting",
        [LEDGER_STATE_FAILED] = "failed", [LEDGER_STATE_GONE] = "gone",
    };
    return NAMES[state];
}

void ledger_environment_clear(LedgerEnvironment *environment)
{
    json_decref(environment->details);
    *environment = (LedgerEnvironment){.state = LEDGER_STATE_NONE};
}

void ledger_account_clear(LedgerAccount *account)
{
    buffer_clear(&account->sealed_key);
    *account = (LedgerAccount){.found = false};
}

void ledger_intent_clear(LedgerIntent *intent)
{
    json_decref(intent->result);
    *intent = (LedgerIntent){.status = LEDGER_INTENT_NONE};
}

void ledger_claimed_clear(LedgerClaimed *claimed)
{
    json_decref(claimed->first_error);
    json_decref(claimed->journal);
    ledger_intent_clear(&claimed->intent);
    buffer_clear(&claimed->outcome);
    ledger_environment_clear(&claimed->environment);
    ledger_environment_clear(&claimed->source);
    ledger_account_clear(&claimed->account);
    *claimed = (LedgerClaimed){.answered = false};
}
