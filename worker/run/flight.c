#include "run/flight.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/outbox.h"
#include "run/press.h"
#include "run/roles_run.h"
#include "run/supersede.h"
#include "run/tally.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/log.h"
#include "sys/random.h"
#include "sys/reference.h"

LogFields flight_log(const Flight *flight)
{
    const FlightWork *work = flight->work;
    bool has_step = work != NULL && work->decision.step != NULL;
    return (LogFields){.application_id = flight->command->application_id,
                       .command_id = flight->command->command_id,
                       .subject = flight->subject,
                       .step = has_step ? work->decision.step->name : NULL};
}

SagaNow flight_now(void)
{
    return (SagaNow){
        .boot_ms = clock_boot_ms(), .wall_ms = clock_wall_ms(), .random = random_u32()};
}

// What a command comes to hold beside itself and its record: facts, texts, its outcome.
enum { FLIGHT_BYTES = 8 * 1024 };

static void on_timer(void *context)
{
    Flight *flight = context;
    flight->on_timer(flight);
}

bool flight_may_act(const Flight *flight)
{
    return (flight->partition != NULL || flight->goes_on) && !flight->is_dropped;
}

static void on_lock(LockEntry *entry)
{
    Flight *flight = LIST_ENTRY(entry, Flight, lock);
    // one that is about to be detached or freed gives the lock on
    if (flight_may_act(flight)) {
        flight_perform(flight);
    }
}

static void park_key(const Flight *flight, char ret_key[64])
{
    (void)snprintf(ret_key, 64, "%" PRId32 ":%" PRId64, flight->record.record.partition,
                   flight->record.record.offset);
}

// The record, once more as a message, and all that the command comes to hold, journal included.
static size_t size_of(const Record *record)
{
    size_t size = record->key.size + record->value.size;
    for (size_t i = 0; i < record->header_count; i++) {
        size += record->headers[i].value.size;
    }
    return sizeof(Flight) + FLIGHT_BYTES + 2 * size;
}

bool flight_takes_inventory(const Flight *flight)
{
    return flight->command->action == PROVISIONING__V1__COMMAND__ACTION_DISCOVER_ACCOUNT ||
           flight->command->action == PROVISIONING__V1__COMMAND__ACTION_SWEEP_ACCOUNT;
}

// What takes an inventory waits to be one of the few that do, then as all others.
static void wait_for_place(Flight *flight)
{
    bool is_one = !flight_takes_inventory(flight) || flight->inventory.works;
    gate_wait(is_one ? flight->worker->gate : flight->worker->inventories,
              is_one ? &flight->place : &flight->inventory, flight->command->application_id);
}

void flight_admit(Flight *flight)
{
    gate_wait(flight->worker->gate, &flight->place, flight->command->application_id);
}

void flight_start(Worker *worker, Partition *partition, const Record *record, Command *command)
{
    Flight *flight = alloc_zeroed(1, sizeof(*flight));
    flight->worker = worker;
    flight->partition = partition;
    flight->command = command;
    const Subject subject = command_subject(command);
    subject_format(command->application_id, &subject, flight->subject);
    flight->started_boot_ms = clock_boot_ms();
    flight->lock.granted = on_lock;
    flight->token.granted = flight_on_token;
    flight->timer = loop_timer_new(worker->loop, on_timer, flight);
    list_link_init(&flight->lane.ready);
    record_copy_set(&flight->record, record);
    flight->held_bytes = size_of(record);
    press_take(worker, partition, flight->held_bytes);
    list_append(&worker->flights, &flight->link);
    worker->flight_count++;
    lanes_enter(worker->lanes, &flight->lane, command);
    supersede_earlier(worker->supersede, flight);
    if (flight->lane.granted) {
        wait_for_place(flight);
    }
}

static void end_work(Flight *flight)
{
    tally_went_on(flight);
    FlightWork *work = flight->work;
    if (flight->has_saga) {
        decision_clear(&work->decision);
        saga_clear(&work->saga);
        flight->has_saga = false;
    }
    if (work != NULL) {
        ledger_claimed_clear(&work->claimed);
        conclusion_clear(&work->conclusion);
        secret_zero(work, sizeof(*work));
        free(work);
        flight->work = NULL;
    }
    secret_clear(&flight->api_key);
    flight->has_key = false;
}

