// Two workers share the rate limit of one Neon account, of which neither knows: together they use
// most of it, with few 429s.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/load.h"
#include "support/probe.h"
#include "support/wait.h"

enum { LIMIT = 10, APPLICATIONS = 12, EACH = 8, SETTLING_MS = 12 * 1000, MEASURED_MS = 30 * 1000 };

static Load load;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "0",  "--latency-ms",
                                          "50",           "--rate-limit",   "10", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off",
                                           "neon.requests_per_second=8",
                                           "neon.burst=20",
                                           "log.level=info",
                                           "drain.timeout=2s",
                                           NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    (void)worker_start(*state, "one", SETTINGS);
    (void)worker_start(*state, "two", SETTINGS);
    worker_await_members(*state, 2, WORLD_SECONDS);
    return 0;
}

typedef struct Calls {
    int64_t last;
    int64_t done;
    int64_t refused;
} Calls;

// Adds the calls since the last look.
static void look(World *world, Calls *calls)
{
    REPLY reply =
        box_call(&world->box, "GET", box_text("/sandbox/calls?since=%" PRId64, calls->last), NULL);
    size_t i = 0;
    const json_t *call = NULL;
    json_array_foreach(box_find(reply.json, "calls"), i, call)
    {
        bool is_refused = box_integer(call, "status") == 429;
        calls->refused += is_refused;
        calls->done += !is_refused;
    }
    calls->last = box_integer(reply.json, "last");
}

static bool is_over(void *context)
{
    return wait_now_ms() >= *(const int64_t *)context;
}

static void two_workers_use_one_limit_with_few_429s(void **state)
{
    World *world = *state;
    for (int i = 0; i < APPLICATIONS; i++) {
        (void)command_connect(world, box_text("app-%d", i), "main", world->api_key);
    }
    load_init(&load);
    for (int i = 0; i < APPLICATIONS * EACH; i++) {
        load_create(world, &load, box_text("app-%d", i % APPLICATIONS));
    }
    int64_t until_ms = wait_now_ms() + SETTLING_MS;
    wait_until(is_over, &until_ms, 60, "the rates to settle");
    Calls calls = {0};
    look(world, &calls);
    calls = (Calls){.last = calls.last};
    until_ms = wait_now_ms() + MEASURED_MS;
    wait_until(is_over, &until_ms, 60, "the measurement");
    look(world, &calls);
    int64_t total = calls.done + calls.refused;
    print_message(
        "%.2f calls a second of %d, 429s %.1f %%; waits for rates %.0f s\n",
        (double)calls.done * 1000 / MEASURED_MS, LIMIT,
        100.0 * (double)calls.refused / (double)total,
        probe_metric(&world->workers[0], "provision_neon_wait_seconds_total{reason=\"bucket\"}"));
    assert_true(load_ended(world, &load) < load.count); // there was work all the time
    assert_true(calls.done * 1000 >= (int64_t)MEASURED_MS * LIMIT * 8 / 10);
    assert_true(calls.refused * 100 <= total * 6);
    for (size_t i = 0; i < 2; i++) {
        assert_true(probe_metric(&world->workers[i],
                                 "provision_neon_wait_seconds_total{reason=\"bucket\"}") > 1);
    }
    load_clear(&load);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_workers_use_one_limit_with_few_429s),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
