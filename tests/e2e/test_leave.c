// SIGTERM at the moments that matter: what is concluded is published before the end, a static
// member keeps its partitions, and nothing new is begun. Kafka is there; see test_leave_kafka.c.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ledger_door.h"
#include "support/pair.h"
#include "support/wait.h"

enum {
    COMMANDS = 5,
    SECONDS = 60,
    SLOW_MS = 5000,
    LONG_MS = 8000,
    LINGER_MS = 10000,
    IDLE_MS = 8000 // what waits for something ends by run/leave.c's limit, 15 s
};

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    Process *worker = worker_start(*state, "connects", SETTINGS);
    command_connect_main(*state, "shop");
    worker_stop(worker);
    return 0;
}

static bool are_concluded(void *context)
{
    return strcmp(ledger_value(context,
                               "SELECT count(*) FROM provision.command WHERE status = 'finished' "
                               "AND published_at IS NULL"),
                  box_text("%d", COMMANDS)) == 0;
}

static void send_creates(World *world, const char *ids[COMMANDS])
{
    for (int i = 0; i < COMMANDS; i++) {
        ids[i] = command_send(world, "shop", PAIR_CREATE, world_fresh("live"));
    }
}

static const char *count_unpublished(World *world)
{
    return ledger_value(world, "SELECT count(*) FROM provision.command WHERE published_at IS NULL");
}

// All of them, by the worker that has ended: the next one finds nothing to do.
static void expect_published(World *world, const char *const ids[COMMANDS])
{
    assert_string_equal(count_unpublished(world), "0");
    reader_read_to_end(world->reader);
    for (int i = 0; i < COMMANDS; i++) {
        assert_int_equal(reader_count_outcomes(world->reader, ids[i]), 1);
    }
    Process *next = worker_start(world, world_fresh("next"), SETTINGS);
    (void)command_run(world, "shop", "EnvironmentCreated", PAIR_CREATE, world_fresh("live"));
    assert_false(process_has_logged(next, "finished before"));
    worker_stop(next);
}

static void what_is_concluded_is_published_before_the_end(void **state)
{
    World *world = *state;
    const char *ids[COMMANDS];
    Process *worker = pair_start(world, "held", "transaction.begin.before=hold", SETTINGS[0]);
    send_creates(world, ids);
    wait_until(are_concluded, world, SECONDS, "outcomes that wait");
    process_signal(worker, SIGTERM);
    process_await_log(worker, "stopping: ", SECONDS);
    assert_false(process_has_logged(worker, "leaving the group"));
    pair_release(world, "held");
    assert_int_equal(process_wait(worker, SECONDS), 0);
    expect_published(world, ids);
}

// They would wait for others for longer than the worker stays.
static void an_end_waits_for_no_more_outcomes(void **state)
{
    World *world = *state;
    const char *ids[COMMANDS];
    const char *const settings[] = {SETTINGS[0], box_text("publish.linger=%dms", LINGER_MS), NULL};
    Process *worker = worker_start(world, "lingers", settings);
    send_creates(world, ids);
    wait_until(are_concluded, world, SECONDS, "outcomes that linger");
    int64_t began_ms = wait_now_ms();
    worker_stop(worker);
    assert_true(wait_now_ms() - began_ms < LINGER_MS / 2);
    expect_published(world, ids);
}

static Process *start_static(World *world, const char *name, const char *instance)
{
    const char *settings[] = {SETTINGS[0], "group.static_membership=on",
                              box_text("instance.id=%s", instance),
                              box_text("kafka.consumer.client.id=%s", name), NULL};
    return worker_start(world, name, settings);
}

