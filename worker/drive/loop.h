/*
 * The one loop (libuv). Everything in drive/ but the publisher's thread runs on it; nothing on it
 * blocks.
 */
#ifndef DRIVE_LOOP_H
#define DRIVE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct Loop Loop;
typedef void LoopTurn(void *context);

Loop *loop_new(void);
void loop_free(Loop *loop);
uv_loop_t *loop_uv(Loop *loop);
// `before_poll` runs once at the end of each turn, when all callbacks of the turn have run: this is
// where work that was collected during a turn is sent. Runs until loop_stop.
void loop_run(Loop *loop, LoopTurn *before_poll, void *context);
void loop_stop(Loop *loop);
// Milliseconds on CLOCK_BOOTTIME at the start of this turn and of the one before.
int64_t loop_turn_started_ms(const Loop *loop);
int64_t loop_turn_before_ms(const Loop *loop); // 0 = this is the first
// Longest turn so far in ms (time between two polls of the kernel, without the wait), for the log
// at exit and metrics.
int64_t loop_longest_turn_ms(const Loop *loop);
// Length of the last turn that ended, in microseconds, without its wait; -1: none has. Exact, but
// for a turn whose wait a signal interrupted: that may be up to 5 ms too long (libuv's clock).
int64_t loop_turn_us(const Loop *loop);

// A one-shot timer: fires once, `delay_ms` from now; the handle may be started again or stopped at
// any time, and freed in its own callback.
typedef struct LoopTimer LoopTimer;
typedef void LoopTimerCallback(void *context);
LoopTimer *loop_timer_new(Loop *loop, LoopTimerCallback *callback, void *context);
void loop_timer_start(LoopTimer *timer, uint64_t delay_ms);
void loop_timer_stop(LoopTimer *timer);
bool loop_timer_is_active(const LoopTimer *timer);
void loop_timer_free(LoopTimer *timer);

#endif
