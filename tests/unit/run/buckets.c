#include "run/buckets.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

enum { NOW_MS = 1000000, CALLERS = 40 };

// Calls that wait, in the order in which they were let go.
typedef struct Caller {
    BucketEntry entry;
    int number;
} Caller;

static int granted[CALLERS];
static int granted_count;

static void on_granted(BucketEntry *entry)
{
    assert_null(entry->bucket);
    granted[granted_count++] = LIST_ENTRY(entry, Caller, entry)->number;
}

static void prepare(Caller *callers)
{
    granted_count = 0;
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (Caller){.entry = {.granted = on_granted}, .number = i};
    }
}

// Serves until nothing waits; the moments, from `now_ms` on, at which calls went.
static void serve_all(Buckets *buckets, int64_t now_ms, const int64_t *moments, int count)
{
    int64_t start_ms = now_ms;
    int first = granted_count;
    for (int64_t wait_ms; (wait_ms = buckets_serve(buckets, now_ms)) >= 0; now_ms += wait_ms) {
        for (; first < granted_count; first++) {
            assert_int_equal(now_ms - start_ms, moments[first]);
        }
        assert_true(wait_ms > 0);
    }
    for (; first < granted_count; first++) {
        assert_int_equal(now_ms - start_ms, moments[first]);
    }
    assert_int_equal(granted_count, count);
    for (int i = 0; i < count; i++) {
        assert_true(i == 0 || granted[i] > granted[i - 1]);
    }
}

static void a_burst_goes_at_once_and_the_rest_at_the_rate(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(10, 3);
    prepare(callers);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(buckets_take(buckets, "a", &callers[i].entry, NOW_MS), i < 3);
    }
    assert_int_equal(buckets_throttled(buckets), 1);
    serve_all(buckets, NOW_MS, (const int64_t[]){100, 200, 300}, 3);
    assert_int_equal(buckets_throttled(buckets), 0);
    // what was promised has just been used up
    assert_false(buckets_take(buckets, "a", &callers[6].entry, NOW_MS + 300));
    assert_int_equal(buckets_serve(buckets, NOW_MS + 300), 100);
    buckets_leave(buckets, &callers[6].entry);
    buckets_leave(buckets, &callers[6].entry);
    assert_int_equal(buckets_serve(buckets, NOW_MS + 400), -1);
    buckets_free(buckets);
}

static void an_idle_bucket_holds_one_burst_and_no_more(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(10, 2);
    prepare(callers);
    for (int i = 0; i < 2; i++) {
        assert_true(buckets_take(buckets, "a", &callers[i].entry, NOW_MS));
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(buckets_take(buckets, "a", &callers[i].entry, NOW_MS + 60000), i < 2);
    }
    assert_int_equal(buckets_serve(buckets, NOW_MS + 60000), 100);
    buckets_leave(buckets, &callers[2].entry);
    buckets_free(buckets);
}

static void a_wait_is_never_rounded_down(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(3, 1); // 333,333 us
    prepare(callers);
    assert_true(buckets_take(buckets, "a", &callers[0].entry, NOW_MS));
    assert_false(buckets_take(buckets, "a", &callers[1].entry, NOW_MS));
    assert_int_equal(buckets_serve(buckets, NOW_MS), 334);
    assert_int_equal(buckets_serve(buckets, NOW_MS + 333), 1);
    assert_int_equal(buckets_serve(buckets, NOW_MS + 334), -1);
    buckets_free(buckets);
}

static void accounts_have_a_bucket_each_and_a_place_is_kept(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(1, 1);
    prepare(callers);
    assert_true(buckets_take(buckets, "a", &callers[0].entry, NOW_MS));
    assert_true(buckets_take(buckets, "b", &callers[1].entry, NOW_MS));
    assert_false(buckets_take(buckets, "a", &callers[2].entry, NOW_MS));
    assert_false(buckets_take(buckets, "a", &callers[3].entry, NOW_MS));
    assert_false(buckets_take(buckets, "a", &callers[2].entry, NOW_MS)); // asks again
    serve_all(buckets, NOW_MS, (const int64_t[]){1000, 2000}, 2);
    // one that asks for another account leaves the first
    assert_false(buckets_take(buckets, "a", &callers[4].entry, NOW_MS + 2000));
    assert_true(buckets_take(buckets, "c", &callers[4].entry, NOW_MS + 2000));
    assert_int_equal(buckets_serve(buckets, NOW_MS + 9000), -1);
    buckets_free(buckets);
}

