#include "ctl/span.h"

#include "unit.h"

static void durations_are_read_with_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } CASES[] = {
        {"0", 0},       {"7", 7000},     {"250ms", 250},        {"30s", 30000},
        {"5m", 300000}, {"2h", 7200000}, {"365d", 31536000000},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        int64_t span_ms = -1;
        assert_true(span_parse(CASES[i].text, &span_ms));
        assert_int_equal(span_ms, CASES[i].ms);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {"",    "-1",   "+1", " 1",   "s",
                                        "1 s", "1.5s", "1w", "366d", "99999999999999999999s"};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        int64_t span_ms = 0;
        assert_false(span_parse(CASES[i], &span_ms));
    }
}

static void a_point_in_time_is_absolute_or_relative(void **state)
{
    (void)state;
    int64_t instant_ms = 0;
    assert_true(span_parse_instant("2026-11-22T08:07:00Z", 1, &instant_ms));
    assert_int_equal(instant_ms, 1795334820000);
    int64_t before_ms = span_now_ms();
    assert_true(span_parse_instant("1h", -1, &instant_ms));
    assert_in_range(instant_ms, before_ms - 3600000, span_now_ms() - 3600000);
    assert_true(span_parse_instant("1h", 1, &instant_ms));
    assert_in_range(instant_ms, before_ms + 3600000, span_now_ms() + 3600000);
    assert_false(span_parse_instant("yesterday", -1, &instant_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_with_their_unit),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(a_point_in_time_is_absolute_or_relative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
