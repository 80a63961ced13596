#include "drive/loop.h"

#include <signal.h>
#include <sys/time.h>

#include "support.h"

enum { WAIT_MS = 300, BUSY_MS = 60, TOLERANCE_MS = 40 };

typedef struct Watch {
    Loop *loop;
    int turns;
    int busy_turn;   // in this one the loop is kept busy
    int64_t told_us; // the longest that was told
    bool is_told_early;
    LoopTimer *timer;
} Watch;

static void spin(uint64_t ms)
{
    uint64_t until_ns = uv_hrtime() + ms * 1000000;
    while (uv_hrtime() < until_ns) {
    }
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
    int64_t turn_us = loop_turn_us(watch->loop);
    watch->told_us = turn_us > watch->told_us ? turn_us : watch->told_us;
    watch->is_told_early = watch->is_told_early || (watch->turns == 1 && turn_us > 0);
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
    assert_false(watch.is_told_early);
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

static void a_busy_turn_shows_with_signals_and_without(void **state)
{
    (void)state;
    for (int signals = 0; signals < 2; signals++) {
        Watch watch;
        ring_every_ms(signals ? 70 : 0);
        watch_turns(&watch, 2);
        ring_every_ms(0);
        assert_in_range(watch.told_us, BUSY_MS * 1000, (BUSY_MS + TOLERANCE_MS) * 1000);
        assert_in_range(loop_longest_turn_ms(watch.loop), BUSY_MS, BUSY_MS + TOLERANCE_MS);
        loop_free(watch.loop);
    }
}

typedef struct Restless {
    Loop *loop;
    LoopTimer *timer;
    int fired; // in this turn
    int most;
    int left;
} Restless;

static void on_restless(void *context)
{
    Restless *restless = context;
    restless->fired++;
    if (--restless->left > 0) {
        loop_timer_start(restless->timer, 0);
    } else {
        loop_stop(restless->loop);
    }
}

static void note_turn(void *context)
{
    Restless *restless = context;
    restless->most = restless->fired > restless->most ? restless->fired : restless->most;
    restless->fired = 0;
}

static void a_timer_that_starts_itself_fires_once_a_turn(void **state)
{
    (void)state;
    Restless restless = {.loop = loop_new(), .left = 20};
    restless.timer = loop_timer_new(restless.loop, on_restless, &restless);
    loop_timer_start(restless.timer, 0);
    loop_run(restless.loop, note_turn, &restless);
    assert_int_equal(restless.left, 0);
    assert_int_equal(restless.most, 1);
    loop_timer_free(restless.timer);
    loop_free(restless.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_is_no_turn),
        cmocka_unit_test(a_signal_during_the_wait_makes_no_long_turn),
        cmocka_unit_test(a_timer_that_starts_itself_fires_once_a_turn),
        cmocka_unit_test(a_busy_turn_shows_with_signals_and_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
