// A ledger that answers late, is away, or has no space left: nothing is lost or done twice, the
// worker says that it isn't ready, and its memory stays within what it said.
#include <string.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/load.h"
#include "support/memory.h"
#include "support/probe.h"
#include "support/stack.h"
#include "support/wait.h"

enum {
    APPLICATIONS = 6,
    EACH = 4,
    MANY = 900,
    LARGE_BYTES = 240 * 1024,
    SLOW_MS = 200,
    AWAY_MS = 8000,
    SECONDS = 240
};

static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "log.level=info",
                                       "commands.memory=8MiB",
                                       "commands.max_bytes=64KiB",
                                       "commands.in_flight=64",
                                       "neon.reply_memory=1MiB",
                                       "ledger.connections=1",
                                       "kafka.consumer.queued.max.messages.kbytes=2048",
                                       "kafka.consumer.fetch.max.bytes=1048576",
                                       NULL};

static Load load;

static const char *application(int number)
{
    return box_text("app-%d", number);
}

static void create_everywhere(World *world)
{
    for (int round = 0; round < EACH; round++) {
        for (int i = 0; i < APPLICATIONS; i++) {
            load_create(world, &load, application(i));
        }
    }
}

static int begin(void **state)
{
    // long enough to be under way when the ledger is taken away
    static const char *const SANDBOX[] = {
        "--no-compute", "--operation-ms", "4000", "--latency-ms", "50", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    Process *worker = worker_start(*state, "first", SETTINGS);
    for (int i = 0; i < APPLICATIONS; i++) {
        command_connect_main(*state, application(i));
    }
    worker_stop(worker);
    return 0;
}

// What the worker itself has measured: no statement came back sooner.
static void expect_slow_statements(const Process *worker)
{
    static const char *const KINDS[] = {"claim", "conclude", "published"};
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        double count = probe_metric(
            worker, box_text("provision_ledger_statement_seconds_count{kind=\"%s\"}", KINDS[i]));
        double seconds = probe_metric(
            worker, box_text("provision_ledger_statement_seconds_sum{kind=\"%s\"}", KINDS[i]));
        print_message("%.0f statements, kind %s, took %.0f ms each\n", count, KINDS[i],
                      seconds * 1000 / count);
        assert_true(count > 0);
        assert_true(seconds * 1000 >= count * SLOW_MS);
    }
}

static void a_slow_ledger_slows_commands_down_and_nothing_else(void **state)
{
    World *world = *state;
    const char *uri = stack_slow_ledger(world, SLOW_MS);
    const char *settings[16] = {uri};
    for (size_t i = 0; SETTINGS[i] != NULL; i++) {
        settings[i + 1] = SETTINGS[i];
    }
    load_init(&load);
    create_everywhere(world);
    // together more than the worker may take, and all there when it starts
    for (int i = 0; i < MANY; i++) {
        load_refused_large(world, &load, application(i % APPLICATIONS), LARGE_BYTES);
    }
    int64_t began_ms = wait_now_ms();
    Process *worker = worker_start(world, "slow", settings);
    load_expect_ends(world, &load, SECONDS);
    print_message("%zu commands in %.1f s with %d ms a query\n", load.count,
                  (double)(wait_now_ms() - began_ms) / 1000, SLOW_MS);
    expect_slow_statements(worker);
    probe_await(worker, "/readyz", 200, "", SECONDS);
    memory_expect_bounded(worker);
    load_clear(&load);
    worker_stop(worker);
}

// Not how many intents are open at one moment: calls are short, and the rate spreads them.
static bool are_under_way(void *context)
{
    World *world = context;
    return strcmp(ledger_value(world, "SELECT count(*) >= 5 FROM provision.command WHERE "
                                      "status = 'running' AND intent_number > 0"),
                  "t") == 0;
}

static bool is_over(void *context)
{
    return wait_now_ms() >= *(const int64_t *)context;
}

