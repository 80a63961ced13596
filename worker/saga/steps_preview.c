#include "saga/facts.h"
#include "saga/steps.h"

// Its row came with the claim, as that of an environment that is branched from.
bool preview_check_base(Saga *saga, Error *err)
{
    const LedgerEnvironment *base = &saga->ledger->source;
    const char *field = "set_preview_base.environment";
    const char *name = saga->command->message->set_preview_base->environment;
    if (base->state != LEDGER_STATE_READY || base->branch_id[0] == '\0') {
        return error_set_field(err, ERROR_CONFLICT, "SOURCE_NOT_ON_NEON", field,
                               "the application has no environment %s on Neon; see `provisionctl "
                               "environments`",
                               name);
    }
    return json_object_get(base->details, FACT_EXPIRES_AT) == NULL ||
           error_set_field(err, ERROR_CONFLICT, "BASE_EXPIRES", field,
                           "environment %s expires, and previews would lose their base: choose one "
                           "that stays",
                           name);
}
