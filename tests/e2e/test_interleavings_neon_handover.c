// Partitions that a worker loses and regains while its calls are under way: each call is made once,
// and what it did is known to whoever has the command then.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/murmur2.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/pair.h"
#include "support/secrets.h"
#include "support/wait.h"

#define POST_PROJECT "POST /projects"
#define CLAIM_OF_CREATION "claim.before/CreateEnvironment"

enum { CALL_MS = 12000, LOST = WORLD_PARTITIONS / 2 };

// A call of unknown result would be waited for longer than the tests take.
static const char *const SETTINGS[] = {
    "environments.check_login=off", "neon.send_window=1s", "neon.request_timeout=30s",
    "neon.listing_lag=30s",         "drain.timeout=2s",    NULL};

// A creation on each partition.
typedef struct Creations {
    World *world;
    const char *name;
    const char *applications[WORLD_PARTITIONS];
    const char *ids[WORLD_PARTITIONS];
    int64_t calls_before;
} Creations;

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

static const char *application_on(int32_t partition)
{
    const char *name = world_fresh("app");
    while (murmur2_partition(bytes_of(name), WORLD_PARTITIONS) != partition) {
        name = world_fresh("app");
    }
    return name;
}

static bool are_under_way(void *context)
{
    const Creations *creations = context;
    return strcmp(ledger_value(creations->world,
                               "SELECT count(*) FROM provision.command WHERE status = 'running' "
                               "AND intent_status = 'open'"),
                  box_text("%d", WORLD_PARTITIONS)) == 0;
}

// The other worker, alone in the group, waits for Neon's answer to each.
static void start_creations(World *world, Creations *creations)
{
    *creations = (Creations){.world = world, .name = world_fresh("live")};
    for (int32_t i = 0; i < WORLD_PARTITIONS; i++) {
        creations->applications[i] = application_on(i);
        command_connect_main(world, creations->applications[i]);
    }
    creations->calls_before = sandbox_count_calls(world, POST_PROJECT);
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': '" POST_PROJECT
                                        "', 'count': %d, 'ms': %d}",
                                        WORLD_PARTITIONS, CALL_MS));
    for (int32_t i = 0; i < WORLD_PARTITIONS; i++) {
        creations->ids[i] =
            command_send(world, creations->applications[i], PAIR_CREATE, creations->name);
    }
    wait_until(are_under_way, creations, PAIR_SECONDS, "%d open intents", WORLD_PARTITIONS);
}

static int count_claimed_again(const Creations *creations)
{
    int count = 0;
    for (int32_t i = 0; i < WORLD_PARTITIONS; i++) {
        count += pair_row_number(creations->world, creations->ids[i], "takeovers") > 0;
    }
    return count;
}

static bool are_claimed_again(void *context)
{
    return count_claimed_again(context) == LOST;
}

static void expect_once(const Creations *creations)
{
    World *world = creations->world;
    for (int32_t i = 0; i < WORLD_PARTITIONS; i++) {
        const char *id = creations->ids[i];
        (void)pair_await_once(world, id, "EnvironmentCreated");
        assert_int_equal(sandbox_count_projects(
                             world, box_text("%s-%s", creations->applications[i], creations->name)),
                         1);
        // its opener told what the call did; nobody had to wait until it was settled
        assert_string_equal(pair_row(world, id, "finished_at < settled_at"), "t");
        assert_int_equal(pair_row_number(world, id, "abandoned"), 0);
    }
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT),
                     creations->calls_before + WORLD_PARTITIONS);
}

static void partition_lost_to_a_member_that_leaves_and_regained_with_a_call_in_flight_goes_on(
    void **state)
{
    World *world = *state;
    Creations creations;
    start_creations(world, &creations);
    Process *member = pair_start(world, world_fresh("first"), NULL, NULL);
    wait_until(are_claimed_again, &creations, PAIR_SECONDS, "the new member's claims");
    worker_stop(member);
    worker_await_members(world, 1, PAIR_SECONDS);
    assert_true(are_under_way(&creations));
    expect_once(&creations);
    // who was given back what it had was never disturbed
    assert_int_equal(count_claimed_again(&creations), LOST);
}

// The member freezes with its claims in hand; the commands are nobody's until the group has done
// without it. When it thaws it leaves what it has lost alone.
static void partition_lost_to_nobody_and_regained_with_a_call_in_flight_goes_on(void **state)
{
    World *world = *state;
    Creations creations;
    start_creations(world, &creations);
    const char *trace = box_text("%s/%s.trace", world->dir, creations.name);
    assert_int_equal(setenv("CRASH_POINT_TRACE", trace, 1), 0);
    Process *member = pair_start(world, world_fresh("first"), CLAIM_OF_CREATION "=stop", NULL);
    assert_int_equal(unsetenv("CRASH_POINT_TRACE"), 0);
    process_await_log(member, "crash point " CLAIM_OF_CREATION, PAIR_SECONDS);
    assert_int_equal(count_claimed_again(&creations), 0);
    worker_await_members(world, 1, PAIR_SECONDS);
    assert_true(are_under_way(&creations));
    wait_until(are_claimed_again, &creations, PAIR_SECONDS, "new claims of what was lost");
    process_signal(member, SIGTERM); // once it thaws it takes nothing new
    process_signal(member, SIGCONT);
    assert_int_equal(process_wait(member, PAIR_SECONDS), 0);
    char *passed = process_read_log(trace);
    assert_non_null(strstr(passed, CLAIM_OF_CREATION));
    assert_null(strstr(passed, "claim.after/CreateEnvironment"));
    free(passed);
    expect_once(&creations);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            partition_lost_to_a_member_that_leaves_and_regained_with_a_call_in_flight_goes_on,
            pair_end),
        cmocka_unit_test_teardown(
            partition_lost_to_nobody_and_regained_with_a_call_in_flight_goes_on, pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
