// A fleet under load: it grows, shrinks, is restarted worker by worker, and no command notices but
// by the time of a call.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/traffic.h"
#include "support/world.h"

enum {
    PERIOD_MS = 80,
    LONGEST_CALL_MS = 2500,
    // Leaving and joining: a heartbeat (0.5 s) until each member hears of it, one more look at an
    // intent that is closed meanwhile (1 s), and room for a busy machine.
    HAND_OVER_MS = 2500,
    CALM = 60, // commands
    JOIN_SECONDS = 40,
    END_SECONDS = 90,
};

static const char *const SETTINGS[] = {"environments.check_login=off", "log.level=info", NULL};

static Traffic traffic;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    Process *first = worker_start(world, "first", SETTINGS);
    traffic_begin(&traffic, world, PERIOD_MS);
    worker_stop(first);
    return 0;
}

static int end(void **state)
{
    traffic_end(&traffic);
    return world_end(state);
}

// A test that failed leaves no worker to the next.
static int clear(void **state)
{
    World *world = *state;
    sandbox_clear_faults(world);
    for (size_t i = 0; i < world->worker_count; i++) {
        process_kill(&world->workers[i]);
    }
    return 0;
}

// ---- what is waited for

static bool has_ended(void *context)
{
    return process_has_ended(context);
}

typedef struct Members {
    World *world;
    int count;
} Members;

static bool are_members(void *context)
{
    const Members *members = context;
    return worker_count_members(members->world) == members->count;
}

static void await_members(World *world, int count)
{
    Members members = {world, count};
    int64_t began_ms = wait_now_ms();
    traffic_until(&traffic, are_members, &members, JOIN_SECONDS, "members with their partitions");
    print_message("  %d members after %lld ms\n", count, (long long)(wait_now_ms() - began_ms));
}

// SIGTERM, under load; it has to end with 0.
static void stop(Process *worker)
{
    int64_t began_ms = wait_now_ms();
    process_signal(worker, SIGTERM);
    traffic_until(&traffic, has_ended, worker, END_SECONDS, "the end of a worker");
    assert_int_equal(process_wait(worker, 1), 0);
    print_message("  drained in %lld ms\n", (long long)(wait_now_ms() - began_ms));
}

static void slow_down(World *world)
{
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': 'POST /projects', 'count': -1, "
                                        "'ms': %d}",
                                        LONGEST_CALL_MS));
}

static TrafficTimes run_calmly(const char *what)
{
    size_t first = traffic.count;
    traffic_send(&traffic, CALM);
    traffic_settle(&traffic, END_SECONDS);
    return traffic_times(&traffic, first, traffic.count, what);
}

// ---- tests

static void it_grows_and_shrinks_under_load(void **state)
{
    World *world = *state;
    slow_down(world);
    Process *one = worker_start(world, "one", SETTINGS);
    await_members(world, 1);
    TrafficTimes calm = run_calmly("one worker, calm");
    size_t first = traffic.count;
    Process *two = worker_start(world, "two", SETTINGS);
    Process *three = worker_start(world, "three", SETTINGS);
    Process *four = worker_start(world, "four", SETTINGS);
    await_members(world, 4);
    stop(two);
    stop(three);
    await_members(world, 2);
    stop(four);
    await_members(world, 1);
    traffic_settle(&traffic, END_SECONDS);
    TrafficTimes moved = traffic_times(&traffic, first, traffic.count, "1, 4, 2, 1 workers");
    assert_in_range(moved.max_ms, 0, calm.max_ms + LONGEST_CALL_MS + HAND_OVER_MS);
    worker_stop(one);
}

static void a_whole_fleet_is_restarted_and_delays_nothing_beyond_its_longest_call(void **state)
{
    World *world = *state;
    Process *workers[3];
    slow_down(world);
    for (int i = 0; i < 3; i++) {
        workers[i] = worker_start(world, box_text("old-%d", i), SETTINGS);
    }
    await_members(world, 3);
    TrafficTimes calm = run_calmly("three workers, calm");
    size_t first = traffic.count;
    for (int i = 0; i < 3; i++) {
        stop(workers[i]);
        workers[i] = worker_start(world, box_text("new-%d", i), SETTINGS);
        await_members(world, 3);
    }
    traffic_settle(&traffic, END_SECONDS);
    TrafficTimes rolling = traffic_times(&traffic, first, traffic.count, "rolling restart");
    assert_in_range(rolling.max_ms, 0, calm.max_ms + LONGEST_CALL_MS + HAND_OVER_MS);
    for (int i = 0; i < 3; i++) {
        worker_stop(workers[i]);
    }
}

static Process *start_static(World *world, const char *log, const char *instance)
{
    const char *settings[] = {"environments.check_login=off", "log.level=info",
                              "group.static_membership=on", box_text("instance.id=%s", instance),
                              NULL};
    return worker_start(world, log, settings);
}

static void a_static_member_comes_back_to_its_partitions(void **state)
{
    World *world = *state;
    Process *stays = start_static(world, "stays", "a");
    Process *leaves = start_static(world, "leaves", "b");
    await_members(world, 2);
    traffic_send(&traffic, CALM / 2);
    size_t revoked = process_count_logged(stays, "revoked: ");
    stop(leaves);
    Process *back = start_static(world, "back", "b");
    traffic_send(&traffic, CALM / 2);
    traffic_settle(&traffic, END_SECONDS);
    assert_int_equal(process_count_logged(stays, "revoked: "), revoked); // it noticed nothing
    // both do their part
    assert_true(process_count_logged(back, "EnvironmentCreated") > 0);
    assert_true(process_count_logged(stays, "EnvironmentCreated") > 0);
    worker_stop(stays);
    worker_stop(back);
}

static void a_frozen_static_member_is_fenced_by_its_successor(void **state)
{
    World *world = *state;
    Process *old = start_static(world, "frozen", "c");
    await_members(world, 1);
    traffic_send(&traffic, CALM / 4);
    process_signal(old, SIGSTOP);
    Process *successor = start_static(world, "successor", "c");
    traffic_send(&traffic, CALM / 2);
    traffic_settle(&traffic, END_SECONDS);
    process_signal(old, SIGCONT);
    assert_int_equal(process_wait(old, END_SECONDS), 75);
    traffic_send(&traffic, CALM / 4);
    traffic_settle(&traffic, END_SECONDS);
    worker_stop(successor);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(it_grows_and_shrinks_under_load, clear),
        cmocka_unit_test_teardown(
            a_whole_fleet_is_restarted_and_delays_nothing_beyond_its_longest_call, clear),
        cmocka_unit_test_teardown(a_static_member_comes_back_to_its_partitions, clear),
        cmocka_unit_test_teardown(a_frozen_static_member_is_fenced_by_its_successor, clear),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
