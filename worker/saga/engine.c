#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/saga.h"

// How often the present owner looks whether a foreign intent was closed.
enum { LOOK_MS = 1000 };

static const Backoff RESEND_BACKOFF = {.first_ms = 1000, .max_ms = 10000};

static const Step *step_named(const Step *steps, const char *name)
{
    for (const Step *step = steps; step->name != NULL; step++) {
        if (strcmp(step->name, name) == 0) {
            return step;
        }
        const Step *undo = step->undo != NULL ? step_named(step->undo, name) : NULL;
        if (undo != NULL) {
            return undo;
        }
    }
    return NULL;
}

static void read_first_error(Saga *saga, const json_t *error)
{
    if (error == NULL) {
        return;
    }
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "text"));
    const char *field = json_string_value(json_object_get(error, "field"));
    const char *step = json_string_value(json_object_get(error, "step"));
    const char *request = json_string_value(json_object_get(error, "neon_request_id"));
    SagaFailure *failure = &saga->failure;
    error_set_field(&failure->error, (ErrorKind)json_integer_value(json_object_get(error, "kind")),
                    code != NULL ? code : "", field != NULL ? field : "", "%s",
                    text != NULL ? text : "");
    failure->neon_status = (int)json_integer_value(json_object_get(error, "neon_status"));
    // what was written by this program fits; a longer text of another version is left out
    bool fits = text_copy(failure->step, sizeof failure->step, step != NULL ? step : "");
    fits = text_copy(failure->neon_request_id, sizeof failure->neon_request_id,
                     request != NULL ? request : "") &&
           fits;
    (void)fits;
}

char *saga_first_error(const Saga *saga)
{
    const SagaFailure *failure = &saga->failure;
    if (failure->error.kind == ERROR_NONE) {
        return NULL;
    }
    json_t *error =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "kind", (int)failure->error.kind, "code",
                  failure->error.code, "field", failure->error.field, "text", failure->error.text,
                  "step", failure->step, "neon_status", failure->neon_status, "neon_request_id",
                  failure->neon_request_id);
    assert(error != NULL);
    char *text = json_dumps(error, JSON_COMPACT);
    json_decref(error);
    return text;
}

void saga_begin(Saga *saga, const Command *command, const SagaRules *rules, LedgerClaimed *ledger,
                SagaNow now)
{
    const LedgerIntent *intent = &ledger->intent;
    *saga = (Saga){
        .command = command,
        .definition = saga_definition(command->action),
        .rules = rules,
        .ledger = ledger,
        .now = now,
        .had_intent = ledger->had_intent,
        .undoing = ledger->undoing,
        .progress_boot_ms = now.boot_ms,
    };
    assert(saga->definition != NULL);
    // what an earlier command of the environment passed over can appear as well as what this one
    // did
    int64_t earlier_ms = ledger->environment.unsettled_in_ms;
    saga->unsettled_boot_ms =
        now.boot_ms + (earlier_ms > ledger->unsettled_in_ms ? earlier_ms : ledger->unsettled_in_ms);
    journal_init(&saga->journal, ledger->journal);
    ledger->journal = NULL;
    read_first_error(saga, ledger->first_error);
    saga_stop(saga, ledger->stop, ledger->stopped_by);
    if (intent->status == LEDGER_INTENT_OPEN) {
        saga->intent = (SagaIntent){.open = true,
                                    .foreign = true,
                                    .settles = intent->settles,
                                    .settled_boot_ms = now.boot_ms + intent->settled_in_ms};
        bool fits = text_copy(saga->intent.step, sizeof saga->intent.step, intent->step);
        assert(fits);
        (void)fits;
    } else if (intent->status == LEDGER_INTENT_CLOSED && intent->result != NULL) {
        // its closer had lost the command: what it learnt may not be in the journal yet
        journal_merge(&saga->journal, intent->result);
    }
}

void saga_clear(Saga *saga)
{
    journal_clear(&saga->journal);
    secret_clear(&saga->connection.password);
}

void saga_stop(Saga *saga, const char *stop, const char *stopped_by)
{
    bool fits = text_copy(saga->stop, sizeof saga->stop, stop);
    fits = text_copy(saga->stopped_by, sizeof saga->stopped_by, stopped_by) && fits;
    assert(fits);
    (void)fits;
}

void saga_fail(Saga *saga, const Error *error, const char *step)
{
    saga->failure = (SagaFailure){.error = *error};
    bool fits = text_copy(saga->failure.step, sizeof saga->failure.step, step);
    assert(fits);
    (void)fits;
}

static void doubt(Saga *saga)
{
    journal_set_number(&saga->journal, FACT_DOUBTS,
                       journal_number(&saga->journal, FACT_DOUBTS) + 1);
    journal_forget_notes(&saga->journal);
}