bool flight_is_under_way(const Flight *flight)
{
    return flight->op.pending || flight->call != NULL || flight->login != NULL ||
           flight->roles != NULL;
}

static void count_resting(void *context, const char *key, void *value)
{
    (void)key;
    size_t *count = context;
    *count += flight_is_under_way(value) ? 0 : 1;
}

size_t flight_count_resting(const Worker *worker)
{
    size_t count = 0;
    table_each(worker->parked, count_resting, &count);
    return count;
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
    roles_run_cancel(flight->roles);
    leave_parking(flight);
    if (flight->partition != NULL) {
        press_give(worker, flight->partition, flight->held_bytes);
    }
    gate_rest(worker->gate, &flight->place);
    gate_rest(worker->inventories, &flight->inventory);
    gate_rest(worker->role_runs, &flight->role_run);
    lanes_leave(worker->lanes, &flight->lane, &ready);
    buckets_leave(worker->buckets, &flight->token);
    locks_release(worker->locks, &flight->lock);
    loop_timer_free(flight->timer);
    flight_free_texts(flight);
    end_work(flight);
    buffer_clear(&flight->sealed_key);
    record_copy_clear(&flight->record);
    command_free(flight->command);
    note_forget(&flight->note);
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

void flight_withdraw(Flight *flight)
{
    const LedgerOp *op = &flight->op;
    bool begins =
        op->kind == LEDGER_OP_CLAIM || (op->kind == LEDGER_OP_OPEN && op->handed_boot_ms == 0);
    if (begins && ledger_queue_holds(op)) {
        (void)ledger_queue_withdraw(flight->worker->ledger, &flight->op);
    }
}

void flight_drop(Flight *flight)
{
    flight_doom(flight);
    if (flight->phase == FLIGHT_CLAIMING) {
        // a thawed worker has held it back: it would take the command from its new owner
        (void)ledger_queue_withdraw(flight->worker->ledger, &flight->op);
    }
    if (!flight_is_under_way(flight)) {
        flight_free(flight);
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

void flight_detach(Flight *flight, bool lost)
{
    List ready;
    list_init(&ready);
    flight->partition = NULL;
    flight->goes_on = lost && flight->phase == FLIGHT_RUNNING;
    lanes_leave(flight->worker->lanes, &flight->lane, &ready);
    flight_start_ready(&ready);
    if (!flight->has_saga) {
        flight_drop(flight);
        return;
    }
    char key[64];
    park_key(flight, key);
    table_put(flight->worker->parked, key, flight);
    if (!flight_is_under_way(flight) && !flight->goes_on) { // a timer, a lock, or nothing at all
        loop_timer_stop(flight->timer);
        gate_rest(flight->worker->gate, &flight->place);
        gate_rest(flight->worker->role_runs, &flight->role_run);
        tally_went_on(flight);
        buckets_leave(flight->worker->buckets, &flight->token);
        locks_release(flight->worker->locks, &flight->lock);
        flight->phase = FLIGHT_PARKED;
    }
}

static void resume(Flight *flight)
{
    if (flight->has_key) {
        flight_advance(flight);
    } else {
        flight_open_key(flight);
    }
}

void flight_attach(Flight *flight, Partition *partition)
{
    leave_parking(flight);
    flight->goes_on = false;
    flight->partition = partition;
    press_take(flight->worker, partition, flight->held_bytes);
    lanes_enter(flight->worker->lanes, &flight->lane, flight->command);
    if (flight->lane.granted && flight->phase == FLIGHT_PARKED) {
        resume(flight);
    }
}

bool flight_wait(Flight *flight)
{
    const Worker *worker = flight->worker;
    end_work(flight);
    locks_release(worker->locks, &flight->lock);
    gate_rest(worker->gate, &flight->place);
    gate_rest(worker->role_runs, &flight->role_run);
    flight->phase = FLIGHT_WAITING;
    flight->overtakes = false;
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
            wait_for_place(flight);
        }
    }
}
