#include "timers.h"

#include <stdbool.h>
#include <stdlib.h>

static bool is_before(const Timer *a, const Timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void swap(Timer *a, Timer *b)
{
    Timer kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(Timers *timers, size_t i)
{
    while (i > 0 && is_before(&timers->heap[i], &timers->heap[(i - 1) / 2])) {
        swap(&timers->heap[i], &timers->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void sift_down(Timers *timers, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < timers->count; child++) {
            if (is_before(&timers->heap[child], &timers->heap[least])) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        swap(&timers->heap[i], &timers->heap[least]);
        i = least;
    }
}

static Timer take_first(Timers *timers)
{
    Timer first = timers->heap[0];
    timers->heap[0] = timers->heap[--timers->count];
    sift_down(timers, 0);
    return first;
}

static void on_timer(uv_timer_t *handle);

static void arm(Timers *timers)
{
    if (timers->count == 0) {
        uv_timer_stop(&timers->handle);
        return;
    }
    uint64_t now_ms = uv_now(timers->handle.loop);
    uint64_t due_ms = timers->heap[0].due_ms;
    uv_timer_start(&timers->handle, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void on_timer(uv_timer_t *handle)
{
    Timers *timers = handle->data;
    uint64_t now_ms = uv_now(handle->loop);
    uint64_t last_sequence = timers->next_sequence;
    while (timers->count > 0 && timers->heap[0].due_ms <= now_ms &&
           timers->heap[0].sequence < last_sequence) {
        Timer due = take_first(timers);
        due.call(due.argument);
    }
    arm(timers);
}

void timers_init(Timers *timers, uv_loop_t *loop)
{
    *timers = (Timers){0};
    uv_timer_init(loop, &timers->handle);
    timers->handle.data = timers;
}

void timers_after(Timers *timers, int64_t delay_ms, TimerFunction call, void *argument)
{
    if (timers->is_closed) {
        return;
    }
    if (timers->count == timers->capacity) {
        timers->capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
        timers->heap = realloc(timers->heap, timers->capacity * sizeof(*timers->heap));
        if (timers->heap == NULL) {
            abort();
        }
    }
    uv_update_time(timers->handle.loop);
    timers->heap[timers->count] = (Timer){
        .due_ms = uv_now(timers->handle.loop) + (uint64_t)(delay_ms > 0 ? delay_ms : 0),
        .sequence = timers->next_sequence++,
        .call = call,
        .argument = argument,
    };
    sift_up(timers, timers->count++);
    arm(timers);
}

void timers_close(Timers *timers)
{
    timers->is_closed = true;
    timers->count = 0;
    free(timers->heap);
    timers->heap = NULL;
    timers->capacity = 0;
    uv_close((uv_handle_t *)&timers->handle, NULL);
}
