#include "sys/clock.h"

#include <sys/sysinfo.h>
#include <time.h>

#include "unit.h"

static void the_wall_clock_is_the_time_of_day(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL);
    int64_t wall_ms = clock_wall_ms();
    int64_t after = (int64_t)time(NULL);
    // time() may lag by a tick of the kernel.
    assert_true(wall_ms >= before * 1000);
    assert_true(wall_ms < (after + 2) * 1000);
}

static void the_boot_clock_counts_from_the_machines_start(void **state)
{
    (void)state;
    struct sysinfo info;
    int64_t first_us = clock_boot_us();
    int64_t boot_ms = clock_boot_ms();
    int64_t last_us = clock_boot_us();
    assert_true(first_us / 1000 <= boot_ms && boot_ms <= last_us / 1000);
    assert_int_equal(sysinfo(&info), 0);
    assert_true(boot_ms / 1000 - info.uptime <= 2 && info.uptime - boot_ms / 1000 <= 2);
}

static void the_thread_clock_counts_only_work(void **state)
{
    (void)state;
    int64_t start_us = clock_thread_us();
    volatile unsigned work = 0;
    while (clock_thread_us() < start_us + 2000) {
        work = work + 1;
    }
    assert_true(work > 0);
    assert_true(clock_thread_us() <= clock_boot_us());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_is_the_time_of_day),
        cmocka_unit_test(the_boot_clock_counts_from_the_machines_start),
        cmocka_unit_test(the_thread_clock_counts_only_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
