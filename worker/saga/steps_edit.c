/*
 * Settings of a project or of an endpoint: read first, changed only where they differ, and read
 * again after a call whose reply was lost.
 */
#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/sql.h"
#include "saga/steps.h"

static const Provisioning__V1__EditProject *project_edit(const Saga *saga)
{
    return saga->command->message->edit_project;
}

bool edit_check_project(Saga *saga, Error *err)
{
    const char *field = "edit_project.environment";
    return record_check_ready(saga, field, err) &&
           (project_edit(saga)->refresh || record_check_not_imported(saga, field, err));
}

bool edit_check_endpoint(Saga *saga, Error *err)
{
    const char *field = "edit_endpoint.environment";
    return sql_check_environment(saga, field, err) && record_check_not_imported(saga, field, err);
}

// A setting that Neon may have taken isn't taken back.
bool edit_is_final(const Saga *saga)
{
    return saga->had_intent;
}

static Ask ask_siblings(const Saga *saga, Effect *effect)
{
    effect->kind = EFFECT_DEPENDENTS;
    bool fits = text_copy(effect->project_id, sizeof effect->project_id,
                          journal_text(&saga->journal, FACT_PROJECT_ID));
    assert(fits);
    (void)fits;
    return ASK_EFFECT;
}

Ask edit_ask_siblings(Saga *saga, Effect *effect)
{
    if (project_edit(saga)->refresh || journal_has(&saga->journal, FACT_SIBLINGS)) {
        return ASK_NOTHING;
    }
    return ask_siblings(saga, effect);
}

static json_t *name_siblings(const Answer *answer, bool with_late)
{
    json_t *siblings = json_array();
    for (size_t i = 0; i < answer->dependent_count && i < SAGA_DEPENDENTS_MAX; i++) {
        const LedgerDependent *one = &answer->dependents[i];
        if (one->state == LEDGER_STATE_READY ||
            (with_late && one->state == LEDGER_STATE_CREATING)) {
            json_array_append_new(siblings,
                                  json_pack("{s:s, s:s}", "application", one->application_id,
                                            "environment", one->environment));
        }
    }
    return siblings;
}

static void set_siblings(Saga *saga, const Answer *answer, bool with_late)
{
    size_t omitted = answer->dependent_count > SAGA_DEPENDENTS_MAX
                         ? answer->dependent_count - SAGA_DEPENDENTS_MAX
                         : 0;
    journal_set_again(&saga->journal, FACT_SIBLINGS, name_siblings(answer, with_late));
    journal_set_again(&saga->journal, FACT_SIBLINGS_OMITTED, json_integer((json_int_t)omitted));
}

Lesson edit_learn_siblings(Saga *saga, const Answer *answer)
{
    bool is_ours = strcmp(saga->ledger->environment.origin, "created") == 0;
    for (size_t i = 0; i < answer->dependent_count && i < SAGA_DEPENDENTS_MAX; i++) {
        is_ours = is_ours || strcmp(answer->dependents[i].origin, "created") == 0;
    }
    if (!is_ours) {
        Error err = ERROR_INIT;
        error_set_field(&err, ERROR_DENIED, "PROJECT_NOT_OURS", "edit_project.environment",
                        "project %s was not created by CreateEnvironment: whoever made it changes "
                        "its settings",
                        journal_text(&saga->journal, FACT_PROJECT_ID));
        return lesson_fail_with(saga, &err);
    }
    set_siblings(saga, answer, false);
    return LESSON_LEARNT;
}

// One that is being made may have read the project before the change; it is told when it is there.
// One that announces itself later reads the project afterwards.
Ask edit_ask_late_siblings(Saga *saga, Effect *effect)
{
    const Journal *journal = &saga->journal;
    if (project_edit(saga)->refresh || journal_has(journal, FACT_SIBLINGS_TOLD) ||
        json_equal(journal_value(journal, FACT_BEFORE), journal_value(journal, FACT_PRESENT))) {
        return ASK_NOTHING;
    }
    return ask_siblings(saga, effect);
}

Lesson edit_learn_late_siblings(Saga *saga, const Answer *answer)
{
    set_siblings(saga, answer, true);
    journal_set_flag(&saga->journal, FACT_SIBLINGS_TOLD);
    return LESSON_LEARNT;
}

static bool must_read(const Saga *saga)
{
    return !journal_has(&saga->journal, FACT_PATCHED) &&
           (!journal_has(&saga->journal, FACT_PRESENT) ||
            journal_number(&saga->journal, FACT_PRESENT_DOUBTS) !=
                journal_number(&saga->journal, FACT_DOUBTS));
}

// Takes over `values`.
static void set_present(Saga *saga, json_t *values)
{
    Journal *journal = &saga->journal;
    if (!journal_has(journal, FACT_BEFORE)) {
        journal_set_value(journal, FACT_BEFORE, json_deep_copy(values));
    }
    journal_set_again(journal, FACT_PRESENT, values);
    journal_set_again(journal, FACT_PRESENT_DOUBTS,
                      json_integer(journal_number(journal, FACT_DOUBTS)));
}

static json_t *project_values(const NeonProject *project)
{
    json_t *values = json_object();
    if (project->history_retention_seconds >= 0) {
        json_object_set_new(values, FACT_RETENTION,
                            json_integer(project->history_retention_seconds));
    }
    return values;
}

static json_t *endpoint_values(const NeonEndpoint *endpoint)
{
    return json_pack("{s:f, s:f, s:I}", FACT_MIN_CU, endpoint->min_cu, FACT_MAX_CU,
                     endpoint->max_cu, FACT_SUSPEND, (json_int_t)endpoint->suspend_timeout_seconds);
}

