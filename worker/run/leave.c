#include "run/leave.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "run/flight.h"
#include "run/sight.h"
#include "sys/log.h"

enum {
    // A transaction takes up to transaction.timeout.ms (10 s) to end; Kafka away, it never does.
    LEAVE_LIMIT_MS = 15000,
    // For what the next owner would have to do again: some seconds at most.
    LEAVE_SOON_MS = 5000,
};

// After SIGTERM calls that are under way are waited for, without the partitions: the next owners
// work already, and wait only for the intents of these.
static bool waits_for_calls(const Worker *worker)
{
    return worker->is_draining && !worker->is_cut &&
           (worker->flight_count > 0 || worker->marking_count > 0);
}

static void on_publisher_closed(void *context)
{
    Worker *worker = context;
    worker->has_left = true;
    loop_timer_stop(worker->leave_limit);
    if (!waits_for_calls(worker)) {
        loop_stop(worker->loop);
    }
}

static void on_consumer_closed(void *context)
{
    publisher_close(((Worker *)context)->publisher, on_publisher_closed);
}

static _Noreturn void end_without_kafka(void)
{
    log_write(LOG_LEVEL_ERROR, NULL,
              "Kafka doesn't let go; ends without it, outcomes are in the ledger");
    _Exit(WORKER_EXIT_TEMPORARY); // the publisher's thread can't be joined
}

static void on_limit(void *context)
{
    Worker *worker = context;
    worker->is_stuck = true;
    if (!waits_for_calls(worker)) {
        end_without_kafka();
    }
}

// Gives the partitions back; what has not been published is the next owner's.
static void leave(Worker *worker)
{
    if (worker->is_closing) {
        return;
    }
    worker->is_closing = true;
    sight_leaving(worker->sight);
    log_write(LOG_LEVEL_INFO, NULL, "leaving the group with %zu commands in flight",
              worker->flight_count);
    loop_timer_start(worker->leave_limit, LEAVE_LIMIT_MS);
    kafka_in_close(worker->kafka_in, on_consumer_closed);
}

void leave_after(Worker *worker, int exit_code)
{
    worker->exit_code = exit_code;
    worker->is_cut = true;
    leave(worker);
}

void leave_without_consumer(Worker *worker)
{
    worker->is_closing = true;
    publisher_close(worker->publisher, on_publisher_closed);
    loop_run(worker->loop, NULL, NULL);
}

// All are marked before the first is freed: a lane or lock that becomes free must not start one
// that is about to go, nor a later command in place of an earlier one.
static void hand_back(Worker *worker, bool (*is_meant)(const Flight *flight))
{
    LIST_EACH(&worker->flights, mark)
    {
        Flight *flight = LIST_ENTRY(mark, Flight, link);
        if (is_meant(flight)) {
            flight_doom(flight);
        }
    }
    LIST_EACH(&worker->flights, link)
    {
        Flight *flight = LIST_ENTRY(link, Flight, link);
        if (flight->is_dropped && !flight_is_under_way(flight)) {
            flight_free(flight);
        }
    }
}

static bool is_at_boundary(const Flight *flight)
{
    return !flight_is_under_way(flight);
}

static bool waits_for_turn(const Flight *flight)
{
    return flight->phase == FLIGHT_WAITING || flight->phase == FLIGHT_PARKED;
}

static void on_drain_soft(void *context)
{
    Worker *worker = context;
    if (worker->hands_back) { // for the second time
        leave(worker);
        return;
    }
    worker->hands_back = true;
    LIST_EACH(&worker->flights, link)
    {
        flight_withdraw(LIST_ENTRY(link, Flight, link));
    }
    hand_back(worker, is_at_boundary);
    bool is_static = settings_flag(worker->settings, SETTING_GROUP_STATIC);
    if (!is_static) { // nobody gets a static member's partitions by its leaving
        loop_timer_start(worker->drain_soft, LEAVE_SOON_MS);
    }
}

