/* Limits of Neon's plans (https://neon.com/docs/introduction/plans, January 2026), applied where
 * --plan asks for one. Each check answers the call itself and is true where no plan is set. */
#pragma once

#include "exchange.h"

struct Plan {
    const char *name;
    int projects; /* of an organization */
    int branches; /* of a project */
    int root_branches;
    int protected_branches;
    int64_t retention_seconds;
    double autoscaling_cu;
    double fixed_cu;
    int64_t least_suspend_seconds; /* 0: the default of five minutes and nothing else */
    bool may_stay_up;              /* suspend_timeout_seconds -1 */
};

/* NULL when there is none of that name. */
const Plan *plans_find(const char *name);
/* What a project gets that doesn't ask. */
int64_t plans_default_retention(const Plan *plan);
bool plans_allow_project(Exchange *exchange, const char *org_id);
bool plans_allow_retention(Exchange *exchange, int64_t seconds);
bool plans_allow_branch(Exchange *exchange, bool is_root);
bool plans_allow_protection(Exchange *exchange);
bool plans_allow_settings(Exchange *exchange, const EndpointSettings *settings);
