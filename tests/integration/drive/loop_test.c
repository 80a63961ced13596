#include "drive/loop.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "support.h"

enum { WAIT_MS = 300, BUSY_MS = 60, TOLERANCE_MS = 40 };

typedef struct Watch {
    Loop *loop;
    int turns;
    int busy_turn; // in this one the loop is kept busy
    int seen;
    int64_t turns_us[8]; // by the timer's turns: of the turn that had ended before
    LoopTimer *timer;
} Watch;

static void spin(int64_t ms)
{
    struct timespec begin;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ms);
}

static void on_timer(void *context)
{
    Watch *watch = context;
    watch->turns++;
    if (watch->turns == watch->busy_turn) {
        spin(BUSY_MS);
    }
    if (watch->turns == 4) {
        loop_stop(watch->loop);
    } else {
        loop_timer_start(watch->timer, WAIT_MS);
    }
}

static void on_turn(void *context)
{
    Watch *watch = context;
    if (watch->seen != watch->turns) {
        watch->seen = watch->turns;
        watch->turns_us[watch->turns] = loop_turn_us(watch->loop);
    }
}

static void watch_turns(Watch *watch, int busy_turn)
{
    *watch = (Watch){.loop = loop_new(), .busy_turn = busy_turn};
    watch->timer = loop_timer_new(watch->loop, on_timer, watch);
    loop_timer_start(watch->timer, 0);
    loop_run(watch->loop, on_turn, watch);
    loop_timer_free(watch->timer);
}

static void on_alarm(int number)
{
    (void)number;
}

static void ring_every_ms(suseconds_t ms)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval interval = {{0, ms * 1000}, {0, ms * 1000}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &interval, NULL);
}

static void waiting_is_no_turn(void **state)
{
    (void)state;
    Watch watch;
    watch_turns(&watch, 0);
    assert_int_equal(watch.turns_us[1], -1);
    assert_in_range(loop_longest_turn_ms(watch.loop), 0, TOLERANCE_MS);
    loop_free(watch.loop);
}

static void a_signal_during_the_wait_makes_no_long_turn(void **state)
{
    (void)state;
    Watch watch;
    ring_every_ms(70);
    watch_turns(&watch, 0);
    ring_every_ms(0);
    assert_in_range(loop_longest_turn_ms(watch.loop), 0, TOLERANCE_MS);
    loop_free(watch.loop);
}

static void a_busy_turn_shows_at_the_end_of_the_next(void **state)
{
    (void)state;
    for (int signals = 0; signals < 2; signals++) {
        Watch watch;
        ring_every_ms(signals * 70);
        watch_turns(&watch, 2);
        ring_every_ms(0);
        assert_in_range(watch.turns_us[3], BUSY_MS * 1000, (BUSY_MS + TOLERANCE_MS) * 1000);
        assert_in_range(loop_longest_turn_ms(watch.loop), BUSY_MS, BUSY_MS + TOLERANCE_MS);
        loop_free(watch.loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_is_no_turn),
        cmocka_unit_test(a_signal_during_the_wait_makes_no_long_turn),
        cmocka_unit_test(a_busy_turn_shows_at_the_end_of_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
