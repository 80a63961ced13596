#include <assert.h>
#include <stdlib.h>

#include "run/flight.h"
#include "run/progress.h"
#include "run/tally.h"
#include "saga/facts.h"
#include "sys/clock.h"
#include "sys/log.h"

LedgerKey flight_key(const Flight *flight)
{
    return (LedgerKey){flight->command->application_id, flight->command->command_id,
                       flight->work->claimed.epoch};
}

void flight_put(Flight *flight, LedgerOpKind kind, void (*done)(LedgerOp *op))
{
    gate_work(flight->worker->gate, &flight->place);
    flight->op.kind = kind;
    flight->op.done = done;
    ledger_queue_put(flight->worker->ledger, &flight->op);
}

void flight_after(Flight *flight, uint32_t wait_ms, void (*then)(Flight *flight))
{
    gate_rest(flight->worker->gate, &flight->place);
    flight->on_timer = then;
    loop_timer_start(flight->timer, wait_ms);
}

static void on_saved(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    bool written = op->answer.written;
    if (!flight_landed(flight)) {
        return;
    }
    if (!written) {
        flight_stale(flight);
        return;
    }
    flight_progress(flight);
    flight_advance(flight);
}

static void save(Flight *flight)
{
    flight->texts[0] = journal_pack(&flight->work->saga.journal);
    flight->texts[1] = saga_first_error(&flight->work->saga);
    LogFields fields = flight_log(flight);
    fields.error = &flight->work->saga.failure.error;
    fields.step = flight->work->saga.failure.step;
    log_write(LOG_LEVEL_WARNING, &fields, "turning back: what was made is undone");
    flight->op.ask.save = (LedgerSave){.key = flight_key(flight),
                                       .undoing = true,
                                       .first_error = flight->texts[1],
                                       .journal = flight->texts[0]};
    flight_put(flight, LEDGER_OP_SAVE, on_saved);
}

static void on_looked(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    LedgerLook look = op->answer.look;
    op->answer.look = (LedgerLook){.current = false};
    if (!flight_landed(flight)) {
        ledger_intent_clear(&look.intent);
        return;
    }
    if (!look.current) {
        ledger_intent_clear(&look.intent);
        flight_stale(flight);
        return;
    }
    if (flight->work->saga.intent.open && look.intent.status == LEDGER_INTENT_CLOSED) {
        saga_intent_closed(&flight->work->saga, look.intent.result);
    }
    if (look.stop[0] != '\0') { // else it may have been told of one while this was under way
        saga_stop(&flight->work->saga, look.stop, look.stopped_by);
    }
    ledger_intent_clear(&look.intent);
    flight_advance(flight);
}

static void look(Flight *flight)
{
    flight->op.ask.look = flight_key(flight);
    flight_put(flight, LEDGER_OP_LOOK, on_looked);
}

// A project's lock is held until the operations of its last mutation have ended.
static void release_lock(Flight *flight)
{
    bool operations_run = journal_has(&flight->work->saga.journal, FACT_OPERATIONS);
    bool mutates_next =
        flight->work->decision.kind == DECISION_EFFECT && flight->work->decision.mutating;
    if (!operations_run && !mutates_next) {
        locks_release(flight->worker->locks, &flight->lock);
    }
}

uint32_t flight_cap_wait(const Flight *flight, uint32_t wait_ms)
{
    uint32_t longest_ms = flight->worker->saga_rules.max_wait_ms;
    int64_t deadline_ms = flight->command->deadline_ms;
    int64_t left_ms = deadline_ms - clock_wall_ms() + 1;
    if (deadline_ms != 0 && !flight->work->saga.undoing && left_ms > 0 && left_ms < longest_ms) {
        longest_ms = (uint32_t)left_ms;
    }
    return wait_ms < longest_ms ? wait_ms : longest_ms;
}

static bool must_park(const Flight *flight)
{
    bool has_turn = flight->lane.granted || flight->overtakes || flight->goes_on;
    return !flight_may_act(flight) || !has_turn || flight->worker->hands_back;
}

static void park(Flight *flight)
{
    gate_rest(flight->worker->gate, &flight->place);
    gate_rest(flight->worker->role_runs, &flight->role_run);
    tally_went_on(flight);
    buckets_leave(flight->worker->buckets, &flight->token);
    locks_release(flight->worker->locks, &flight->lock);
    flight->phase = FLIGHT_PARKED;
    if (flight->worker->is_draining) {
        flight_drop(flight); // nothing starts it again
    }
}

// Its own Cancel is heard at once (flight_tell_stop); a stop that another worker has written is
// found by looking.
static void sit_out(Flight *flight)
{
    uint32_t wait_ms = flight_cap_wait(flight, flight->work->decision.wait_ms);
    bool is_long = wait_ms > FLIGHT_LOOK_MS;
    flight_after(flight, is_long ? FLIGHT_LOOK_MS : wait_ms,
                 is_long || flight->work->decision.look ? look : flight_advance);
}

static void follow_step(Flight *flight)
{
    const Step *step = flight->work->decision.step;
    if (step != NULL && step->name != flight->step) {
        flight->step = step->name;
        flight->step_boot_ms = flight->work->saga.now.boot_ms;
    }
}

void flight_advance(Flight *flight)
{
    assert(flight->has_saga && !flight->op.pending && flight->call == NULL);
    if (flight->is_dropped) {
        flight_drop(flight);
        return;
    }
    if (must_park(flight)) {
        park(flight);
        return;
    }
    flight->phase = FLIGHT_RUNNING;
    decision_clear(&flight->work->decision);
    saga_next(&flight->work->saga, flight_now(), &flight->work->decision);
    release_lock(flight);
    progress_decided(flight);
    follow_step(flight);
    tally_decided(flight);
    if (flight->work->decision.kind != DECISION_EFFECT) {
        buckets_leave(flight->worker->buckets, &flight->token);
        gate_rest(flight->worker->role_runs, &flight->role_run);
    }
    switch (flight->work->decision.kind) {
    case DECISION_EFFECT:
        flight->step_boot_us = clock_boot_us();
        flight_perform(flight);
        break;
    case DECISION_WAIT:
        sit_out(flight);
        break;
    case DECISION_SAVE:
        save(flight);
        break;
    case DECISION_CONCLUDE:
        flight_conclude(flight);
        break;
    }
}
