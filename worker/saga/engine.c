#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/engine.h"
#include "saga/facts.h"
#include "saga/record.h"
#include "saga/saga.h"

// How often the present owner looks whether a foreign intent was closed.
enum { LOOK_MS = 1000 };

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
        .ledger_less_boot_ms = ledger->now_ms - now.boot_ms,
    };
    assert(saga->definition != NULL);
    // what an earlier command of the environment passed over can appear as well as what this one
    // did
    int64_t earlier_ms = ledger->environment.unsettled_in_ms;
    saga->unsettled_boot_ms =
        now.boot_ms + (earlier_ms > ledger->unsettled_in_ms ? earlier_ms : ledger->unsettled_in_ms);
    journal_init(&saga->journal, ledger->journal);
    ledger->journal = NULL;
    failure_read(saga, ledger->first_error);
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
    secret_clear(&saga->connection.uri);
    secret_clear(&saga->connection.pooled_uri);
    secret_clear(&saga->connection.owner_password);
    secret_clear(&saga->connection.old_password);
}

bool saga_is_final(const Saga *saga)
{
    return saga->definition->is_final != NULL && saga->definition->is_final(saga);
}

void saga_stop(Saga *saga, const char *stop, const char *stopped_by)
{
    bool fits = text_copy(saga->stop, sizeof saga->stop, stop);
    fits = text_copy(saga->stopped_by, sizeof saga->stopped_by, stopped_by) && fits;
    assert(fits);
    (void)fits;
}

static void doubt(Saga *saga)
{
    journal_set_number(&saga->journal, FACT_DOUBTS,
                       journal_number(&saga->journal, FACT_DOUBTS) + 1);
    journal_forget_notes(&saga->journal);
}

// A step that this program doesn't know is treated as one that nothing protects.
static Protection opener_protection(const Saga *saga)
{
    const Step *opener = engine_find_step(saga->definition->steps, saga->intent.step);
    return opener != NULL ? opener->protection : PROTECTED_NOTHING;
}

// A deletion by exact id is simply sent again. Should that fail for good, what is still there must
// not vanish afterwards: others may rely on it by then (found by tests/model/sweep.pml).
static void pass_deletion(Saga *saga)
{
    int64_t until_ms = saga->intent.settled_boot_ms + saga->ledger_less_boot_ms;
    json_t *steps = json_deep_copy(journal_value(&saga->journal, FACT_DELETES_UNTIL));
    if (steps == NULL) {
        steps = json_object();
    }
    json_object_set_new(steps, saga->intent.step, json_integer(until_ms));
    journal_set_again(&saga->journal, FACT_DELETES_UNTIL, steps);
    journal_set_again(&saga->journal, FACT_MAYBE_DELETED, json_string(saga->intent.step));
}

