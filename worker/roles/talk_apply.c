#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "roles/talk_parts.h"

// A statement that changes an owner waits with an exclusive lock asked for, and everybody else
// behind it: not for long.
#define SHORT_LOCK_TIMEOUT "SET LOCAL lock_timeout = '3s'"
#define SHORTER_LOCK_TIMEOUT "SET LOCAL lock_timeout = '1s'"

static bool has_password(const RolesTalk *talk, const char *role)
{
    for (size_t i = 0; role != NULL && i < talk->task->secret_count; i++) {
        if (strcmp(talk->task->secrets[i].role, role) == 0) {
            return talk->task->secrets[i].password != NULL;
        }
    }
    return false;
}

// PASSWORDS: of a role that is there.
static bool sets_password(const RolesTalk *talk, const RolesStep *step)
{
    return has_password(talk, step->secret_of) &&
           strncmp(step->statement, "CREATE ", strlen("CREATE ")) != 0;
}

static bool is_settled(const RolesTalk *talk, RolesQuery plan, const RolesStep *step)
{
    return json_object_get(talk->failed, step->statement) != NULL ||
           // others end after so many rounds; there may be many chunks, and databases
           ((plan == ROLES_QUERY_OWNER || plan == ROLES_QUERY_DATABASES) &&
            json_object_get(talk->done, step->statement) != NULL);
}

bool talk_apply_counts(const RolesTalk *talk, RolesQuery plan, const RolesStep *step)
{
    bool is_meant = talk->task->mode != ROLES_MODE_PASSWORDS || sets_password(talk, step);
    return step->kind == ROLES_STEP_CHANGE && is_meant && !is_settled(talk, plan, step);
}

size_t talk_apply_count(const RolesTalk *talk, RolesQuery plan)
{
    size_t count = 0;
    for (size_t i = 0; i < talk->plans[plan].count; i++) {
        count += talk_apply_counts(talk, plan, &talk->plans[plan].steps[i]) ? 1 : 0;
    }
    return count;
}

// PASSWORDS: the fence, too, is kept by the role that makes all others.
static bool is_of_platform(const RolesTalk *talk, const RolesStep *step)
{
    char platform[ROLES_NAME_BYTES];
    roles_name_platform(roles_spec_prefix(talk->task->spec), platform);
    return talk->task->mode == ROLES_MODE_PASSWORDS && step->kind == ROLES_STEP_CHANGE &&
           step->secret_of == NULL && strcmp(step->object, platform) == 0;
}

static bool is_sent(const RolesTalk *talk, const RolesStep *step)
{
    return step->kind == ROLES_STEP_FRAME || step->kind == ROLES_STEP_TEMPORARY ||
           talk_apply_counts(talk, talk->applied, step) || is_of_platform(talk, step);
}

void talk_apply_begin(RolesTalk *talk, RolesQuery plan)
{
    talk->applied = plan;
    talk->is_one_by_one = talk->attempts >= TALK_ATTEMPTS_AT_ONCE;
    talk_go(talk, TALK_APPLIES);
}

void talk_apply_expect(RolesTalk *talk, size_t step_count)
{
    free(talk->verdicts);
    talk->verdicts = alloc_zeroed(step_count, sizeof(talk->verdicts[0]));
    for (size_t i = 0; i < step_count; i++) {
        talk->verdicts[i] = TALK_NOT_SENT;
    }
}

static int add_step(RolesTalk *talk, const RolesStep *step)
{
    const char *covered = talk_look_covered(talk, step->secret_of);
    if (talk->is_one_by_one && step->kind == ROLES_STEP_CHANGE) {
        return talk_batch_try_step(&talk->batch, step, covered);
    }
    talk_batch_add_step(&talk->batch, step, covered);
    return 0;
}

void talk_apply_build(RolesTalk *talk)
{
    const RolesPlan *plan = &talk->plans[talk->applied];
    bool is_chunk = talk->applied == ROLES_QUERY_OWNER;
    bool is_last_chunk = talk_apply_count(talk, talk->applied) < TALK_CHUNK;
    talk_apply_expect(talk, plan->count);
    talk_batch_begin(&talk->batch, false, true);
    talk_batch_add(&talk->batch, "BEGIN");
    if (talk->database != NULL) {
        talk_batch_add(&talk->batch,
                       talk->is_one_by_one ? SHORTER_LOCK_TIMEOUT : SHORT_LOCK_TIMEOUT);
    }
    for (size_t i = 0; i < plan->count; i++) {
        if (is_sent(talk, &plan->steps[i])) {
            talk->verdicts[i] = add_step(talk, &plan->steps[i]);
        }
    }
    talk_batch_add(&talk->batch, "COMMIT");
    talk_look_assume_set(talk);
    talk_look_add(talk, true, !is_chunk || is_last_chunk);
}

static const char *why_failed(const RolesTalk *talk, size_t step, PGresult *const *results)
{
    return talk->is_one_by_one ? PQgetvalue(results[talk->verdicts[step]], 0, 0) : "";
}

void talk_apply_learn(RolesTalk *talk, PGresult *const *results)
{
    const RolesPlan *plan = &talk->plans[talk->applied];
    const char *database = talk->database != NULL ? talk->database : "";
    talk->attempts = 0;
    talk->rounds += talk->applied == ROLES_QUERY_OWNER ? 0 : 1;
    for (size_t i = 0; i < plan->count; i++) {
        const RolesStep *step = &plan->steps[i];
        if (talk->verdicts[i] == TALK_NOT_SENT || step->kind != ROLES_STEP_CHANGE) {
            continue;
        }
        const char *why = why_failed(talk, i, results);
        if (why[0] != '\0') {
            json_object_set_new(talk->failed, step->statement, json_string(why));
            continue;
        }
        json_object_set_new(talk->done, step->statement, json_true());
        roles_report_add_executed(&talk->report, database, step);
        if (step->secret_of != NULL) {
            talk_look_note_set(talk, step->secret_of);
        }
    }
}

static void settle_change(RolesTalk *talk, const RolesStep *step)
{
    const char *database = talk->database != NULL ? talk->database : "";
    const json_t *why = json_object_get(talk->failed, step->statement);
    if (talk->task->mode == ROLES_MODE_PLAN) {
        roles_report_add_planned(&talk->report, database, step);
    } else if (talk->task->mode != ROLES_MODE_PASSWORDS || sets_password(talk, step)) {
        roles_report_add_failed(&talk->report, database, step,
                                why != NULL ? json_string_value(why)
                                            : "it was executed, and is planned again");
    }
}

void talk_apply_settle(RolesTalk *talk, RolesQuery plan)
{
    const char *database = talk->database != NULL ? talk->database : "";
    for (size_t i = 0; i < talk->plans[plan].count; i++) {
        const RolesStep *step = &talk->plans[plan].steps[i];
        if (step->kind == ROLES_STEP_CHANGE) {
            settle_change(talk, step);
        } else if (talk->task->mode != ROLES_MODE_PASSWORDS) {
            roles_report_add_planned(&talk->report, database, step);
        }
    }
}