static void pass_intent(Saga *saga)
{
    if (saga->intent.settles && saga->intent.settled_boot_ms > saga->unsettled_boot_ms) {
        saga->unsettled_boot_ms = saga->intent.settled_boot_ms;
    }
    if (saga->intent.settles) {
        doubt(saga);
    }
    saga->intent.open = false;
}

static void turn(Saga *saga, Decision *decision)
{
    if (!saga->had_intent) {
        saga->rejected = true;
        decision->kind = DECISION_CONCLUDE;
        return;
    }
    saga->undoing = true;
    saga->attempt = 0;
    saga->progress_boot_ms = saga->now.boot_ms;
    journal_forget_notes(&saga->journal);
    decision->kind = DECISION_SAVE;
}

static bool must_turn(Saga *saga)
{
    if (saga->failure.error.kind != ERROR_NONE) {
        return true;
    }
    if (saga->definition->is_final != NULL && saga->definition->is_final(saga)) {
        return false;
    }
    if (saga->stop[0] != '\0') {
        error_set(&saga->failure.error, ERROR_CONFLICT,
                  strcmp(saga->stop, "superseded") == 0 ? "SUPERSEDED" : "CANCELLED",
                  "stopped by command %s", saga->stopped_by);
        return true;
    }
    const Command *command = saga->command;
    if (command->deadline_ms != 0 && saga->now.wall_ms > command->deadline_ms) {
        error_set_field(
            &saga->failure.error, ERROR_CONFLICT,
            saga->had_intent ? "DEADLINE_EXCEEDED" : "EXPIRED", "deadline",
            "the deadline passed before the command was done; send it again with a later one");
        return true;
    }
    if (!saga->had_intent && !command_never_expires(command->action) && command->timestamp_ms > 0 &&
        saga->now.wall_ms - command->timestamp_ms > saga->rules->max_age_ms) {
        error_set(&saga->failure.error, ERROR_CONFLICT, "EXPIRED",
                  "the command is older than commands.max_age; send it again");
        return true;
    }
    return false;
}

static Ask ask_steps(Saga *saga, const Step *steps, Decision *decision)
{
    for (const Step *step = steps; step->name != NULL; step++) {
        decision_clear(decision);
        Ask ask = step->ask(saga, &decision->effect);
        if (ask != ASK_NOTHING) {
            decision->step = step;
            return ask;
        }
    }
    return ASK_NOTHING;
}

static bool gave_up(const Saga *saga, const char *name)
{
    size_t i;
    json_t *given;
    json_t *list = json_object_get(saga->journal.facts, FACT_GAVE_UP);
    json_array_foreach(list, i, given)
    {
        if (strcmp(json_string_value(given), name) == 0) {
            return true;
        }
    }
    return false;
}

static Ask ask_undo(Saga *saga, Decision *decision)
{
    const Step *first = saga->definition->steps;
    const Step *step = first;
    while (step->name != NULL) {
        step++;
    }
    while (step-- != first) {
        if (step->undo == NULL || gave_up(saga, step->name)) {
            continue;
        }
        Ask ask = ask_steps(saga, step->undo, decision);
        if (ask != ASK_NOTHING) {
            return ask;
        }
    }
    return ASK_NOTHING;
}

// Waits that open or passed-over intents impose on what `decision` says. Returns whether to wait.
static bool must_settle(Saga *saga, Decision *decision)
{
    int64_t until = 0;
    const SagaIntent *intent = &saga->intent;
    const Step *opener = intent->open ? step_named(saga->definition->steps, intent->step) : NULL;
    // a step that this program doesn't know is treated as one that nothing protects
    bool may_read_on =
        opener != NULL && opener->protection == PROTECTED_UNIQUE_NAME && !saga->undoing;
    if (intent->open && intent->settles && !may_read_on) {
        until = intent->settled_boot_ms;
    }
    if (saga->undoing && saga->unsettled_boot_ms > until) {
        until = saga->unsettled_boot_ms;
    }
    int64_t left = until - saga->now.boot_ms;
    if (left <= 0) {
        return false;
    }
    decision->kind = DECISION_WAIT;
    decision->look = intent->open && intent->foreign;
    decision->wait_ms = (uint32_t)(decision->look && left > LOOK_MS ? LOOK_MS : left);
    return true;
}

static void decide_effect(Decision *decision)
{
    Protection protection = decision->step->protection;
    decision->kind = DECISION_EFFECT;
    decision->mutating = protection != PROTECTED_READ && protection != PROTECTED_LEDGER;
    decision->settles = protection == PROTECTED_NOTHING || protection == PROTECTED_UNIQUE_NAME;
}