Ask edit_ask_project(Saga *saga, Effect *effect)
{
    if (!must_read(saga)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_project(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID));
    return ASK_EFFECT;
}

Lesson edit_learn_project(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    NeonProject project;
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_READ, "read the project");
    }
    if (!neon_decode_project(answer->reply->body, &project, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    set_present(saga, project_values(&project));
    return LESSON_LEARNT;
}

static bool is_present(const Saga *saga, const char *key, double wanted)
{
    const json_t *value = json_object_get(journal_value(&saga->journal, FACT_PRESENT), key);
    return value != NULL && json_number_value(value) == wanted;
}

// A mutation: its project's lock is held.
static void lock_project(const Saga *saga, Effect *effect)
{
    bool fits = text_copy(effect->project_id, sizeof effect->project_id,
                          journal_text(&saga->journal, FACT_PROJECT_ID));
    assert(fits);
    (void)fits;
    effect->kind = EFFECT_NEON;
}

static Lesson learn_patched(Saga *saga, const Answer *answer, json_t *values)
{
    record_operations(saga, answer->reply->body);
    set_present(saga, values);
    journal_set_flag(&saga->journal, FACT_PATCHED);
    return LESSON_LEARNT;
}

Ask edit_ask_patch_project(Saga *saga, Effect *effect)
{
    const Google__Protobuf__Int64Value *wanted = project_edit(saga)->history_retention_seconds;
    if (wanted == NULL || journal_has(&saga->journal, FACT_PATCHED) ||
        is_present(saga, FACT_RETENTION, (double)wanted->value)) {
        return ASK_NOTHING;
    }
    lock_project(saga, effect);
    neon_request_update_project(&effect->request, effect->project_id, wanted->value);
    return ASK_EFFECT;
}

Lesson edit_learn_patch_project(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    NeonProject project;
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_NOTHING,
                                 "change the project's history retention");
    }
    if (!neon_decode_project(answer->reply->body, &project, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_NOTHING);
    }
    return learn_patched(saga, answer, project_values(&project));
}

Ask edit_ask_endpoint(Saga *saga, Effect *effect)
{
    if (!must_read(saga)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_endpoint(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                          journal_text(&saga->journal, FACT_ENDPOINT_ID));
    return ASK_EFFECT;
}

// What the command changes: the settings that it names and that aren't so already.
static NeonEndpointSpec changes_of(const Saga *saga)
{
    NeonEndpointSpec spec;
    record_endpoint_spec(saga->command->message->edit_endpoint->endpoint, &spec);
    spec.has_min_cu = spec.has_min_cu && !is_present(saga, FACT_MIN_CU, spec.min_cu);
    spec.has_max_cu = spec.has_max_cu && !is_present(saga, FACT_MAX_CU, spec.max_cu);
    spec.has_suspend =
        spec.has_suspend && !is_present(saga, FACT_SUSPEND, (double)spec.suspend_timeout_seconds);
    return spec;
}

// The command may name one limit only: the other one stays.
static bool check_limits(const Saga *saga, const NeonEndpoint *present, Error *err)
{
    NeonEndpointSpec spec;
    record_endpoint_spec(saga->command->message->edit_endpoint->endpoint, &spec);
    double min_cu = spec.has_min_cu ? spec.min_cu : present->min_cu;
    double max_cu = spec.has_max_cu ? spec.max_cu : present->max_cu;
    return max_cu >= min_cu ||
           error_set_field(err, ERROR_INVALID, "INVALID_VALUE",
                           spec.has_max_cu ? "edit_endpoint.endpoint.autoscaling_limit_max_cu"
                                           : "edit_endpoint.endpoint.autoscaling_limit_min_cu",
                           "the endpoint would scale from %g to %g compute units; change both "
                           "limits at once",
                           min_cu, max_cu);
}

Lesson edit_learn_endpoint(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    NeonEndpoint endpoint;
    bool found = false;
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_READ, "read the endpoint");
    }
    if (!neon_decode_endpoints(answer->reply->body, &endpoint, &found, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (!found) {
        return lesson_fail(saga, ERROR_CONFLICT, "ENDPOINT_READ_ONLY",
                           "endpoint %s is not the read-write one of its branch any more",
                           journal_text(&saga->journal, FACT_ENDPOINT_ID));
    }
    bool is_first = !journal_has(&saga->journal, FACT_BEFORE);
    if (is_first && !check_limits(saga, &endpoint, &err)) {
        return lesson_fail_with(saga, &err);
    }
    set_present(saga, endpoint_values(&endpoint));
    return LESSON_LEARNT;
}

Ask edit_ask_patch_endpoint(Saga *saga, Effect *effect)
{
    NeonEndpointSpec changes = changes_of(saga);
    if (journal_has(&saga->journal, FACT_PATCHED) ||
        (!changes.has_min_cu && !changes.has_max_cu && !changes.has_suspend)) {
        return ASK_NOTHING;
    }
    lock_project(saga, effect);
    neon_request_update_endpoint(&effect->request, effect->project_id,
                                 journal_text(&saga->journal, FACT_ENDPOINT_ID), &changes);
    return ASK_EFFECT;
}

Lesson edit_learn_patch_endpoint(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    NeonEndpoint endpoint;
    bool found = false;
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_NOTHING, "change the endpoint");
    }
    if (!neon_decode_endpoints(answer->reply->body, &endpoint, &found, &err) || !found) {
        return lesson_unreadable(saga, &err, PROTECTED_NOTHING);
    }
    return learn_patched(saga, answer, endpoint_values(&endpoint));
}
