#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run/ending.h"
#include "run/flight.h"
#include "run/outbox.h"
#include "run/tally.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/log.h"
#include "sys/random.h"

static void free_flight(Flight *flight)
{
    flight_free(flight);
}

static void on_looked(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    LedgerLook look = op->answer.look;
    op->answer.look = (LedgerLook){.current = false};
    ledger_intent_clear(&look.intent);
    if (!flight_landed(flight)) {
        return;
    }
    if (look.current && look.stop[0] != '\0') {
        saga_stop(&flight->work->saga, look.stop, look.stopped_by);
        flight_advance(flight);
    } else {
        flight_stale(flight); // or our own conclude, sent twice: the claim tells
    }
}

// It wasn't concluded: another owns it, or a stop mark came after its last step.
static void find_why(Flight *flight)
{
    if (!flight->work->conclusion.row.heeds_stop) {
        flight_stale(flight);
        return;
    }
    flight->op.ask.look = flight_key(flight);
    flight_put(flight, LEDGER_OP_LOOK, on_looked);
}

static void on_concluded(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    bool written = op->answer.written;
    crash_point(CRASH_CONCLUDE_AFTER, flight->command->action_name, NULL);
    if (!flight_landed(flight)) {
        return;
    }
    if (!written) {
        find_why(flight);
        return;
    }
    LogFields fields = flight_log(flight);
    fields.step = NULL;
    fields.error = flight->work->saga.failure.error.kind != ERROR_NONE
                       ? &flight->work->saga.failure.error
                       : NULL;
    log_write(LOG_LEVEL_INFO, &fields, "%s after %" PRId64 " ms", flight->work->conclusion.type,
              clock_boot_ms() - flight->started_boot_ms);
    tally_end(flight, flight->work->conclusion.type, fields.error);
    if (flight->command->action == PROVISIONING__V1__COMMAND__ACTION_SWEEP_ACCOUNT) {
        tally_swept(flight);
    }
    if (flight->partition != NULL && !flight->lane.granted && !flight->overtakes) {
        // given back while this was written, behind earlier commands whose outcomes go first
        (void)flight_wait(flight);
        return;
    }
    if (flight->partition != NULL) {
        outbox_put(flight->worker, flight->partition, flight->command->offset,
                   outcome_message(flight->work->conclusion.outcome), OUTBOX_FIRST,
                   flight->command->application_id, flight->command->command_id);
    }
    free_flight(
        flight); // without an assignment: the ledger has the outcome, the next owner publishes it
}

void flight_conclude(Flight *flight)
{
    Worker *worker = flight->worker;
    const Command *command = flight->command;
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT &&
        !flight->work->saga.rejected) {
        keys_seal(&worker->keys, command->application_id, command->writes.name, &flight->api_key,
                  &flight->sealed_key);
    }
    uint8_t ephemeral_key[CRYPTO_KEY_BYTES];
    random_bytes(ephemeral_key, sizeof ephemeral_key);
    ConcludeContext context = {
        .outcome =
            ending_context(worker, command->application_id, command->command_id,
                           command->traceparent, (int32_t)(flight->work->claimed.takeovers + 1)),
        .record = &flight->record.record,
        .worker = worker->name,
        .max_dead_value_bytes = worker->command_rules.max_bytes,
        .ephemeral_key = ephemeral_key,
        .sealed_key = buffer_view(&flight->sealed_key),
    };
    conclusion_clear(&flight->work->conclusion);
    saga_conclude(&flight->work->saga, &context, &flight->work->conclusion);
    secret_zero(ephemeral_key, sizeof ephemeral_key);
    flight->op.ask.conclude = flight->work->conclusion.row;
    const Error *failure = &flight->work->saga.failure.error;
    crash_point(CRASH_CONCLUDE_BEFORE, command->action_name,
                failure->kind != ERROR_NONE ? failure->code : NULL);
    flight_put(flight, LEDGER_OP_CONCLUDE, on_concluded);
}

// Same coordinates and not published yet: its first time. Same coordinates and published: silent.
// Other coordinates, or a record of another time there: the producer sent it again.
static OutboxMode repeat_mode(const Flight *flight)
{
    const LedgerClaimed *claimed = &flight->work->claimed;
    bool is_same = claimed->partition == flight->command->partition &&
                   claimed->offset == flight->command->offset &&
                   claimed->timestamp_ms == flight->command->timestamp_ms;
    if (!is_same) {
        return OUTBOX_REPLAYED;
    }
    if (claimed->published) {
        return OUTBOX_SILENT;
    }
    return claimed->outcome_sequence == claimed->subject_sequence ? OUTBOX_FIRST : OUTBOX_NO_STATE;
}

void flight_finished(Flight *flight)
{
    const Command *command = flight->command;
    OutboxMode mode = repeat_mode(flight);
    OutcomeMessage *outcome = outcome_unpack(buffer_view(&flight->work->claimed.outcome));
    LogFields fields = flight_log(flight);
    if (outcome == NULL) {
        log_write(LOG_LEVEL_ERROR, &fields,
                  "the ledger's outcome can't be read; the record is passed over");
        mode = OUTBOX_SILENT;
    } else {
        log_write(LOG_LEVEL_INFO, &fields, "finished before; %s",
                  mode == OUTBOX_REPLAYED ? "its outcome is published again, marked as replayed"
                  : mode == OUTBOX_SILENT ? "its outcome is published already"
                                          : "its outcome is published now");
    }
    outbox_put(flight->worker, flight->partition, command->offset, outcome, mode,
               command->application_id, command->command_id);
    outcome_message_free(outcome);
    free_flight(flight);
}

void flight_reused(Flight *flight)
{
    const Command *command = flight->command;
    Rejection rejection = {.action_name = command->action_name};
    bool fits = text_copy(rejection.application_id, sizeof rejection.application_id,
                          command->application_id);
    fits =
        text_copy(rejection.command_id, sizeof rejection.command_id, command->command_id) && fits;
    assert(fits);
    (void)fits;
    error_set_field(&rejection.error, ERROR_CONFLICT, "COMMAND_ID_REUSED", "command_id",
                    "the id was used for another command of the application; choose a new one");
    ending_reject(flight->worker, flight->partition, &flight->record.record, &rejection);
    free_flight(flight);
}
