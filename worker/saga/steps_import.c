#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/named.h"
#include "saga/record.h"
#include "saga/search.h"
#include "saga/steps.h"

/*
 * Somebody's branch becomes an environment. The one thing that may be made is an endpoint, where
 * the branch has none: Neon allows one that reads and writes, so that a call of unknown result is
 * followed by a look. An endpoint carries no mark of ours: only the one whose creation we were told
 * of is undone.
 */

static const Provisioning__V1__ImportEnvironment *import_of(const Saga *saga)
{
    return saga->command->message->import_environment;
}

static const char *project_of(const Saga *saga)
{
    return journal_text(&saga->journal, FACT_PROJECT_ID);
}

static const char *branch_of(const Saga *saga)
{
    return journal_text(&saga->journal, FACT_BRANCH_ID);
}

static void set_project(const Saga *saga, Effect *effect)
{
    bool fits = text_copy(effect->project_id, sizeof effect->project_id, project_of(saga));
    assert(fits);
    (void)fits;
}

bool import_check(Saga *saga, Error *err)
{
    const char *project_id = import_of(saga)->branch->project_id;
    if (!record_check_reserved(saga, err)) {
        return false;
    }
    if (journal_has(&saga->journal, FACT_UNCHANGED)) {
        return true;
    }
    journal_set_text(&saga->journal, FACT_PROJECT_ID, project_id);
    return record_check_account(saga, err) &&
           record_check_scope(saga, project_id, "import_environment.branch.project_id", err);
}

static NamedBranch named_by(const Saga *saga)
{
    return (NamedBranch){import_of(saga)->branch, FACT_BRANCH_ID, FACT_MAKER, "BRANCH_NOT_FOUND",
                         "import_environment.branch.branch"};
}

Ask import_ask_branch(Saga *saga, Effect *effect)
{
    const NamedBranch named = named_by(saga);
    return named_ask(saga, &named, effect);
}

Lesson import_learn_branch(Saga *saga, const Answer *answer)
{
    const NamedBranch named = named_by(saga);
    return named_learn(saga, &named, answer);
}

