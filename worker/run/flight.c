#include "run/flight.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/outbox.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/log.h"
#include "sys/random.h"
#include "sys/reference.h"

enum { KEY_RETRY_MS = 10000, CLAIM_RETRY_MS = 1000, RECLAIM_MS = 1000 };

static void claim(Flight *flight);

LogFields flight_log(const Flight *flight)
{
    return (LogFields){.application_id = flight->command->application_id,
                       .command_id = flight->command->command_id,
                       .subject = flight->subject,
                       .step = flight->decision.step != NULL ? flight->decision.step->name : NULL};
}

SagaNow flight_now(void)
{
    return (SagaNow){
        .boot_ms = clock_boot_ms(), .wall_ms = clock_wall_ms(), .random = random_u32()};
}

static void on_timer(void *context)
{
    Flight *flight = context;
    flight->on_timer(flight);
}

static void on_lock(LockEntry *entry)
{
    Flight *flight = LIST_ENTRY(entry, Flight, lock);
    // one that is about to be detached or freed gives the lock on
    if (flight->partition != NULL && !flight->is_dropped) {
        flight_perform(flight);
    }
}

static void park_key(const Flight *flight, char ret_key[64])
{
    (void)snprintf(ret_key, 64, "%" PRId32 ":%" PRId64, flight->record.record.partition,
                   flight->record.record.offset);
}

void flight_start(Worker *worker, Partition *partition, const Record *record, Command *command)
{
    Flight *flight = alloc_zeroed(1, sizeof(*flight));
    flight->worker = worker;
    flight->partition = partition;
    flight->command = command;
    subject_format(command->application_id, &command->writes, flight->subject);
    flight->started_boot_ms = clock_boot_ms();
    flight->lock.granted = on_lock;
    flight->timer = loop_timer_new(worker->loop, on_timer, flight);
    list_link_init(&flight->lane.ready);
    record_copy_set(&flight->record, record);
    list_append(&worker->flights, &flight->link);
    worker->flight_count++;
    lanes_enter(worker->lanes, &flight->lane, command);
    if (flight->lane.granted) {
        claim(flight);
    }
}

static void end_saga(Flight *flight)
{
    if (flight->has_saga) {
        decision_clear(&flight->decision);
        flight->decision.step = NULL;
        saga_clear(&flight->saga);
        flight->has_saga = false;
    }
    ledger_claimed_clear(&flight->claimed);
    secret_clear(&flight->api_key);
    flight->has_key = false;
}

bool flight_is_under_way(const Flight *flight)
{
    return flight->op.pending || flight->call != NULL || flight->login != NULL;
}

// The record may come again while what is under way goes on: it must not find this flight then.
static void leave_parking(Flight *flight)
{
    char key[64];
    park_key(flight, key);
    if (table_get(flight->worker->parked, key) == flight) {
        table_remove(flight->worker->parked, key);
    }
}

void flight_free(Flight *flight)
{
    Worker *worker = flight->worker;
    List ready;
    list_init(&ready);
    if (flight->call != NULL) {
        http_cancel(flight->call);
    }
    if (flight->login != NULL) {
        pg_close(flight->login);
    }
    leave_parking(flight);
    lanes_leave(worker->lanes, &flight->lane, &ready);
    locks_release(worker->locks, &flight->lock);
    loop_timer_free(flight->timer);
    flight_free_texts(flight);
    end_saga(flight);
    conclusion_clear(&flight->conclusion);
    buffer_clear(&flight->sealed_key);
    record_copy_clear(&flight->record);
    command_free(flight->command);
    list_remove(&flight->link);
    worker->flight_count--;
    free(flight);
    flight_start_ready(&ready);
}

void flight_doom(Flight *flight)
{
    flight->is_dropped = true;
    leave_parking(flight);
}

void flight_drop(Flight *flight)
{
    flight_doom(flight);
    if (!flight_is_under_way(flight)) {
        Worker *worker = flight->worker;
        flight_free(flight);
        worker_relieve(worker);
    }
}

void flight_free_texts(Flight *flight)
{
    for (size_t i = 0; i < sizeof flight->texts / sizeof flight->texts[0]; i++) {
        free(flight->texts[i]);
        flight->texts[i] = NULL;
    }
}

bool flight_landed(Flight *flight)
{
    flight_free_texts(flight);
    if (flight->is_dropped) {
        flight_drop(flight);
        return false;
    }
    return true;
}

void flight_detach(Flight *flight)
{
    List ready;
    list_init(&ready);
    flight->partition = NULL;
    lanes_leave(flight->worker->lanes, &flight->lane, &ready);
    flight_start_ready(&ready);
    if (!flight->has_saga) {
        flight_drop(flight);
        return;
    }
    char key[64];
    park_key(flight, key);
    table_put(flight->worker->parked, key, flight);
    if (!flight_is_under_way(flight)) { // a timer, a lock, or nothing at all
        loop_timer_stop(flight->timer);
        locks_release(flight->worker->locks, &flight->lock);
        flight->phase = FLIGHT_PARKED;
    }
}

static void open_key(Flight *flight);

static void resume(Flight *flight)
{
    if (flight->has_key) {
        flight_advance(flight);
    } else {
        open_key(flight);
    }
}