static void after_a_429_the_account_waits_and_goes_on_slower_without_a_burst(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(10, 5);
    prepare(callers);
    assert_true(buckets_take(buckets, "a", &callers[0].entry, NOW_MS));
    buckets_limited(buckets, "a", NOW_MS, NOW_MS + 50, 2000);
    buckets_limited(buckets, "a", NOW_MS, NOW_MS + 60, 1000); // an earlier end changes nothing
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 7000);
    for (int i = 1; i < 4; i++) {
        assert_false(buckets_take(buckets, "a", &callers[i].entry, NOW_MS + 100));
    }
    assert_true(buckets_take(buckets, "b", &callers[9].entry, NOW_MS + 100));
    // the first that waited raises the rate by 10/32, and its share of the burst is used up
    serve_all(buckets, NOW_MS + 50, (const int64_t[]){2000, 2149, 2286}, 3);
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 7312);
    buckets_free(buckets);
}

static void calls_whose_moment_was_near_wait_for_the_end_of_a_block(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(10, 1);
    prepare(callers);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(buckets_take(buckets, "a", &callers[i].entry, NOW_MS), i == 0);
    }
    assert_int_equal(buckets_serve(buckets, NOW_MS), 100);
    buckets_limited(buckets, "a", NOW_MS, NOW_MS + 99, 5000);
    assert_int_equal(buckets_serve(buckets, NOW_MS + 100), 4999);
    assert_int_equal(granted_count, 0);
    assert_int_equal(buckets_serve(buckets, NOW_MS + 5099), 137);
    assert_int_equal(granted_count, 1);
    buckets_leave(buckets, &callers[2].entry);
    buckets_leave(buckets, &callers[3].entry);
    buckets_free(buckets);
}

static void a_burst_of_429s_counts_once_and_the_rate_stays_above_its_floor(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(10, 20);
    prepare(callers);
    for (int i = 0; i < 10; i++) {
        assert_true(buckets_take(buckets, "a", &callers[i].entry, NOW_MS));
    }
    for (int i = 0; i < 10; i++) {
        buckets_limited(buckets, "a", NOW_MS, NOW_MS + 100 + i, 1000);
    }
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 7000);
    for (int i = 1; i < 100; i++) {
        buckets_limited(buckets, "a", NOW_MS + 2000L * i, NOW_MS + 2000L * i + 1, 1000);
    }
    assert_int_equal(buckets_rate_mrps(buckets, "a"), BUCKETS_FLOOR_MRPS);
    buckets_free(buckets);
}

static void the_rate_grows_only_while_calls_wait_for_it_and_to_its_ceiling(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(32, 1);
    int64_t now_ms = NOW_MS;
    prepare(callers);
    buckets_limited(buckets, "a", now_ms, now_ms, 0);
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 22400);
    for (int i = 0; i < 60; i++) { // one call a second never waits
        now_ms += 1000;
        assert_true(buckets_take(buckets, "a", &callers[0].entry, now_ms));
    }
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 22400);
    for (int second = 1; second <= 12; second++) { // always two of them wait
        int64_t until_ms = now_ms + 1000;
        while (now_ms < until_ms) {
            granted_count = 0;
            (void)buckets_take(buckets, "a", &callers[1].entry, now_ms);
            (void)buckets_take(buckets, "a", &callers[2].entry, now_ms);
            now_ms++;
            (void)buckets_serve(buckets, now_ms);
        }
        int64_t grown_mrps = 22400 + 1000 * second;
        assert_in_range(buckets_rate_mrps(buckets, "a"),
                        grown_mrps < 32000 ? grown_mrps - 1000 : 31400, 32000);
    }
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 32000);
    buckets_leave(buckets, &callers[1].entry);
    buckets_leave(buckets, &callers[2].entry);
    buckets_free(buckets);
}

