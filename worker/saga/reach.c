#include "saga/reach.h"

#include <string.h>

#include "saga/facts.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

Reach reach_of_account(const LedgerAccount *account)
{
    return (Reach){account->neon_account_id, account->org_id};
}

Reach reach_of_details(const json_t *details)
{
    return (Reach){text_of(details, FACT_NEON_ACCOUNT), text_of(details, FACT_ORG_ID)};
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
