#include "run/tally_wait.h"

#include "unit.h"

enum { NOW_MS = 1000000 };

static void expect(const Metrics *metrics, const char *reason, double times, double seconds)
{
    const char *const *labels = METRIC_LABELS(reason);
    assert_true(metrics_value(metrics, METRIC_NEON_WAITS, labels) == times);
    assert_true(metrics_value(metrics, METRIC_NEON_WAIT_SECONDS, labels) == seconds);
}

static void a_wait_lasts_until_the_command_goes_on(void **state)
{
    (void)state;
    Metrics *metrics = metrics_new();
    TallyWait wait = {.reason = NULL};
    tally_wait_begin(&wait, metrics, "locked", NOW_MS);
    tally_wait_end(&wait, metrics, NOW_MS + 2500);
    expect(metrics, "locked", 1, 2.5);
    tally_wait_end(&wait, metrics, NOW_MS + 9000); // it works
    tally_wait_look(&wait, metrics, NOW_MS + 9000);
    expect(metrics, "locked", 1, 2.5);
    tally_wait_begin(&wait, metrics, "unavailable", NOW_MS + 10000);
    tally_wait_end(&wait, metrics, NOW_MS + 10500);
    expect(metrics, "locked", 1, 2.5);
    expect(metrics, "unavailable", 1, 0.5);
    metrics_free(metrics);
}

static void a_second_counts_for_one_reason(void **state)
{
    (void)state;
    Metrics *metrics = metrics_new();
    TallyWait limited = {.reason = NULL};
    TallyWait other = {.reason = NULL};
    tally_wait_begin(&limited, metrics, "rate_limited", NOW_MS);
    tally_wait_begin(&other, metrics, "bucket", NOW_MS + 500);
    tally_wait_begin(&limited, metrics, "bucket", NOW_MS + 1000); // its own wait still
    tally_wait_end(&other, metrics, NOW_MS + 1500);
    tally_wait_end(&limited, metrics, NOW_MS + 4000);
    expect(metrics, "rate_limited", 1, 4);
    expect(metrics, "bucket", 1, 1);
    metrics_free(metrics);
}

static void a_wait_shows_before_it_ends(void **state)
{
    (void)state;
    Metrics *metrics = metrics_new();
    TallyWait wait = {.reason = NULL};
    tally_wait_begin(&wait, metrics, "bucket", NOW_MS);
    tally_wait_look(&wait, metrics, NOW_MS + 15000);
    expect(metrics, "bucket", 1, 15);
    tally_wait_look(&wait, metrics, NOW_MS + 30000);
    tally_wait_end(&wait, metrics, NOW_MS + 31000);
    expect(metrics, "bucket", 1, 31);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_lasts_until_the_command_goes_on),
        cmocka_unit_test(a_second_counts_for_one_reason),
        cmocka_unit_test(a_wait_shows_before_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