// The rate grows each second while calls wait, also while one is under way for longer than that.
static void a_429_cuts_though_the_rate_has_grown_since_its_call_went_out(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(32, 1);
    prepare(callers);
    buckets_limited(buckets, "a", NOW_MS, NOW_MS, 0);
    for (int64_t now_ms = NOW_MS; now_ms < NOW_MS + 3000; now_ms++) {
        granted_count = 0;
        (void)buckets_take(buckets, "a", &callers[now_ms % 2].entry, now_ms);
        (void)buckets_serve(buckets, now_ms);
    }
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 24400);
    buckets_limited(buckets, "a", NOW_MS + 1, NOW_MS + 3000, 0);
    // another one that was under way at this cut
    buckets_limited(buckets, "a", NOW_MS + 2000, NOW_MS + 3010, 0);
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 24400 * 7 / 10);
    buckets_leave(buckets, &callers[0].entry);
    buckets_leave(buckets, &callers[1].entry);
    buckets_free(buckets);
}

static void an_account_that_was_not_used_for_long_starts_afresh(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(10, 1);
    prepare(callers);
    buckets_limited(buckets, "a", NOW_MS, NOW_MS, 1000);
    assert_true(buckets_take(buckets, "a", &callers[0].entry, NOW_MS + BUCKETS_IDLE_MS));
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 7000);
    assert_true(buckets_take(buckets, "a", &callers[0].entry, NOW_MS + 2 * BUCKETS_IDLE_MS + 1));
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 10000);
    buckets_free(buckets);
}

static void without_a_rate_nothing_ever_waits(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(0, 1);
    prepare(callers);
    buckets_limited(buckets, "a", NOW_MS, NOW_MS, 60000);
    for (int i = 0; i < CALLERS; i++) {
        assert_true(buckets_take(buckets, "a", &callers[i].entry, NOW_MS));
    }
    assert_int_equal(buckets_serve(buckets, NOW_MS), -1);
    assert_int_equal(buckets_rate_mrps(buckets, "a"), 0);
    buckets_free(buckets);
}

static void idle_accounts_are_forgotten_when_there_are_many(void **state)
{
    (void)state;
    Caller callers[CALLERS];
    Buckets *buckets = buckets_new(1, 1);
    char name[16];
    prepare(callers);
    buckets_limited(buckets, "blocked", NOW_MS, NOW_MS, 100000);
    assert_true(buckets_take(buckets, "waited-for", &callers[0].entry, NOW_MS));
    assert_false(buckets_take(buckets, "waited-for", &callers[0].entry, NOW_MS));
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        assert_true(buckets_take(buckets, name, &callers[1].entry, NOW_MS + 10 * (i / 10)));
    }
    assert_true(buckets_known(buckets) <= 4097);
    // what is blocked or waited for is not idle
    assert_false(buckets_take(buckets, "blocked", &callers[2].entry, NOW_MS + 50000));
    assert_false(buckets_take(buckets, "waited-for", &callers[0].entry, NOW_MS + 50000));
    buckets_leave(buckets, &callers[0].entry);
    buckets_leave(buckets, &callers[2].entry);
    buckets_free(buckets);
}

// ---- several workers, one true limiter: 12 calls a second with a burst of 6, 60 ms a round trip

enum {
    WORKERS = 3,
    LIMIT = 12,
    BURST = 6,
    ROUND_TRIP_MS = 60,
    SETTLING_MS = 60 * 1000,
    MEASURED_MS = 240 * 1000,
};

typedef struct SimWorker {
    Buckets *buckets;
    Caller caller;
    bool called; // at this tick
    int64_t done;
    struct {
        int64_t sent_ms;
        bool refused;
    } calls[1000];
    size_t call_count; // under way, oldest first
} SimWorker;

static void on_sim_granted(BucketEntry *entry)
{
    LIST_ENTRY(entry, SimWorker, caller.entry)->called = true;
}