// While it is being made, no row names it, and whoever makes it may still undo it. Its mark says
// who that is, and it was claimed before the branch was there.
Ask import_ask_maker(Saga *saga, Effect *effect)
{
    const Journal *journal = &saga->journal;
    if (!journal_has(journal, FACT_MAKER) || journal_has(journal, FACT_MAKER_ENDED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_JUDGE;
    effect->names = json_pack("[O]", unconst(journal_value(journal, FACT_MAKER)));
    return ASK_EFFECT;
}

static const char *maker_text(const Saga *saga, const char *key)
{
    return json_string_value(json_object_get(journal_value(&saga->journal, FACT_MAKER), key));
}

static Lesson is_being_made(Saga *saga)
{
    Error err = ERROR_INIT;
    if (!lesson_is_out_of_patience(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    error_set_field(&err, ERROR_CONFLICT, "ALREADY_IMPORTED", "import_environment.branch",
                    "the branch is still being made, as environment %s of application %s; import "
                    "it once that has ended",
                    maker_text(saga, "environment"), maker_text(saga, "application"));
    return lesson_fail_with(saga, &err);
}

static Lesson deleting(Saga *saga, const char *environment, const char *application)
{
    return lesson_fail(saga, ERROR_CONFLICT, "SOURCE_DELETING",
                       "environment %s of application %s is being deleted, and the branch with it",
                       environment, application);
}

// Whoever deletes a failed environment, or makes it again, deletes what it has left.
static Lesson is_left_over(Saga *saga)
{
    Error err = ERROR_INIT;
    error_set_field(&err, ERROR_CONFLICT, "ALREADY_IMPORTED", "import_environment.branch",
                    "environment %s of application %s has failed, and this may be what it left: "
                    "delete or create it first, or set shared",
                    maker_text(saga, "environment"), maker_text(saga, "application"));
    return lesson_fail_with(saga, &err);
}

Lesson import_learn_maker(Saga *saga, const Answer *answer)
{
    const json_t *maker = json_array_get(json_object_get(answer->judged, "marks"), 0);
    const char *state = json_string_value(json_object_get(maker, "state"));
    bool is_own = strcmp(maker_text(saga, "application"), saga->command->application_id) == 0 &&
                  strcmp(maker_text(saga, "environment"), saga->command->writes.name) == 0;
    bool is_creating = state != NULL && strcmp(state, "creating") == 0;
    if (maker == NULL || (is_creating && !is_own) ||
        (json_is_true(json_object_get(maker, "known")) &&
         !json_is_true(json_object_get(maker, "finished")))) {
        return is_being_made(saga);
    }
    if (state != NULL && strcmp(state, "deleting") == 0 && !is_own) {
        return deleting(saga, maker_text(saga, "environment"), maker_text(saga, "application"));
    }
    if (state != NULL && strcmp(state, "failed") == 0 && !is_own && !import_of(saga)->shared) {
        return is_left_over(saga);
    }
    journal_set_flag(&saga->journal, FACT_MAKER_ENDED);
    return LESSON_LEARNT;
}

// With the branch, which is there already.
Ask import_ask_announce(Saga *saga, Effect *effect)
{
    Ask ask = branch_ask_announce(saga, effect);
    effect->branch_id = ask == ASK_EFFECT ? branch_of(saga) : NULL;
    return ask;
}

Lesson import_learn_announce(Saga *saga, const Answer *answer)
{
    return branch_learn_announce(saga, answer);
}

// After our row is committed: of two who import the same branch at once, one at least sees the
// other.
Ask import_ask_alone(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_ALONE)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_DEPENDENTS;
    effect->branch_id = branch_of(saga);
    set_project(saga, effect);
    return ASK_EFFECT;
}

// Who comes first by name waits for the other, who doesn't.
static bool yields(const Saga *saga, const LedgerDependent *other)
{
    int order = strcmp(saga->command->application_id, other->application_id);
    order = order != 0 ? order : strcmp(saga->command->writes.name, other->environment);
    return other->state == LEDGER_STATE_CREATING && order < 0;
}

static Lesson already_imported(Saga *saga, const LedgerDependent *other)
{
    Error err = ERROR_INIT;
    if (yields(saga, other) && !lesson_is_out_of_patience(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    error_set_field(&err, ERROR_CONFLICT, "ALREADY_IMPORTED", "import_environment.branch",
                    "the branch is environment %s of application %s; set shared where both are to "
                    "use it",
                    other->environment, other->application_id);
    return lesson_fail_with(saga, &err);
}

Lesson import_learn_alone(Saga *saga, const Answer *answer)
{
    size_t known = answer->dependent_count < SAGA_DEPENDENTS_MAX ? answer->dependent_count
                                                                 : SAGA_DEPENDENTS_MAX;
    for (size_t i = 0; i < known; i++) {
        const LedgerDependent *other = &answer->dependents[i];
        bool is_same = strcmp(other->branch_id, branch_of(saga)) == 0;
        bool takes_it = is_same || strcmp(other->origin, "created") == 0;
        if (other->state == LEDGER_STATE_DELETING && takes_it &&
            strcmp(other->origin, "imported") != 0) {
            return deleting(saga, other->environment, other->application_id);
        }
        if (is_same && !import_of(saga)->shared) {
            return already_imported(saga, other);
        }
    }
    journal_set_flag(&saga->journal, FACT_ALONE);
    return LESSON_LEARNT;
}

static Ask ask_endpoints(Saga *saga, Effect *effect)
{
    effect->kind = EFFECT_NEON;
    neon_request_endpoints(&effect->request, project_of(saga), branch_of(saga));
    return ASK_EFFECT;
}

static bool knows_endpoint(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_ENDPOINT_ID);
}

Ask import_ask_look(Saga *saga, Effect *effect)
{
    return knows_endpoint(saga) || search_is_known_absent(saga) ? ASK_NOTHING
                                                                : ask_endpoints(saga, effect);
}

static bool read_endpoint(Saga *saga, const NeonReply *reply, NeonEndpoint *ret_endpoint,
                          bool *ret_found, Lesson *ret_lesson)
{
    Error err = ERROR_INIT;
    if (reply->meaning != NEON_OK) {
        *ret_lesson = lesson_from_reply(saga, reply, PROTECTED_READ, "list the branch's endpoints");
        return false;
    }
    if (!neon_decode_endpoints(reply->body, ret_endpoint, ret_found, &err)) {
        *ret_lesson = lesson_unreadable(saga, &err, PROTECTED_READ);
        return false;
    }
    return true;
}

// One that is there is taken as it is: connecting wakes it.
Lesson import_learn_look(Saga *saga, const Answer *answer)
{
    NeonEndpoint endpoint;
    bool found = false;
    Lesson lesson = LESSON_LEARNT;
    if (!read_endpoint(saga, answer->reply, &endpoint, &found, &lesson)) {
        return lesson;
    }
    if (!found) {
        search_set_absent(saga);
        return LESSON_LEARNT;
    }
    record_endpoint(saga, &endpoint);
    if (journal_number(&saga->journal, FACT_DOUBTS) == 0) {
        journal_set_flag(&saga->journal, FACT_ENDPOINT_READY);
    }
    return LESSON_LEARNT;
}

Ask import_ask_create_endpoint(Saga *saga, Effect *effect)
{
    if (knows_endpoint(saga) || !import_of(saga)->create_endpoint) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    set_project(saga, effect);
    neon_request_create_endpoint(&effect->request, effect->project_id, branch_of(saga),
                                 &(NeonEndpointSpec){.has_min_cu = false});
    return ASK_EFFECT;
}

Lesson import_learn_create_endpoint(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_EXISTS) {
        journal_forget(&saga->journal, FACT_ABSENT_AT); // somebody made one meanwhile
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_UNIQUE_NAME, "create the endpoint");
    }
    Error err = ERROR_INIT;
    NeonEndpoint endpoint;
    bool found = false;
    if (!neon_decode_endpoints(reply->body, &endpoint, &found, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_UNIQUE_NAME);
    }
    if (!found) {
        error_set(&err, ERROR_INTERNAL, "UNEXPECTED_REPLY", "Neon told of no endpoint");
        return lesson_unreadable(saga, &err, PROTECTED_UNIQUE_NAME);
    }
    record_endpoint(saga, &endpoint);
    journal_set_text(&saga->journal, FACT_MADE_ENDPOINT, endpoint.id);
    record_adopted(saga);
    record_operations(saga, reply->body);
    return LESSON_LEARNT;
}

Ask import_ask_endpoint(Saga *saga, Effect *effect)
{
    return knows_endpoint(saga) ? ready_ask_endpoint(saga, effect) : ASK_NOTHING;
}

Lesson import_learn_endpoint(Saga *saga, const Answer *answer)
{
    return ready_learn_endpoint(saga, answer);
}

static bool is_unsure(const Saga *saga)
{
    return journal_number(&saga->journal, FACT_DOUBTS) > 0 &&
           !journal_has(&saga->journal, FACT_MADE_ENDPOINT);
}

// Perhaps ours, perhaps not: told, and left.
Ask import_ask_undo_look(Saga *saga, Effect *effect)
{
    return is_unsure(saga) && !journal_has(&saga->journal, FACT_ENDPOINT_UNDONE)
               ? ask_endpoints(saga, effect)
               : ASK_NOTHING;
}

Lesson import_learn_undo_look(Saga *saga, const Answer *answer)
{
    NeonEndpoint endpoint;
    bool found = false;
    Lesson lesson = LESSON_LEARNT;
    bool is_gone = answer->reply->meaning == NEON_NOT_FOUND;
    if (!is_gone && !read_endpoint(saga, answer->reply, &endpoint, &found, &lesson)) {
        return lesson;
    }
    if (found) {
        CLEANUP(text_clear) Text text = TEXT_INIT(256);
        text_printf(&text, "endpoint %s, which this command may have asked for", endpoint.id);
        journal_append_text(&saga->journal, FACT_LEFT, text_get(&text));
    }
    journal_set_flag(&saga->journal, FACT_ENDPOINT_UNDONE);
    return LESSON_LEARNT;
}

Ask import_ask_undo_endpoint(Saga *saga, Effect *effect)
{
    const char *id = journal_text(&saga->journal, FACT_MADE_ENDPOINT);
    if (id[0] == '\0' || journal_has(&saga->journal, FACT_ENDPOINT_UNDONE)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    set_project(saga, effect);
    neon_request_delete_endpoint(&effect->request, effect->project_id, id);
    return ASK_EFFECT;
}

Lesson import_learn_undo_endpoint(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning != NEON_OK && reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_EXACT_ID, "delete the endpoint");
    }
    if (reply->meaning == NEON_NOT_FOUND && record_is_young(saga) &&
        !journal_has(&saga->journal, FACT_MAYBE_DELETED)) {
        return lesson_wait(saga);
    }
    record_gone(saga, "undo_delete_endpoint");
    record_undone(saga, "endpoint", journal_text(&saga->journal, FACT_MADE_ENDPOINT));
    journal_set_flag(&saga->journal, FACT_ENDPOINT_UNDONE);
    return LESSON_LEARNT;
}
