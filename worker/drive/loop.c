#include "drive/loop.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "sys/clock.h"

enum { NS_PER_MS = 1000000, NS_PER_US = 1000, US_PER_MS = 1000 };

struct Loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    LoopTurn *before_poll;
    void *context;
    int64_t turn_before_ms;
    uint64_t turn_ended_ns; // when the turn before this one went to poll; 0 = none did
    uint64_t idle_ns;       // waited in polls until then
    uint64_t woke_ns;       // when the last poll returned, rounded down
    int64_t turn_us;        // of the last turn that ended; -1: none has
    int64_t longest_turn_us;
};

struct LoopTimer {
    uv_timer_t uv;
    LoopTimerCallback *callback;
    void *context;
    bool is_firing;
};

// Two measures, each never too short, and the shorter one counts. libuv runs I/O callbacks within
// its poll, so a turn is what passed between two prepare callbacks, less the wait in between. The
// wait as libuv measures it is exact to microseconds, but a signal makes libuv's poll begin anew
// and forget what it had waited until then (uv__io_poll sets the time of entry again after EINTR).
// The time at which poll returned for good is in libuv's clock, in whole milliseconds and coarse.
static void measure_turn(Loop *loop)
{
    uint64_t now_ns = uv_hrtime();
    uint64_t idle_ns = uv_metrics_idle_time(&loop->uv);
    if (loop->turn_ended_ns != 0) {
        uint64_t passed_ns = now_ns - loop->turn_ended_ns;
        uint64_t waited_ns = idle_ns - loop->idle_ns;
        uint64_t turn_ns = passed_ns > waited_ns ? passed_ns - waited_ns : 0;
        uint64_t woken_ns = loop->woke_ns > loop->turn_ended_ns ? now_ns - loop->woke_ns : turn_ns;
        uint64_t shorter_ns = woken_ns < turn_ns ? woken_ns : turn_ns;
        loop->turn_us = (int64_t)(shorter_ns / NS_PER_US);
        if (loop->turn_us > loop->longest_turn_us) {
            loop->longest_turn_us = loop->turn_us;
        }
    }
    loop->turn_ended_ns = now_ns;
    loop->idle_ns = idle_ns;
}

// Right behind the poll: libuv's clock still says when it returned.
static void on_check(uv_check_t *handle)
{
    Loop *loop = handle->data;
    loop->woke_ns = uv_now(&loop->uv) * NS_PER_MS;
}

static void on_prepare(uv_prepare_t *handle)
{
    Loop *loop = handle->data;
    if (loop->before_poll != NULL) {
        loop->before_poll(loop->context);
    }
    loop->turn_before_ms = loop_turn_started_ms(loop);
    measure_turn(loop);
}

Loop *loop_new(void)
{
    Loop *loop = alloc_zeroed(1, sizeof(*loop));
    int failed = uv_loop_init(&loop->uv);
    assert(failed == 0);
    failed = uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
    assert(failed == 0);
    failed = uv_prepare_init(&loop->uv, &loop->prepare);
    assert(failed == 0);
    failed = uv_check_init(&loop->uv, &loop->check);
    assert(failed == 0);
    (void)failed;
    loop->prepare.data = loop;
    loop->check.data = loop;
    loop->turn_us = -1;
    return loop;
}

static void assert_closing(uv_handle_t *handle, void *argument)
{
    (void)argument;
    (void)handle;
    assert(uv_is_closing(handle));
}

void loop_free(Loop *loop)
{
    if (loop == NULL) {
        return;
    }
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_walk(&loop->uv, assert_closing, NULL);
    // What is left are close callbacks and work on libuv's threads that could not be cancelled.
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&loop->uv);
    assert(failed == 0);
    (void)failed;
    free(loop);
}

uv_loop_t *loop_uv(Loop *loop)
{
    return &loop->uv;
}

void loop_run(Loop *loop, LoopTurn *before_poll, void *context)
{
    loop->before_poll = before_poll;
    loop->context = context;
    loop->turn_ended_ns = 0;
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_start(&loop->check, on_check);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_prepare_stop(&loop->prepare);
    uv_check_stop(&loop->check);
}

void loop_stop(Loop *loop)
{
    uv_stop(&loop->uv);
}

// libuv reads its clock when poll returns; that clock is monotonic and coarse, so the age of its
// reading is taken off the time now.
int64_t loop_turn_started_ms(const Loop *loop)
{
    int64_t age_ms = (int64_t)(uv_hrtime() / NS_PER_MS) - (int64_t)uv_now(&loop->uv);
    return clock_boot_ms() - (age_ms > 0 ? age_ms : 0);
}

int64_t loop_turn_before_ms(const Loop *loop)
{
    return loop->turn_before_ms;
}

int64_t loop_longest_turn_ms(const Loop *loop)
{
    return loop->longest_turn_us / US_PER_MS;
}

int64_t loop_turn_us(const Loop *loop)
{
    return loop->turn_us;
}

static void on_timer(uv_timer_t *handle)
{
    LoopTimer *timer = handle->data;
    timer->is_firing = true;
    timer->callback(timer->context);
    timer->is_firing = false; // freed by libuv later, if at all
}

LoopTimer *loop_timer_new(Loop *loop, LoopTimerCallback *callback, void *context)
{
    LoopTimer *timer = alloc_zeroed(1, sizeof(*timer));
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->callback = callback;
    timer->context = context;
    return timer;
}

void loop_timer_start(LoopTimer *timer, uint64_t delay_ms)
{
    // libuv 1.44 would fire a timer that starts itself with no delay again and again within one
    // turn, as long as it does (curl does while a server keeps sending).
    if (timer->is_firing && delay_ms == 0) {
        delay_ms = 1;
    }
    // libuv counts from the start of the turn.
    uint64_t age_ms = delay_ms > 0 ? uv_hrtime() / NS_PER_MS - uv_now(timer->uv.loop) : 0;
    uv_timer_start(&timer->uv, on_timer, delay_ms + age_ms, 0);
}

void loop_timer_stop(LoopTimer *timer)
{
    uv_timer_stop(&timer->uv);
}

bool loop_timer_is_active(const LoopTimer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv) != 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void loop_timer_free(LoopTimer *timer)
{
    if (timer != NULL) {
        uv_close((uv_handle_t *)&timer->uv, on_timer_closed);
    }
}