static void answer_calls(SimWorker *worker, int64_t now_ms, int64_t *refused)
{
    while (worker->call_count > 0 && worker->calls[0].sent_ms + ROUND_TRIP_MS <= now_ms) {
        if (worker->calls[0].refused) {
            buckets_limited(worker->buckets, "a", worker->calls[0].sent_ms, now_ms, 1000);
            *refused += now_ms > SETTLING_MS;
        } else {
            worker->done += now_ms > SETTLING_MS;
        }
        worker->call_count--;
        for (size_t i = 0; i < worker->call_count; i++) {
            worker->calls[i] = worker->calls[i + 1];
        }
    }
}

static void workers_share_a_limit_fairly_with_few_429s(void **state)
{
    (void)state;
    static SimWorker workers[WORKERS];
    int64_t tokens_us = 0; // of the limiter, in microseconds of its rate
    int64_t refused = 0;
    for (int i = 0; i < WORKERS; i++) {
        workers[i] =
            (SimWorker){.buckets = buckets_new(8, 20), .caller.entry.granted = on_sim_granted};
    }
    for (int64_t now_ms = 1; now_ms <= SETTLING_MS + MEASURED_MS; now_ms++) {
        tokens_us = tokens_us + 1000L * LIMIT < BURST * 1000000L ? tokens_us + 1000L * LIMIT
                                                                 : BURST * 1000000L;
        for (int i = 0; i < WORKERS; i++) {
            SimWorker *worker = &workers[(i + now_ms) % WORKERS];
            answer_calls(worker, now_ms, &refused);
            worker->called = false;
            (void)buckets_serve(worker->buckets, now_ms);
            worker->called =
                buckets_take(worker->buckets, "a", &worker->caller.entry, now_ms) || worker->called;
            if (worker->called) {
                bool is_refused = tokens_us < 1000000;
                tokens_us -= is_refused ? 0 : 1000000;
                worker->calls[worker->call_count].sent_ms = now_ms;
                worker->calls[worker->call_count++].refused = is_refused;
            }
        }
    }
    int64_t done = 0;
    const int64_t fair = (int64_t)LIMIT * (MEASURED_MS / 1000) / WORKERS;
    for (int i = 0; i < WORKERS; i++) {
        done += workers[i].done;
        print_message("worker %d: %.2f calls a second\n", i,
                      (double)workers[i].done * 1000 / MEASURED_MS);
        assert_in_range(workers[i].done, fair * 7 / 10, fair * 13 / 10);
        buckets_leave(workers[i].buckets, &workers[i].caller.entry);
        buckets_free(workers[i].buckets);
    }
    print_message("together %.2f of %d, 429s %.2f %%\n", (double)done * 1000 / MEASURED_MS, LIMIT,
                  100.0 * (double)refused / (double)(done + refused));
    assert_true(done >= fair * WORKERS * 85 / 100);
    assert_true(refused * 100 <= 4 * (done + refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_goes_at_once_and_the_rest_at_the_rate),
        cmocka_unit_test(an_idle_bucket_holds_one_burst_and_no_more),
        cmocka_unit_test(a_wait_is_never_rounded_down),
        cmocka_unit_test(accounts_have_a_bucket_each_and_a_place_is_kept),
        cmocka_unit_test(after_a_429_the_account_waits_and_goes_on_slower_without_a_burst),
        cmocka_unit_test(calls_whose_moment_was_near_wait_for_the_end_of_a_block),
        cmocka_unit_test(a_burst_of_429s_counts_once_and_the_rate_stays_above_its_floor),
        cmocka_unit_test(the_rate_grows_only_while_calls_wait_for_it_and_to_its_ceiling),
        cmocka_unit_test(a_429_cuts_though_the_rate_has_grown_since_its_call_went_out),
        cmocka_unit_test(an_account_that_was_not_used_for_long_starts_afresh),
        cmocka_unit_test(without_a_rate_nothing_ever_waits),
        cmocka_unit_test(idle_accounts_are_forgotten_when_there_are_many),
        cmocka_unit_test(workers_share_a_limit_fairly_with_few_429s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
