#include <assert.h>
#include <stdlib.h>

#include "run/flight.h"
#include "run/flight_secrets.h"

// The effects of steps on the ledger.

static void on_marked(LedgerOp *op)
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
    flight_learn(flight, &(Answer){.reply = NULL});
}

static void on_dependents(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    LedgerDependent *list = op->answer.dependents.list;
    size_t count = op->answer.dependents.count;
    if (flight_landed(flight)) {
        flight_learn(flight, &(Answer){.dependents = list, .dependent_count = count});
    }
    free(list);
}

static void on_stopped(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    LedgerStopped stopped = op->answer.stopped;
    op->answer.stopped = (LedgerStopped){.found = false};
    // no mark: the Cancel itself has ended meanwhile
    if (stopped.found && !stopped.finished && stopped.stop[0] != '\0') {
        flight_tell_stop(flight->worker, flight->command->application_id, flight->command->stops,
                         stopped.stop, stopped.stopped_by);
    }
    if (flight_landed(flight)) {
        flight_learn(flight, &(Answer){.stopped = &stopped});
    }
    ledger_stopped_clear(&stopped);
}

static void on_judged(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    json_t *judged = op->answer.judged;
    if (flight_landed(flight)) {
        flight_learn(flight, &(Answer){.judged = judged});
    }
    json_decref(judged);
}

static void ask_judge(Flight *flight, const Effect *effect)
{
    flight->texts[0] = json_dumps(effect->names, JSON_COMPACT);
    flight->op.ask.judge =
        (LedgerJudge){flight->command->application_id, effect->account, flight->texts[0]};
    flight_put(flight, LEDGER_OP_JUDGE, on_judged);
}

void flight_perform_ledger(Flight *flight)
{
    const Effect *effect = &flight->work->decision.effect;
    switch (effect->kind) {
    case EFFECT_NEON:
    case EFFECT_LOGIN:
    case EFFECT_ROLES:
        assert(false); // not of the ledger
        break;
    case EFFECT_MARK:
        flight->op.ask.mark =
            (LedgerMark){.key = flight_key(flight),
                         .environment = flight->command->writes.name,
                         .state = effect->state,
                         .account = effect->account,
                         .project_id = effect->project_id,
                         .branch_id = effect->branch_id != NULL ? effect->branch_id : ""};
        flight_put(flight, LEDGER_OP_MARK, on_marked);
        break;
    case EFFECT_DEPENDENTS:
        flight->op.ask.dependents = (LedgerDependents){
            flight->command->application_id, flight->command->writes.name, effect->project_id,
            effect->account, effect->branch_id != NULL ? effect->branch_id : ""};
        flight_put(flight, LEDGER_OP_DEPENDENTS, on_dependents);
        break;
    case EFFECT_STOP:
        flight->op.ask.stop = (LedgerStop){
            .application_id = flight->command->application_id,
            .target_id = flight->command->stops,
            .command_id = flight->command->command_id,
            .stop = "cancelled",
            .environment = "",
            .repository = "",
        };
        flight_put(flight, LEDGER_OP_STOP, on_stopped);
        break;
    case EFFECT_JUDGE:
        ask_judge(flight, effect);
        break;
    case EFFECT_CONDEMN:
        flight->op.ask.condemn = (LedgerCondemn){
            .key = flight_key(flight),
            .environment = flight->command->writes.name,
            .project_id = effect->project_id,
            .branch_id = effect->branch_id,
        };
        flight_put(flight, LEDGER_OP_CONDEMN, on_marked);
        break;
    case EFFECT_SECRETS:
        flight_make_secrets(flight);
        break;
    case EFFECT_KEEP_SECRETS:
        flight_keep_secrets(flight);
        break;
    case EFFECT_PASSWORD:
        flight_find_password(flight);
        break;
    }
}