void saga_next(Saga *saga, SagaNow now, Decision *ret_decision)
{
    *ret_decision = (Decision){.effect = {.request = NEON_REQUEST_INIT}};
    saga->now = now;
    if (!saga->checked && !saga->undoing) {
        saga->checked = true;
        Error err = ERROR_INIT;
        if (!saga->definition->check(saga, &err)) {
            saga->failure.error = err;
        }
    }
    if (!saga->undoing && must_turn(saga)) {
        turn(saga, ret_decision);
        return;
    }
    if (must_settle(saga, ret_decision)) {
        return;
    }
    if (saga->intent.open) {
        pass_intent(saga);
    }
    bool is_done = !saga->undoing && journal_has(&saga->journal, FACT_UNCHANGED);
    Ask ask = is_done         ? ASK_NOTHING
              : saga->undoing ? ask_undo(saga, ret_decision)
                              : ask_steps(saga, saga->definition->steps, ret_decision);
    if (ask == ASK_NOTHING) {
        ret_decision->kind = DECISION_CONCLUDE;
    } else if (ask == ASK_WAIT) {
        ret_decision->kind = DECISION_WAIT;
        ret_decision->wait_ms = ret_decision->effect.wait_ms;
    } else {
        decide_effect(ret_decision);
    }
}

void decision_clear(Decision *decision)
{
    neon_request_clear(&decision->effect.request);
    decision->effect = (Effect){.request = NEON_REQUEST_INIT};
}

void saga_opened(Saga *saga, const Step *step, bool settles, int64_t settled_boot_ms)
{
    saga->had_intent = true;
    saga->intent =
        (SagaIntent){.open = true, .settles = settles, .settled_boot_ms = settled_boot_ms};
    bool fits = text_copy(saga->intent.step, sizeof saga->intent.step, step->name);
    assert(fits);
    (void)fits;
    journal_start_delta(&saga->journal);
}

// An undo step that can't be done: its table is given up, what it leaves is named, the others go
// on.
static void give_up_undo(Saga *saga, const Step *failed)
{
    for (const Step *step = saga->definition->steps; step->name != NULL; step++) {
        if (step->undo != NULL && step_named(step->undo, failed->name) == failed) {
            journal_append_text(&saga->journal, FACT_GAVE_UP, step->name);
        }
    }
}

static void fail_step(Saga *saga, const Step *step, const Answer *answer, const SagaFailure *before)
{
    SagaFailure *failure = &saga->failure;
    bool fits = text_copy(failure->step, sizeof failure->step, step->name);
    if (answer->reply != NULL) {
        failure->neon_status = answer->reply->status;
        fits = text_copy(failure->neon_request_id, sizeof failure->neon_request_id,
                         answer->reply->request_id) &&
               fits;
    }
    assert(fits);
    (void)fits;
    if (saga->undoing) {
        Text left = TEXT_INIT(1024);
        text_printf(&left, "%s: %s", step->name, failure->error.text);
        journal_append_text(&saga->journal, FACT_LEFT, text_get(&left));
        text_clear(&left);
        *failure = *before; // the command's error stays the one that turned it
        give_up_undo(saga, step);
    }
}

static Lesson learn_unknown(Saga *saga, const Step *step, const Answer *answer)
{
    saga->wait_ms = backoff_delay_ms(RESEND_BACKOFF, saga->attempt, saga->now.random);
    saga->attempt++;
    if (!lesson_is_out_of_patience(saga)) {
        return LESSON_UNKNOWN;
    }
    SagaFailure before = saga->failure;
    lesson_fail(saga, ERROR_UNAVAILABLE, "NEON_UNAVAILABLE",
                "%s: Neon gave no usable answer for too long (%s)", step->name,
                answer->reply->message);
    fail_step(saga, step, answer, &before);
    return LESSON_UNKNOWN;
}

Lesson saga_learn(Saga *saga, const Step *step, const Answer *answer, SagaNow now)
{
    SagaFailure before = saga->failure;
    saga->now = now;
    journal_watch(&saga->journal);
    Lesson lesson = step->learn(saga, answer);
    switch (lesson) {
    case LESSON_LEARNT:
        assert(saga->journal.changed); // otherwise the same step would ask for ever
        saga->attempt = 0;
        if (saga->journal.progressed) {
            saga->progress_boot_ms = now.boot_ms;
        }
        break;
    case LESSON_WAIT:
        saga->attempt++;
        break;
    case LESSON_FAILED:
        fail_step(saga, step, answer, &before);
        break;
    case LESSON_UNKNOWN:
        assert(step->protection != PROTECTED_READ);
        return learn_unknown(saga, step, answer);
    }
    saga->intent.open = false;
    return lesson;
}

void saga_not_sent(Saga *saga, SagaNow now)
{
    saga->now = now;
    saga->intent.open = false;
    saga->attempt++;
}

void saga_intent_closed(Saga *saga, const json_t *result)
{
    saga->intent.open = false;
    if (result != NULL) {
        journal_merge(&saga->journal, result);
    }
}