static void while_the_ledger_is_away_commands_wait_and_none_is_lost(void **state)
{
    World *world = *state;
    Process *worker = worker_start(world, "away", SETTINGS);
    load_init(&load);
    probe_await(worker, "/readyz", 200, "", SECONDS);
    create_everywhere(world);
    wait_until(are_under_way, world, SECONDS, "commands that have made a call");
    stack_stop_ledger();
    probe_await(worker, "/readyz", 503, "", SECONDS);
    for (int i = 0; i < MANY; i++) {
        load_refused(world, &load, application(i % APPLICATIONS));
    }
    int64_t until_ms = wait_now_ms() + AWAY_MS;
    wait_until(is_over, &until_ms, 60, "the outage to last");
    assert_int_equal(probe_get(worker, "/readyz").status, 503);
    assert_int_equal(probe_get(worker, "/livez").status, 200);
    assert_true(load_ended(world, &load) < load.count);
    stack_start_ledger(world);
    load_expect_ends(world, &load, SECONDS);
    probe_await(worker, "/readyz", 200, "", SECONDS);
    double blocked_s = 0;
    for (int i = 0; i < WORLD_PARTITIONS; i++) {
        double one_s = probe_metric(
            worker, box_text("provision_partition_blocked_seconds_total{partition=\"%d\"}", i));
        blocked_s += one_s > 0 ? one_s : 0;
    }
    assert_true(blocked_s * 2000 > AWAY_MS);
    memory_expect_bounded(worker);
    load_clear(&load);
    worker_stop(worker);
}

static bool takes_nothing(void *context)
{
    return process_has_logged(context, "the ledger takes nothing");
}

typedef struct Outage {
    const Process *worker;
    size_t recovered; // so often it has said so
    int64_t since_ms;
} Outage;

// At first the last room in pages that are there already lets a few rows in, and each of them shows
// that the ledger takes rows; then there is none.
static bool has_lasted(void *context)
{
    Outage *outage = context;
    size_t recovered = process_count_logged(outage->worker, "the ledger takes rows again");
    if (recovered != outage->recovered || probe_status(outage->worker, "/readyz") != 503) {
        outage->recovered = recovered;
        outage->since_ms = wait_now_ms();
    }
    return wait_now_ms() - outage->since_ms >= AWAY_MS;
}

static void a_full_disk_at_the_ledger_stops_commands_until_it_is_freed(void **state)
{
    World *world = *state;
    if (geteuid() != 0) {
        skip(); // a small disk can only be mounted by root
    }
    stack_pack_ledger(world);             // or what others have left might be room enough
    stack_put_temporary_elsewhere(world); // what fits there tells nothing about commands
    Process *worker = worker_start(world, "full", SETTINGS);
    load_init(&load);
    probe_await(worker, "/readyz", 200, "", SECONDS);
    create_everywhere(world);
    wait_until(are_under_way, world, SECONDS, "commands that have made a call");
    stack_fill_disk(world);
    for (int i = 0; i < MANY; i++) {
        load_refused(world, &load, application(i % APPLICATIONS));
    }
    wait_until(takes_nothing, worker, SECONDS, "the ledger to run out of space");
    Outage outage = {.worker = worker, .since_ms = wait_now_ms()};
    wait_until(has_lasted, &outage, SECONDS, "an outage of %d ms on end", AWAY_MS);
    print_message("%zu of %zu had ended; rows were taken again %zu times\n",
                  load_ended(world, &load), load.count, outage.recovered);
    assert_true(load_ended(world, &load) < load.count);
    stack_free_disk();
    stack_start_ledger(world); // PostgreSQL may have stopped over it
    load_expect_ends(world, &load, SECONDS);
    probe_await(worker, "/readyz", 200, "", SECONDS);
    memory_expect_bounded(worker);
    load_clear(&load);
    worker_stop(worker);
}

// A test that failed must not keep the teardown from the ledger.
static int free_disk(void **state)
{
    stack_free_disk();
    stack_start_ledger(*state);
    return 0;
}

int main(void)
{
    world_require();
    memory_use_release();
    stack_begin(geteuid() == 0 ? STACK_LEDGER_ON_SMALL_DISK : STACK_LEDGER);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_ledger_slows_commands_down_and_nothing_else),
        cmocka_unit_test(while_the_ledger_is_away_commands_wait_and_none_is_lost),
        cmocka_unit_test_teardown(a_full_disk_at_the_ledger_stops_commands_until_it_is_freed,
                                  free_disk),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
