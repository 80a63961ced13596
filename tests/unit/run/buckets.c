#include "run/buckets.h"

#include <stdio.h>

#include "unit.h"

enum { NOW_MS = 1000000 };

static void a_burst_goes_at_once_and_the_rest_at_the_rate(void **state)
{
    (void)state;
    Buckets *buckets = buckets_new(10, 3);
    static const uint32_t WAITS[] = {0, 0, 0, 100, 200, 300};
    for (size_t i = 0; i < UNIT_COUNT(WAITS); i++) {
        assert_int_equal(buckets_take(buckets, "a", NOW_MS), WAITS[i]);
    }
    // 300 ms later what was promised has just been used up
    assert_int_equal(buckets_take(buckets, "a", NOW_MS + 300), 100);
    buckets_free(buckets);
}

static void an_idle_bucket_holds_one_burst_and_no_more(void **state)
{
    (void)state;
    Buckets *buckets = buckets_new(10, 2);
    for (int i = 0; i < 4; i++) {
        buckets_take(buckets, "a", NOW_MS);
    }
    assert_int_equal(buckets_take(buckets, "a", NOW_MS + 60000), 0);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS + 60000), 0);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS + 60000), 100);
    buckets_free(buckets);
}

static void a_wait_is_never_rounded_down(void **state)
{
    (void)state;
    Buckets *buckets = buckets_new(1000, 1);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 0);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 1);
    buckets_free(buckets);
    buckets = buckets_new(3, 1); // 333,333 us
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 0);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 334);
    buckets_free(buckets);
}

static void accounts_have_a_bucket_each(void **state)
{
    (void)state;
    Buckets *buckets = buckets_new(1, 1);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 0);
    assert_int_equal(buckets_take(buckets, "b", NOW_MS), 0);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 1000);
    buckets_free(buckets);
}

static void a_blocked_account_waits_and_then_has_no_burst(void **state)
{
    (void)state;
    Buckets *buckets = buckets_new(10, 5);
    buckets_block(buckets, "a", NOW_MS + 2000);
    buckets_block(buckets, "a", NOW_MS + 1000); // an earlier end changes nothing
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 2000);
    assert_int_equal(buckets_take(buckets, "a", NOW_MS), 2100);
    assert_int_equal(buckets_take(buckets, "b", NOW_MS), 0);
    buckets_free(buckets);
}

static void idle_accounts_are_forgotten_when_there_are_many(void **state)
{
    (void)state;
    Buckets *buckets = buckets_new(1, 1);
    char name[16];
    buckets_block(buckets, "blocked", NOW_MS + 100000);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(buckets_take(buckets, name, NOW_MS + 10 * (i / 100)), 0);
    }
    (void)snprintf(name, sizeof name, "late");
    assert_int_equal(buckets_take(buckets, name, NOW_MS + 50000), 0);
    // what still waits is not idle
    assert_int_equal(buckets_take(buckets, "blocked", NOW_MS + 50000), 50000);
    buckets_free(buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_goes_at_once_and_the_rest_at_the_rate),
        cmocka_unit_test(an_idle_bucket_holds_one_burst_and_no_more),
        cmocka_unit_test(a_wait_is_never_rounded_down),
        cmocka_unit_test(accounts_have_a_bucket_each),
        cmocka_unit_test(a_blocked_account_waits_and_then_has_no_burst),
        cmocka_unit_test(idle_accounts_are_forgotten_when_there_are_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