void flight_attach(Flight *flight, Partition *partition)
{
    leave_parking(flight);
    flight->partition = partition;
    lanes_enter(flight->worker->lanes, &flight->lane, flight->command);
    if (flight->lane.granted && flight->phase == FLIGHT_PARKED) {
        resume(flight);
    }
}

bool flight_wait(Flight *flight)
{
    const Worker *worker = flight->worker;
    end_saga(flight);
    conclusion_clear(&flight->conclusion);
    locks_release(worker->locks, &flight->lock);
    flight->phase = FLIGHT_WAITING;
    bool is_over = flight->partition == NULL || worker->hands_back ||
                   (worker->is_draining && !flight->lane.granted);
    if (is_over) {
        flight_drop(flight);
    }
    return !is_over;
}

void flight_start_ready(List *ready)
{
    ListLink *link;
    while ((link = list_first(ready)) != NULL) {
        list_remove(link);
        Flight *flight = LIST_ENTRY(link, Flight, lane.ready);
        if (flight->partition == NULL || flight->is_dropped) {
            continue; // about to be detached, too
        }
        if (flight->phase == FLIGHT_PARKED) {
            resume(flight);
        } else if (flight->phase == FLIGHT_WAITING) {
            claim(flight);
        }
    }
}

static const char *account_of(const Command *command)
{
    const Provisioning__V1__Command *message = command->message;
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT) {
        return message->connect_account->account;
    }
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT) {
        return message->create_environment->account;
    }
    bool names_branch = command->action == PROVISIONING__V1__COMMAND__ACTION_BRANCH_ENVIRONMENT &&
                        saga_source_environment(command)[0] == '\0';
    return names_branch ? message->branch_environment->source_branch->account : "";
}

// The API key that the command's calls are made with. Error kinds: unavailable or internal (ours to
// repair, the command waits), else it is refused.
static bool find_key(Flight *flight, Error *err)
{
    const Command *command = flight->command;
    const LedgerAccount *account = &flight->claimed.account;
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

static void open_key(Flight *flight)
{
    Error err = ERROR_INIT;
    flight->has_key = find_key(flight, &err);
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
    if (is_ours && (has_patience || flight->saga.had_intent)) {
        log_write(LOG_LEVEL_ERROR, &fields,
                  "the account's key can't be opened; is this the fleet's key-encryption key?");
        flight_after(flight, KEY_RETRY_MS, open_key);
        return;
    }
    flight->has_key = true; // the saga fails without a call
    saga_fail(&flight->saga, &err, "open_key");
    flight_advance(flight);
}

static void begin(Flight *flight)
{
    Worker *worker = flight->worker;
    // what the ledger says in milliseconds from its own now counts, on our clock, from when the
    // answer was there: never too early
    saga_begin(&flight->saga, flight->command, &worker->saga_rules, &flight->claimed, flight_now());
    flight->has_saga = true;
    flight->phase = FLIGHT_RUNNING;
    if (!flight->claimed.undoing && flight->claimed.abandoned > worker->saga_rules.crash_limit) {
        Error err = ERROR_INIT;
        error_set(&err, ERROR_INTERNAL, "CRASH_LOOP",
                  "its calls were left open by %" PRId64 " workers that stopped",
                  flight->claimed.abandoned);
        saga_fail(&flight->saga, &err, flight->claimed.intent.step);
    }
    open_key(flight);
}

static void on_claimed(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    flight->claimed = op->answer.claimed;
    op->answer.claimed = (LedgerClaimed){.answered = false};
    crash_point(CRASH_CLAIM_AFTER, flight->command->action_name, NULL);
    if (!flight_landed(flight)) {
        return;
    }
    if (!flight->claimed.answered) {
        flight_after(flight, CLAIM_RETRY_MS, claim);
        return;
    }
    switch (flight->claimed.result) {
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

static void claim(Flight *flight)
{
    const Command *command = flight->command;
    bool is_create = command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT;
    bool is_branch = command->action == PROVISIONING__V1__COMMAND__ACTION_BRANCH_ENVIRONMENT;
    flight->phase = FLIGHT_CLAIMING;
    command_spec_digest(command->message, flight->spec_digest);
    flight->op.ask.claim = (LedgerClaim){
        .application_id = command->application_id,
        .command_id = command->command_id,
        .digest = command->digest,
        .action = command->action_name,
        .partition = command->partition,
        .offset = command->offset,
        .timestamp_ms = command->timestamp_ms,
        .environment = command->writes.kind == SUBJECT_ENVIRONMENT ? command->writes.name : "",
        .source_environment = saga_source_environment(command),
        .account = account_of(command),
        .writes_account = command->writes.kind == SUBJECT_ACCOUNT,
        .reserve = is_create || is_branch,
        .origin = is_create ? "created" : "branched",
        .spec_digest = flight->spec_digest,
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
    flight_after(flight, RECLAIM_MS / 2 + random_u32() % RECLAIM_MS, claim);
}

void flight_stale(Flight *flight)
{
    if (flight_wait(flight) && flight->lane.granted) {
        claim_again(flight);
    }
}
