// From a command that may start to one whose saga has begun: its claim, and the key of its calls.
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "run/flight.h"
#include "run/progress.h"
#include "run/tally.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/log.h"
#include "sys/random.h"
#include "sys/reference.h"

enum { KEY_RETRY_MS = 10000, CLAIM_RETRY_MS = 1000, RECLAIM_MS = 1000 };

// The API key that the command's calls are made with. Error kinds: unavailable or internal (ours to
// repair, the command waits), else it is refused.
static bool find_key(Flight *flight, Error *err)
{
    const Command *command = flight->command;
    const LedgerAccount *account = &flight->work->claimed.account;
    if (command->action != PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT) {
        return !account->found ||
               keys_open(&flight->worker->keys, command->application_id, account->account,
                         buffer_view(&account->sealed_key), &flight->api_key, err);
    }
    if (!secret_is_empty(&command->api_key)) {
        secret_set(&flight->api_key, secret_bytes(&command->api_key));
        return true;
    }
    return reference_resolve(settings_text(flight->worker->settings, SETTING_REFERENCES_ROOT),
                             command->application_id, command->message->connect_account->reference,
                             &flight->api_key, err) &&
           command_check_key(&flight->api_key, err);
}

void flight_open_key(Flight *flight)
{
    Error err = ERROR_INIT;
    bool is_stopped = flight->work->saga.stop[0] != '\0' && !flight->work->saga.had_intent;
    flight->has_key = is_stopped || find_key(flight, &err); // it ends without a call
    if (flight->has_key) {
        flight_advance(flight);
        return;
    }
    LogFields fields = flight_log(flight);
    fields.error = &err;
    // ours to repair, and the next worker may have the right key; but not for ever where nothing
    // was done yet
    bool is_ours = strcmp(err.code, "SECRET_NOT_OPENABLE") == 0 || err.kind == ERROR_UNAVAILABLE;
    int64_t waited_ms = clock_boot_ms() - flight->started_boot_ms;
    bool has_patience = waited_ms < (int64_t)flight->worker->saga_rules.max_wait_ms;
    if (is_ours && (has_patience || flight->work->saga.had_intent)) {
        log_write(LOG_LEVEL_ERROR, &fields,
                  "the account's key can't be opened; is this the fleet's key-encryption key?");
        flight_after(flight, KEY_RETRY_MS, flight_open_key);
        return;
    }
    flight->has_key = true; // the saga fails without a call
    saga_fail(&flight->work->saga, &err, "open_key");
    flight_advance(flight);
}

static void begin(Flight *flight)
{
    Worker *worker = flight->worker;
    // what the ledger says in milliseconds from its own now counts, on our clock, from when the
    // answer was there: never too early
    saga_begin(&flight->work->saga, flight->command, &worker->saga_rules, &flight->work->claimed,
               flight_now());
    flight->has_saga = true;
    flight->performed = NULL;
    progress_accepted(flight);
    if (flight->work->saga.intent.open) {
        tally_intent(worker, "taken_over");
    }
    if (flight->stop[0] != '\0') {
        saga_stop(&flight->work->saga, flight->stop,
                  flight->stopped_by); // it came while this was claimed
    }
    flight->progress_boot_ms = flight->work->saga.now.boot_ms;
    flight->phase = FLIGHT_RUNNING;
    if (!flight->work->claimed.undoing &&
        flight->work->claimed.abandoned > worker->saga_rules.crash_limit) {
        Error err = ERROR_INIT;
        error_set(&err, ERROR_INTERNAL, "CRASH_LOOP",
                  "its calls were left open by %" PRId64 " workers that stopped",
                  flight->work->claimed.abandoned);
        saga_fail(&flight->work->saga, &err, flight->work->claimed.intent.step);
    }
    flight_open_key(flight);
}

// Out of turn it may only end as stopped, and only where no worker has ever begun it: nothing of
// its subjects was read or written.
static bool may_overtake(const Flight *flight)
{
    const LedgerClaimed *claimed = &flight->work->claimed;
    return claimed->result == LEDGER_CLAIM_TAKEN && claimed->takeovers == 0 &&
           claimed->stop[0] != '\0';
}

static void on_claimed(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    crash_point(CRASH_CLAIM_AFTER, flight->command->action_name, NULL);
    if (!flight_landed(flight)) {
        return;
    }
    if (!flight->work->claimed.answered) {
        flight_after(flight, CLAIM_RETRY_MS, flight_claim);
        return;
    }
    if (flight->overtakes && !may_overtake(flight)) {
        if (flight_wait(flight) && flight->lane.granted) {
            flight_claim(flight);
        }
        return;
    }
    switch (flight->work->claimed.result) {
    case LEDGER_CLAIM_TAKEN:
        begin(flight);
        break;
    case LEDGER_CLAIM_FINISHED:
        flight_finished(flight);
        break;
    case LEDGER_CLAIM_REUSED:
        flight_reused(flight);
        break;
    }
}

void flight_claim(Flight *flight)
{
    const Command *command = flight->command;
    const char *reserves = command_reserves(command);
    bool writes_environment = command->writes.kind == SUBJECT_ENVIRONMENT && !flight->overtakes;
    flight->phase = FLIGHT_CLAIMING;
    if (flight->overtakes) {
        gate_rest(flight->worker->inventories, &flight->inventory);
    } else if (flight_takes_inventory(flight)) {
        gate_work(flight->worker->inventories, &flight->inventory);
    }
    if (flight->work == NULL) {
        flight->work = alloc_zeroed(1, sizeof(*flight->work));
    }
    flight->op.answer.claimed = &flight->work->claimed;
    command_spec_digest(command->message, flight->spec_digest);
    flight->op.ask.claim = (LedgerClaim){
        .application_id = command->application_id,
        .command_id = command->command_id,
        .digest = command->digest,
        .action = command->action_name,
        .partition = command->partition,
        .offset = command->offset,
        .timestamp_ms = command->timestamp_ms,
        .environment = writes_environment ? command->writes.name : "",
        .source_environment = flight->overtakes ? "" : command_source_environment(command),
        .source_is_base = command_source_is_base(command) && !flight->overtakes,
        .account = flight->overtakes ? "" : command_account(command),
        .writes_account = command->writes.kind == SUBJECT_ACCOUNT && !flight->overtakes,
        .writes_application = command->writes.kind == SUBJECT_APPLICATION && !flight->overtakes,
        .reserve = reserves[0] != '\0' && !flight->overtakes,
        .origin = reserves,
        .spec_digest = flight->spec_digest,
        .subject = flight->subject,
        .worker = flight->worker->name,
    };
    crash_point(CRASH_CLAIM_BEFORE, command->action_name, NULL);
    flight_put(flight, LEDGER_OP_CLAIM, on_claimed);
}

static void claim_again(Flight *flight)
{
    LogFields fields = flight_log(flight);
    log_write(LOG_LEVEL_INFO, &fields,
              "another worker has claimed the command; it is claimed again");
    // a thawed former owner may have claimed from its buffer; it loses its assignment at its next
    // poll
    flight->phase = FLIGHT_CLAIMING;
    flight_after(flight, RECLAIM_MS / 2 + random_u32() % RECLAIM_MS, flight_claim);
}

void flight_stale(Flight *flight)
{
    if (flight_wait(flight) && flight->lane.granted) {
        claim_again(flight);
    }
}
