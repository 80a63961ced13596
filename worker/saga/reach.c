#include "saga/reach.h"

#include <string.h>

#include "saga/facts.h"

Reach reach_of_account(const LedgerAccount *account)
{
    return (Reach){account->neon_account_id, account->org_id};
}

Reach reach_of_details(const json_t *details)
{
    return (Reach){journal_text_in(details, FACT_NEON_ACCOUNT),
                   journal_text_in(details, FACT_ORG_ID)};
}

void reach_tell(const Reach *reach, json_t *details)
{
    if (reach->neon_account_id[0] == '\0' || json_object_get(details, FACT_NEON_ACCOUNT) != NULL) {
        return;
    }
    json_object_set_new(details, FACT_NEON_ACCOUNT, json_string(reach->neon_account_id));
    if (reach->org_id[0] != '\0') {
        json_object_set_new(details, FACT_ORG_ID, json_string(reach->org_id));
    }
}

bool reach_is_same(const Reach *one, const Reach *other)
{
    if (one->org_id[0] != '\0' && other->org_id[0] != '\0') {
        return strcmp(one->org_id, other->org_id) == 0;
    }
    return strcmp(one->neon_account_id, other->neon_account_id) == 0;
}
