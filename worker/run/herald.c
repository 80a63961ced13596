#include "run/herald.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/flight.h"
#include "sys/notify.h"

enum {
    LOOK_MS = 200,    // until it is ready
    STATUS_MS = 1000, // then; the status is sent when it has changed
    STATUS_BYTES = 512,
};

struct Herald {
    Worker *worker;
    const Sight *sight;
    Notify notify;
    LoopTimer *look;
    LoopTimer *watchdog;
    char status[STATUS_BYTES]; // as sent last
    bool is_ready;             // said so
    bool is_leaving;
};

static size_t partition_count(const Worker *worker)
{
    size_t count = 0;
    LIST_EACH(&worker->partitions, link)
    {
        count++;
    }
    return count;
}

static void describe(const Herald *herald, Text *text)
{
    const Worker *worker = herald->worker;
    CLEANUP(text_clear) Text reasons = TEXT_INIT(STATUS_BYTES / 2);
    sight_reasons(herald->sight, &reasons);
    text_append(text, reasons.length == 0 ? "STATUS=ready" : "STATUS=not ready (");
    for (const char *c = text_get(&reasons); *c != '\0'; c++) {
        bool is_end = *c == '\n';
        text_append(text, is_end ? (c[1] == '\0' ? ")" : ", ") : "");
        text_append_bytes(text, c, is_end ? 0 : 1);
    }
    text_printf(text, ": %zu partitions, %zu commands in flight, %zu outcomes to publish",
                partition_count(worker), worker->flight_count - flight_count_resting(worker),
                worker->parcel_count);
}

static bool is_ready_now(const Herald *herald)
{
    CLEANUP(text_clear) Text reasons = TEXT_INIT(STATUS_BYTES);
    sight_reasons(herald->sight, &reasons);
    return reasons.length == 0;
}

static void send_status(Herald *herald)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(STATUS_BYTES - 1);
    describe(herald, &text);
    if (strcmp(herald->status, text_get(&text)) != 0 &&
        notify_send(&herald->notify, text_get(&text))) {
        bool fits = text_copy(herald->status, sizeof herald->status, text_get(&text));
        (void)fits;
    }
}

static void on_look(void *context)
{
    Herald *herald = context;
    if (!herald->is_ready && is_ready_now(herald)) {
        herald->is_ready = notify_send(&herald->notify, "READY=1");
    }
    send_status(herald);
    loop_timer_start(herald->look, herald->is_ready ? STATUS_MS : LOOK_MS);
}

static void on_watchdog(void *context)
{
    Herald *herald = context;
    (void)notify_send(&herald->notify, "WATCHDOG=1");
    loop_timer_start(herald->watchdog, (uint64_t)herald->notify.watchdog_interval_ms / 2);
}

Herald *herald_new(Worker *worker, const Sight *sight)
{
    Herald *herald = alloc_zeroed(1, sizeof(*herald));
    herald->worker = worker;
    herald->sight = sight;
    notify_open(&herald->notify);
    herald->look = loop_timer_new(worker->loop, on_look, herald);
    herald->watchdog = loop_timer_new(worker->loop, on_watchdog, herald);
    if (notify_is_open(&herald->notify)) {
        loop_timer_start(herald->look, LOOK_MS);
    }
    if (herald->notify.watchdog_interval_ms > 0) {
        loop_timer_start(herald->watchdog, 0);
    }
    return herald;
}

void herald_free(Herald *herald)
{
    if (herald != NULL) {
        notify_close(&herald->notify);
        loop_timer_free(herald->look);
        loop_timer_free(herald->watchdog);
        free(herald);
    }
}

void herald_leaving(Herald *herald)
{
    if (herald != NULL && !herald->is_leaving) {
        herald->is_leaving = true;
        (void)notify_send(&herald->notify, "STOPPING=1");
        send_status(herald);
    }
}