// Calls that are under way are cut off.
static void cut(Worker *worker)
{
    worker->is_cut = true;
    if (worker->has_left) {
        loop_stop(worker->loop);
    } else if (worker->is_stuck) {
        end_without_kafka();
    } else {
        leave(worker);
    }
}

static void on_drain_hard(void *context)
{
    cut(context);
}

static void start_draining(Worker *worker)
{
    uint64_t drain_ms = (uint64_t)settings_number(worker->settings, SETTING_DRAIN_TIMEOUT);
    uint64_t finish_ms = (uint64_t)settings_number(worker->settings, SETTING_DRAIN_FINISH);
    worker->is_draining = true;
    sight_leaving(worker->sight);
    log_write(LOG_LEVEL_INFO, NULL,
              "stopping: %zu commands in flight are finished or handed back within %" PRIu64 " s",
              worker->flight_count, drain_ms / 1000);
    worker_press(worker);
    hand_back(worker, waits_for_turn);
    publisher_hurry(worker->publisher);
    loop_timer_start(worker->drain_soft, finish_ms < drain_ms ? finish_ms : drain_ms);
    loop_timer_start(worker->drain_hard, drain_ms);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    Worker *worker = handle->data;
    if (worker->is_draining) {
        cut(worker); // asked twice
    } else {
        start_draining(worker);
    }
}

static bool is_idle(const Worker *worker)
{
    return worker->flight_count == 0 && worker->parcel_count == 0 && worker->marking_count == 0;
}

// The next owner passes such a call over, meets its name taken, and has to look for it until the
// intent has settled.
static bool makes_a_name(const Flight *flight)
{
    if (!flight->has_saga) {
        return false;
    }
    const Step *step = flight->work->decision.step;
    return flight->work->decision.mutating && step != NULL &&
           step->protection == PROTECTED_UNIQUE_NAME && flight_is_under_way(flight);
}

// Once all is handed back: what waits to be published, and calls that make a name, end first.
static bool may_leave(const Worker *worker)
{
    bool is_static = settings_flag(worker->settings, SETTING_GROUP_STATIC);
    if (is_static || !worker->hands_back || worker->parcel_count > 0) {
        return false;
    }
    LIST_EACH(&worker->flights, link)
    {
        if (makes_a_name(LIST_ENTRY(link, Flight, link))) {
            return false;
        }
    }
    return true;
}

void leave_when_idle(Worker *worker)
{
    if ((worker->has_left || worker->is_stuck) && !waits_for_calls(worker)) {
        if (worker->is_stuck && !worker->has_left) {
            end_without_kafka();
        }
        loop_stop(worker->loop);
    } else if (worker->is_draining && !worker->is_closing &&
               (is_idle(worker) || may_leave(worker))) {
        leave(worker);
    }
}

void leave_init(Worker *worker)
{
    worker->drain_soft = loop_timer_new(worker->loop, on_drain_soft, worker);
    worker->drain_hard = loop_timer_new(worker->loop, on_drain_hard, worker);
    worker->leave_limit = loop_timer_new(worker->loop, on_limit, worker);
    uv_signal_init(loop_uv(worker->loop), &worker->terminate);
    uv_signal_init(loop_uv(worker->loop), &worker->interrupt);
    worker->terminate.data = worker;
    worker->interrupt.data = worker;
}

void leave_clear(Worker *worker)
{
    loop_timer_free(worker->drain_soft);
    loop_timer_free(worker->drain_hard);
    loop_timer_free(worker->leave_limit);
    uv_close((uv_handle_t *)&worker->terminate, NULL);
    uv_close((uv_handle_t *)&worker->interrupt, NULL);
    // one that comes now comes too late to change how the process ends
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
}

void leave_watch_signals(Worker *worker)
{
    uv_signal_start(&worker->terminate, on_signal, SIGTERM);
    uv_signal_start(&worker->interrupt, on_signal, SIGINT);
}
