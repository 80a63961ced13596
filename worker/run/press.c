#include "run/press.h"

#include <inttypes.h>
#include <stdio.h>

#include "sys/clock.h"

enum { LOOK_MS = 100 };

static const double MS_PER_S = 1000;

static Hold limit_of(const Settings *settings)
{
    return (Hold){(size_t)settings_number(settings, SETTING_COMMANDS_HELD),
                  (size_t)settings_number(settings, SETTING_COMMANDS_MEMORY)};
}

void press_divide(Worker *worker)
{
    size_t count = 0;
    LIST_EACH(&worker->partitions, link)
    {
        count++;
    }
    holds_divide(&worker->holds, count);
    LIST_EACH(&worker->partitions, link)
    {
        holds_adopt(&worker->holds, &LIST_ENTRY(link, Partition, link)->hold);
    }
}

void press_take(Worker *worker, Partition *partition, size_t bytes)
{
    holds_take(&worker->holds, &partition->hold, bytes);
}

void press_give(Worker *worker, Partition *partition, size_t bytes)
{
    holds_give(&worker->holds, &partition->hold, bytes);
}

static bool is_closed(const Worker *worker)
{
    return worker->is_draining || worker->is_closing || !ledger_queue_is_healthy(worker->ledger);
}

static bool is_full(const Worker *worker, const Partition *partition)
{
    return holds_is_full(&worker->holds, &partition->hold) ||
           completion_is_full(partition->completion);
}

static void count_blocked(const Worker *worker, Partition *partition, int64_t now_boot_ms)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%" PRId32, partition->assignment->partition);
    metrics_add(worker->metrics, METRIC_PARTITION_BLOCKED, METRIC_LABELS(number),
                (double)(now_boot_ms - partition->blocked_boot_ms) / MS_PER_S);
    partition->blocked_boot_ms = now_boot_ms;
}

void worker_press(Worker *worker)
{
    bool closed = is_closed(worker);
    LIST_EACH(&worker->partitions, link)
    {
        Partition *partition = LIST_ENTRY(link, Partition, link);
        if (!partition->is_paused && (closed || is_full(worker, partition))) {
            partition->is_paused = true;
            partition->blocked_boot_ms = clock_boot_ms();
            kafka_in_pause(worker->kafka_in, partition->assignment);
            if (!loop_timer_is_active(worker->press_timer)) {
                loop_timer_start(worker->press_timer, LOOK_MS);
            }
        }
    }
}

static void on_timer(void *context)
{
    Worker *worker = context;
    int64_t now_boot_ms = clock_boot_ms();
    bool closed = is_closed(worker);
    bool goes_on = false;
    LIST_EACH(&worker->partitions, link)
    {
        Partition *partition = LIST_ENTRY(link, Partition, link);
        if (!partition->is_paused) {
            continue;
        }
        count_blocked(worker, partition, now_boot_ms);
        if (closed || is_full(worker, partition)) {
            goes_on = true;
        } else {
            partition->is_paused = false;
            kafka_in_resume(worker->kafka_in, partition->assignment);
        }
    }
    if (goes_on && !worker->is_closing) {
        loop_timer_start(worker->press_timer, LOOK_MS);
    }
}

void press_init(Worker *worker)
{
    worker->holds = holds_of(limit_of(worker->settings));
    worker->press_timer = loop_timer_new(worker->loop, on_timer, worker);
}

void press_clear(Worker *worker)
{
    loop_timer_free(worker->press_timer);
}
