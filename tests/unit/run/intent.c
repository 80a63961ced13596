#include "run/intent.h"

#include "unit.h"

static IntentTimes times_of(const char *window, const char *timeout, const char *lag)
{
    Error err = ERROR_INIT;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    assert_true(settings_set(settings, "neon.send_window", window, "test", &err));
    assert_true(settings_set(settings, "neon.request_timeout", timeout, "test", &err));
    assert_true(settings_set(settings, "neon.listing_lag", lag, "test", &err));
    return intent_times(settings);
}

static void the_times_come_from_three_settings(void **state)
{
    (void)state;
    IntentTimes times = times_of("15s", "60s", "30s");
    assert_int_equal(times.send_window_ms, 15000);
    assert_int_equal(times.settle_after_ms, 90000);
}

static void a_request_may_be_written_for_one_window_from_the_handing_over(void **state)
{
    (void)state;
    IntentTimes times = times_of("2s", "3s", "4s");
    assert_int_equal(intent_send_limit_ms(&times, 100000), 102000);
}

static void it_is_settled_window_timeout_and_lag_after_the_answer(void **state)
{
    (void)state;
    IntentTimes times = times_of("2s", "3s", "4s");
    assert_int_equal(intent_settled_ms(&times, 100000), 109000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_times_come_from_three_settings),
        cmocka_unit_test(a_request_may_be_written_for_one_window_from_the_handing_over),
        cmocka_unit_test(it_is_settled_window_timeout_and_lag_after_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