// Nobody else would get its partitions: it ends its call first, which takes longer than the group
// would wait for one that is gone, and whoever comes back under its name goes on.
static void a_static_member_ends_its_call_and_keeps_its_partitions(void **state)
{
    World *world = *state;
    Process *stays = start_static(world, "stays", "a");
    Process *leaves = start_static(world, "leaves", "b");
    worker_await_members(world, 2, SECONDS);
    const char *application = pair_application_of(world, "leaves");
    const char *environment = world_fresh("slow");
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': 'POST /projects', 'match': "
                                        "'%s', 'count': 1, 'ms': %d}",
                                        environment, LONG_MS));
    const char *id = command_send(world, application, PAIR_CREATE, environment);
    pair_await_row(world, id, "intent_status = 'open'");
    size_t revoked = process_count_logged(stays, "revoked: ");
    size_t assigned = process_count_logged(stays, "assigned: ");
    int64_t began_ms = wait_now_ms();
    process_signal(leaves, SIGTERM);
    assert_int_equal(process_wait(leaves, SECONDS), 0);
    assert_in_range(wait_now_ms() - began_ms, LONG_MS / 2, LONG_MS + 8000);
    assert_string_equal(pair_row(world, id, "intent_status"), "closed");
    assert_string_equal(pair_row(world, id, "status"), "running");
    Process *back = start_static(world, "back", "b");
    (void)pair_await_once(world, id, "EnvironmentCreated");
    assert_true(process_has_logged(back, "EnvironmentCreated"));
    assert_string_equal(pair_row(world, id, "abandoned"), "0");
    assert_int_equal(process_count_logged(stays, "revoked: "), revoked); // it noticed nothing
    assert_int_equal(process_count_logged(stays, "assigned: "), assigned);
    worker_stop(back);
    worker_stop(stays);
}

// Its intent waits for the ledger and was never sent: it is taken back, and nothing is opened or
// waited for.
static void what_was_not_begun_is_not_begun_any_more(void **state)
{
    World *world = *state;
    static const char *const PATIENT[] = {"environments.check_login=off", "drain.timeout=20s",
                                          NULL};
    Process *worker = worker_start(world, "begins-nothing", PATIENT);
    const char *environment = world_fresh("slow");
    int64_t fault = sandbox_fault(world, box_text("{'kind': 'slow', 'route': 'GET /projects', "
                                                  "'count': 1, 'ms': %d}",
                                                  SLOW_MS));
    int64_t made = sandbox_count_calls(world, "POST /projects");
    const char *id = command_send(world, "shop", PAIR_CREATE, environment);
    pair_await_fault(world, fault, 1);
    ledger_door_shut(world);
    process_await_log(worker, "GET /projects: 200", SECONDS);
    int64_t began_ms = wait_now_ms();
    worker_stop(worker);
    assert_true(wait_now_ms() - began_ms < 10000);
    ledger_door_open(world);
    assert_string_equal(pair_row(world, id, "intent_number"), "0");
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), made);
    sandbox_clear_faults(world);
    Process *next = worker_start(world, "begins", SETTINGS);
    (void)pair_await_once(world, id, "EnvironmentCreated");
    worker_stop(next);
}

static void an_idle_worker_ends_at_once_however_often_it_is_told(void **state)
{
    World *world = *state;
    for (int signals = 1; signals <= 3; signals++) {
        Process *worker = worker_start(world, box_text("idle-%d", signals), SETTINGS);
        worker_await_members(world, 1, SECONDS);
        int64_t began_ms = wait_now_ms();
        for (int i = 0; i < signals; i++) {
            (void)kill(worker->pid, SIGTERM); // it may be gone by the last one
        }
        assert_int_equal(process_wait(worker, SECONDS), 0);
        assert_true(wait_now_ms() - began_ms < IDLE_MS);
    }
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_concluded_is_published_before_the_end),
        cmocka_unit_test(an_end_waits_for_no_more_outcomes),
        cmocka_unit_test(a_static_member_ends_its_call_and_keeps_its_partitions),
        cmocka_unit_test(what_was_not_begun_is_not_begun_any_more),
        cmocka_unit_test(an_idle_worker_ends_at_once_however_often_it_is_told),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
