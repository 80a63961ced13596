/* Calls that are due later, on the loop: one uv timer over a heap, so that ten thousand delayed
 * replies and running operations cost one handle. A call can't be taken back; its function looks
 * whether it still has something to do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef void (*TimerFunction)(void *argument);

typedef struct Timer {
    uint64_t due_ms;
    uint64_t sequence; /* equal times keep their order */
    TimerFunction call;
    void *argument;
} Timer;

typedef struct Timers {
    uv_timer_t handle;
    Timer *heap;
    size_t count;
    size_t capacity;
    uint64_t next_sequence;
    bool is_closed;
} Timers;

void timers_init(Timers *timers, uv_loop_t *loop);
/* Calls `call(argument)` in `delay_ms`, never from within this function. */
void timers_after(Timers *timers, int64_t delay_ms, TimerFunction call, void *argument);
/* Closes the handle and forgets what is due, now and later; call before the loop's last run. */
void timers_close(Timers *timers);
