#include "plans.h"

#include <string.h>

enum { PLANS_DEFAULT_SUSPEND_SECONDS = 300, PLANS_DEFAULT_RETENTION_SECONDS = 86400 };

static const Plan PLANS[] = {
    {.name = "free",
     .projects = 100,
     .branches = 10,
     .root_branches = 3,
     .protected_branches = 0,
     .retention_seconds = 21600,
     .autoscaling_cu = 2,
     .fixed_cu = 2},
    {.name = "launch",
     .projects = 100,
     .branches = 5000,
     .root_branches = 5,
     .protected_branches = 2,
     .retention_seconds = 604800,
     .autoscaling_cu = 16,
     .fixed_cu = 16,
     .may_stay_up = true},
    {.name = "scale",
     .projects = 1000,
     .branches = 5000,
     .root_branches = 25,
     .protected_branches = 5,
     .retention_seconds = 2592000,
     .autoscaling_cu = 16,
     .fixed_cu = 56,
     .least_suspend_seconds = 60,
     .may_stay_up = true},
};

const Plan *plans_find(const char *name)
{
    for (size_t i = 0; i < sizeof(PLANS) / sizeof(PLANS[0]); i++) {
        if (strcmp(PLANS[i].name, name) == 0) {
            return &PLANS[i];
        }
    }
    return NULL;
}

int64_t plans_default_retention(const Plan *plan)
{
    bool is_less = plan != NULL && plan->retention_seconds < PLANS_DEFAULT_RETENTION_SECONDS;
    return is_less ? plan->retention_seconds : PLANS_DEFAULT_RETENTION_SECONDS;
}

bool plans_allow_project(Exchange *exchange, const char *org_id)
{
    const Plan *plan = exchange->sandbox->options.plan;
    int count = 0;
    const Project *project = plan == NULL ? NULL : exchange->sandbox->store.projects;
    for (; project != NULL; project = project->next) {
        bool counts = store_is_alive(&project->life) && strcmp(project->org_id, org_id) == 0;
        count += counts ? 1 : 0;
    }
    if (plan == NULL || count < plan->projects) {
        return true;
    }
    exchange_fail(exchange, 422, "PROJECTS_LIMIT_EXCEEDED", "projects limit exceeded");
    return false;
}

bool plans_allow_retention(Exchange *exchange, int64_t seconds)
{
    const Plan *plan = exchange->sandbox->options.plan;
    if (plan == NULL || seconds <= plan->retention_seconds) {
        return true;
    }
    exchange_fail(exchange, 400, "",
                  "requested history retention seconds exceeds allowed maximum; "
                  "requested_history_retention_seconds:\"%lld\", max:\"%lld\"",
                  (long long)seconds, (long long)plan->retention_seconds);
    return false;
}

bool plans_allow_branch(Exchange *exchange, bool is_root)
{
    const Plan *plan = exchange->sandbox->options.plan;
    if (plan == NULL) {
        return true;
    }
    if (exchange->project->branch_count >= plan->branches) {
        exchange_fail(exchange, 422, "BRANCHES_LIMIT_EXCEEDED", "branches limit exceeded");
        return false;
    }
    int roots = 0;
    const Branch *branch = is_root ? exchange->project->branches : NULL;
    for (; branch != NULL; branch = branch->next) {
        roots += branch->parent == NULL && store_is_alive(&branch->life) ? 1 : 0;
    }
    if (roots < plan->root_branches) {
        return true;
    }
    exchange_fail(exchange, 422, "ROOT_BRANCHES_LIMIT_EXCEEDED", "root branches limit exceeded");
    return false;
}

bool plans_allow_protection(Exchange *exchange)
{
    const Plan *plan = exchange->sandbox->options.plan;
    int count = 0;
    const Branch *branch = plan == NULL ? NULL : exchange->project->branches;
    for (; branch != NULL; branch = branch->next) {
        count += branch->is_protected && store_is_alive(&branch->life) ? 1 : 0;
    }
    if (plan == NULL || count < plan->protected_branches) {
        return true;
    }
    exchange_fail(exchange, 422, "BRANCHES_PROTECTED_LIMIT_EXCEEDED",
                  "protected branches limit exceeded");
    return false;
}

static bool allows_suspend(const Plan *plan, int64_t seconds)
{
    if (seconds == 0 || seconds == PLANS_DEFAULT_SUSPEND_SECONDS) {
        return true;
    }
    if (seconds < 0) {
        return plan->may_stay_up;
    }
    return plan->least_suspend_seconds > 0 && seconds >= plan->least_suspend_seconds;
}

bool plans_allow_settings(Exchange *exchange, const EndpointSettings *settings)
{
    const Plan *plan = exchange->sandbox->options.plan;
    if (plan == NULL) {
        return true;
    }
    bool is_fixed = settings->min_cu == settings->max_cu;
    double most = is_fixed ? plan->fixed_cu : plan->autoscaling_cu;
    if (settings->max_cu > most) {
        exchange_fail(exchange, 400, "",
                      "requested autoscaling limit exceeds allowed maximum; "
                      "autoscaling_limit_max_cu:\"%g\", max:\"%g\"",
                      settings->max_cu, most);
        return false;
    }
    if (!allows_suspend(plan, settings->suspend_timeout_seconds)) {
        exchange_fail(exchange, 400, "",
                      "suspend_timeout_seconds is not allowed on this plan; "
                      "suspend_timeout_seconds:\"%lld\"",
                      (long long)settings->suspend_timeout_seconds);
        return false;
    }
    return true;
}
