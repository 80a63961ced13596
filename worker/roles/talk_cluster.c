#include <string.h>

#include "roles/talk_parts.h"

static bool is_missing(const RolesTalk *talk, const char *database)
{
    size_t index = 0;
    json_t *value = NULL;
    json_array_foreach(talk->missing, index, value)
    {
        if (strcmp(json_string_value(value), database) == 0) {
            return true;
        }
    }
    return false;
}

RolesDatabase roles_talk_look_for(const RolesTalk *talk, const char *database)
{
    bool is_over = talk->state == TALK_HOLDS || talk->state == TALK_PINGS;
    if (talk->has_roles && !is_missing(talk, database)) {
        return ROLES_DATABASE_READY;
    }
    return is_over ? ROLES_DATABASE_MISSING : ROLES_DATABASE_LATER;
}

bool roles_talk_is_closed(const RolesTalk *talk, const char *database)
{
    static const char KIND[] = "database "; // in sql/cluster.sql the object of no other step
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_CLUSTER];
    for (size_t i = 0; i < plan->count; i++) {
        const char *object = plan->steps[i].object;
        if (strncmp(object, KIND, strlen(KIND)) == 0 &&
            strcmp(object + strlen(KIND), database) == 0) {
            return true;
        }
    }
    return false;
}

static void note_missing(RolesTalk *talk)
{
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_DATABASES];
    json_array_clear(talk->missing);
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].kind == ROLES_STEP_CHANGE) {
            json_array_append_new(talk->missing, json_string(plan->steps[i].object));
        }
    }
}

static bool stop_if_fenced(RolesTalk *talk)
{
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_CLUSTER];
    const RolesStep *fenced = roles_plan_fenced(plan);
    if (fenced == NULL) {
        return false;
    }
    Error err;
    error_set(&err, ERROR_CONFLICT, "ROLES_FENCED", "%s", fenced->reason);
    talk->report.fence_seen = plan->fence_seen;
    talk_fail(talk, &err);
    return true;
}

static void settle_databases(RolesTalk *talk)
{
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_DATABASES];
    for (size_t i = 0; i < plan->count; i++) {
        const RolesStep *step = &plan->steps[i];
        const json_t *why = json_object_get(talk->failed, step->statement);
        if (step->kind == ROLES_STEP_CHANGE && why != NULL) {
            roles_report_add_failed(&talk->report, "", step, json_string_value(why));
        }
    }
}

static void settle(RolesTalk *talk)
{
    talk_apply_settle(talk, ROLES_QUERY_CLUSTER);
    if (talk->task->mode == ROLES_MODE_PLAN) {
        talk_apply_settle(talk, ROLES_QUERY_DATABASES);
    } else if (talk->task->mode == ROLES_MODE_PASSWORDS) {
        talk_look_settle(talk);
    } else {
        settle_databases(talk);
    }
    talk_go(talk, TALK_HOLDS);
}

static void create_or_settle(RolesTalk *talk)
{
    bool creates = talk->task->mode == ROLES_MODE_APPLY;
    if (creates && talk_apply_count(talk, ROLES_QUERY_DATABASES) > 0) {
        talk_go(talk, TALK_CREATES);
    } else {
        settle(talk);
    }
}

void talk_cluster_decide(RolesTalk *talk)
{
    RolesMode mode = talk->task->mode;
    if (mode == ROLES_MODE_OWNER) {
        talk->has_roles = true;
        talk_go(talk, TALK_HOLDS);
        return;
    }
    if (stop_if_fenced(talk)) {
        return;
    }
    note_missing(talk);
    bool applies = mode != ROLES_MODE_PLAN && talk->rounds < TALK_ROUNDS_MAX;
    if (applies && talk_apply_count(talk, ROLES_QUERY_CLUSTER) > 0) {
        talk_apply_begin(talk, ROLES_QUERY_CLUSTER);
        return;
    }
    talk->has_roles = true;
    create_or_settle(talk);
}

// The next few, between the frames.
void talk_cluster_build_create(RolesTalk *talk)
{
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_DATABASES];
    size_t changes = 0;
    talk_apply_expect(talk, plan->count);
    talk_batch_begin(&talk->batch, true, true);
    for (size_t i = 0; i < plan->count; i++) {
        const RolesStep *step = &plan->steps[i];
        bool is_due =
            changes < TALK_CREATED_AT_ONCE && talk_apply_counts(talk, ROLES_QUERY_DATABASES, step);
        changes += is_due ? 1 : 0;
        if (is_due || step->kind == ROLES_STEP_FRAME) {
            talk->verdicts[i] = talk_batch_add(&talk->batch, step->statement);
        }
    }
}

static void forget_missing(RolesTalk *talk, const char *database)
{
    for (size_t i = json_array_size(talk->missing); i-- > 0;) {
        if (strcmp(json_string_value(json_array_get(talk->missing, i)), database) == 0) {
            json_array_remove(talk->missing, i);
        }
    }
}

static void learn_created(RolesTalk *talk, const RolesStep *step, const PGresult *result,
                          Error *ret_passing)
{
    Error err = ERROR_INIT;
    if (talk_has_failed(result)) {
        talk_read_failure(result, &err);
    } else {
        roles_report_add_executed(&talk->report, "", step);
    }
    if (err.kind == ERROR_NONE || strcmp(err.code, "42P04") == 0) { // duplicate_database
        forget_missing(talk, step->object);
        json_object_set_new(talk->done, step->statement, json_true());
    } else if (talk_is_passing(err.code) && talk_may_retry(talk)) {
        *ret_passing = err;
    } else {
        json_object_set_new(talk->failed, step->statement, json_string(err.text));
    }
}

void talk_cluster_learn_create(RolesTalk *talk, PGresult *const *results)
{
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_DATABASES];
    Error passing = ERROR_INIT;
    for (size_t i = 0; i < plan->count; i++) {
        const RolesStep *step = &plan->steps[i];
        if (talk->verdicts[i] != TALK_NOT_SENT && step->kind == ROLES_STEP_CHANGE) {
            learn_created(talk, step, results[talk->verdicts[i]], &passing);
        }
    }
    if (passing.kind != ERROR_NONE) {
        talk_stumble(talk, &passing);
    } else {
        create_or_settle(talk);
    }
}