static void pass_intent(Saga *saga)
{
    if (saga->intent.settles && saga->intent.settled_boot_ms > saga->unsettled_boot_ms) {
        saga->unsettled_boot_ms = saga->intent.settled_boot_ms;
    }
    if (saga->intent.settles) {
        doubt(saga);
    } else if (opener_protection(saga) != PROTECTED_FENCE) {
        pass_deletion(saga);
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
    saga->is_stuck = false; // undo has its own budget
    journal_forget_notes(&saga->journal);
    decision->kind = DECISION_SAVE;
}

// A signed command says itself when it was asked for: the record's time is of whoever sent it last.
static bool is_out_of_time(Saga *saga)
{
    const Command *command = saga->command;
    Error *err = &saga->failure.error;
    switch (command_age(command, saga->now.wall_ms, saga->rules->memory_ms)) {
    case COMMAND_AGE_FUTURE:
        error_set_field(err, ERROR_CONFLICT, "REQUESTED_IN_FUTURE", "requested_at",
                        "requested_at is more than 10 minutes ahead of the workers' clock: set the "
                        "sender's clock, and send the command again with another id");
        return true;
    case COMMAND_AGE_FORGOTTEN:
        error_set_field(err, ERROR_CONFLICT, "EXPIRED", "requested_at",
                        "the command was signed longer ago than the ledger remembers commands "
                        "(ledger.retention), so that it may have been executed before: send a new "
                        "one");
        return true;
    case COMMAND_AGE_FINE:
        break;
    }
    int64_t from_ms = command->signed_ms != 0 ? command->signed_ms : command->timestamp_ms;
    if (from_ms > 0 && !command_never_expires(command->action) &&
        saga->now.wall_ms - from_ms > saga->rules->max_age_ms) {
        error_set(err, ERROR_CONFLICT, "EXPIRED",
                  "the command is older than commands.max_age; send it again");
        return true;
    }
    return false;
}

static bool must_turn(Saga *saga)
{
    if (saga->failure.error.kind != ERROR_NONE) {
        return true;
    }
    if (saga_is_final(saga)) {
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
    return !saga->had_intent && is_out_of_time(saga);
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

static Ask ask_undo(Saga *saga, Decision *decision)
{
    const Step *first = saga->definition->steps;
    const Step *step = first;
    while (step->name != NULL) {
        step++;
    }
    while (step-- != first) {
        if (step->undo == NULL || record_holds(saga, FACT_GAVE_UP, step->name)) {
            continue;
        }
        Ask ask = ask_steps(saga, step->undo, decision);
        if (ask != ASK_NOTHING) {
            return ask;
        }
    }
    return ASK_NOTHING;
}

// Until when open or passed-over intents keep anything from being done.
static int64_t settled_boot_ms(const Saga *saga)
{
    int64_t until = 0;
    const SagaIntent *intent = &saga->intent;
    bool may_read_on =
        intent->open && opener_protection(saga) == PROTECTED_UNIQUE_NAME && !saga->undoing;
    if (intent->open && intent->settles && !may_read_on) {
        until = intent->settled_boot_ms;
    }
    if (saga->undoing && saga->unsettled_boot_ms > until) {
        until = saga->unsettled_boot_ms;
    }
    return until;
}

Waiting saga_waits_for(const Saga *saga, int64_t boot_ms, int64_t *ret_since_boot_ms)
{
    bool is_settling = settled_boot_ms(saga) > boot_ms;
    *ret_since_boot_ms = is_settling ? 0 : saga->waiting_boot_ms;
    return is_settling ? WAITING_SETTLING : saga->waiting;
}

static bool must_wait(const Saga *saga, Decision *decision)
{
    int64_t settled = settled_boot_ms(saga);
    int64_t until = settled > saga->not_before_boot_ms ? settled : saga->not_before_boot_ms;
    int64_t left = until - saga->now.boot_ms;
    if (left <= 0) {
        return false;
    }
    decision->kind = DECISION_WAIT;
    decision->look = saga->intent.open && saga->intent.foreign && settled > saga->now.boot_ms;
    if (decision->look && left > LOOK_MS) {
        left = LOOK_MS;
    }
    decision->wait_ms = (uint32_t)(left < UINT32_MAX ? left : UINT32_MAX);
    return true;
}

// What failed ends only when nothing of it can still take place.
static void decide_end(const Saga *saga, Decision *decision)
{
    int64_t until_ms = 0;
    const char *step;
    json_t *value;
    json_object_foreach(unconst(journal_value(&saga->journal, FACT_DELETES_UNTIL)), step, value)
    {
        until_ms = json_integer_value(value) > until_ms ? json_integer_value(value) : until_ms;
    }
    int64_t left_ms = until_ms - record_now_ms(saga);
    if (saga->undoing && left_ms > 0) {
        decision->kind = DECISION_WAIT;
        decision->wait_ms = (uint32_t)(left_ms < UINT32_MAX ? left_ms : UINT32_MAX);
        return;
    }
    decision->kind = DECISION_CONCLUDE;
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
    // what is stopped before it did anything needs no other reason to end
    bool is_stopped = saga->stop[0] != '\0' && !saga->had_intent;
    if (!saga->checked && !saga->undoing && !is_stopped) {
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
    if (must_wait(saga, ret_decision)) {
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
        decide_end(saga, ret_decision);
    } else if (ask == ASK_WAIT) {
        ret_decision->kind = DECISION_WAIT;
        ret_decision->wait_ms = ret_decision->effect.wait_ms;
        saga->waiting = WAITING_SETTLING;
        saga->waiting_boot_ms = 0;
    } else {
        decide_effect(ret_decision);
    }
}

void decision_clear(Decision *decision)
{
    neon_request_clear(&decision->effect.request);
    json_decref(decision->effect.names);
    json_decref(decision->effect.renew);
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
