#include "base/backoff.h"

#include "unit.h"

typedef struct Case {
    Backoff backoff;
    uint32_t attempt;
    uint32_t shortest_ms;
    uint32_t longest_ms;
} Case;

static const Case CASES[] = {
    {{1000, 10000}, 0, 500, 1000},
    {{1000, 10000}, 1, 1000, 2000},
    {{1000, 10000}, 3, 4000, 8000},
    {{1000, 10000}, 4, 5000, 10000},
    {{1000, 10000}, 31, 5000, 10000},
    {{1000, 10000}, 32, 5000, 10000},
    {{1, 10000}, 4000000000, 5000, 10000},
    {{UINT32_MAX, UINT32_MAX}, 40, UINT32_MAX / 2, UINT32_MAX},
    {{7, 7}, 0, 3, 7},
    {{5, 3}, 0, 1, 3},
    {{1, 1}, 0, 0, 1},
    {{0, 100}, 9, 0, 0},
};

static void a_delay_is_between_half_and_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        const Case *c = &CASES[i];
        uint32_t width = c->longest_ms - c->shortest_ms;
        assert_int_equal(backoff_delay_ms(c->backoff, c->attempt, 0), c->shortest_ms);
        assert_int_equal(backoff_delay_ms(c->backoff, c->attempt, width), c->longest_ms);
        for (uint32_t random = 1; random != 0; random *= 2) {
            assert_in_range(backoff_delay_ms(c->backoff, c->attempt, random - 1), c->shortest_ms,
                            c->longest_ms);
        }
    }
}

static void the_random_number_wraps_around_the_width(void **state)
{
    (void)state;
    assert_int_equal(backoff_delay_ms((Backoff){100, 100}, 0, 50), 100);
    assert_int_equal(backoff_delay_ms((Backoff){100, 100}, 0, 51), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delay_is_between_half_and_the_whole),
        cmocka_unit_test(the_random_number_wraps_around_the_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
