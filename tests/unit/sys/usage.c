#include "sys/usage.h"

#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"
#include "unit.h"

enum { ADDED_BYTES = 32 * 1024 * 1024 };

static void the_kernel_tells_what_the_process_uses(void **state)
{
    (void)state;
    Usage before;
    Usage after;
    assert_true(usage_read(&before));
    char *memory = malloc(ADDED_BYTES);
    assert_non_null(memory);
    for (int value = 1; value <= 8; value++) {
        memset(memory, value, ADDED_BYTES);
    }
    assert_true(usage_read(&after));
    assert_int_equal(memory[ADDED_BYTES - 1], 8);
    free(memory);
    assert_true(after.resident_bytes - before.resident_bytes >= ADDED_BYTES / 2);
    assert_true(after.cpu_seconds > before.cpu_seconds);
    assert_true(after.cpu_seconds < 60);
}

static void the_start_stays_and_lies_behind(void **state)
{
    (void)state;
    Usage first;
    Usage second;
    assert_true(usage_read(&first));
    assert_true(usage_read(&second));
    assert_in_range(first.started_ms, clock_wall_ms() - 60000, clock_wall_ms() + 20);
    assert_in_range(second.started_ms, first.started_ms - 20, first.started_ms + 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_tells_what_the_process_uses),
        cmocka_unit_test(the_start_stays_and_lies_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
