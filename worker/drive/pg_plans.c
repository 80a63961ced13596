#include "drive/pg_plans.h"

#include <assert.h>
#include <stdio.h>

void pg_plans_forget(PgPlans *plans)
{
    plans->count = 0;
}

PgPlan *pg_plans_find(PgPlans *plans, const char *sql, char ret_name[PG_PLAN_NAME_BYTES])
{
    size_t at = 0;
    while (at < plans->count && plans->plans[at].sql != sql) {
        at++;
    }
    if (at == plans->count) {
        assert(plans->count < PG_PLANS_MAX); // a program has so many texts
        plans->plans[plans->count++] = (PgPlan){.sql = sql};
    }
    (void)snprintf(ret_name, PG_PLAN_NAME_BYTES, "plan_%zu", at);
    return &plans->plans[at];
}
