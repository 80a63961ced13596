// SIGTERM loses nothing, and what can't start says so.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

enum { EXIT_CONFIG = 78, EXIT_USAGE = 64, COMMANDS = 12, END_SECONDS = 60, SLOW_MS = 10000 };

static const char *const WORKER[] = {"environments.check_login=off", NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "700", NULL};
    const WorldOptions options = {SANDBOX, NULL};
    world_begin(state, &options);
    return 0;
}

// Creates in `count` applications, so that they run at once; returns their ids.
static void send_creates(World *world, const char *prefix, const char *ret_ids[COMMANDS])
{
    for (int i = 0; i < COMMANDS; i++) {
        const char *application = box_text("%s-%d", prefix, i);
        (void)command_connect(world, application, "main", world->api_key);
        ret_ids[i] = command_send(world, application,
                                  "'createEnvironment': {'environment': 'live', 'account': 'main', "
                                  "'regionId': '" WORLD_REGION "'}");
    }
}

typedef struct OpenIntents {
    World *world;
    long wanted;
} OpenIntents;

static bool are_intents_made(void *context)
{
    const OpenIntents *wanted = context;
    const char *count = ledger_value(wanted->world, "SELECT count(*) FROM provision.command WHERE "
                                                    "status = 'running' AND intent_number > 0");
    return strtol(count, NULL, 10) >= wanted->wanted;
}

// Waits until this many commands stand between their first call and their end.
static void await_under_way(World *world, long count)
{
    OpenIntents wanted = {world, count};
    wait_until(are_intents_made, &wanted, END_SECONDS, "%ld commands under way", count);
}

static void expect_each_once(World *world, const char *prefix, const char *const ids[COMMANDS])
{
    for (int i = 0; i < COMMANDS; i++) {
        (void)command_await(world, ids[i], "EnvironmentCreated");
    }
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    for (int i = 0; i < COMMANDS; i++) {
        assert_int_equal(reader_count_outcomes(world->reader, ids[i]), 1);
        assert_int_equal(sandbox_count_projects(world, box_text("%s-%d-live", prefix, i)), 1);
    }
}

typedef struct Opened {
    World *world;
    const char *id;
} Opened;

static bool is_opened(void *context)
{
    const Opened *opened = context;
    return strcmp(ledger_value(opened->world,
                               "SELECT intent_status FROM provision.command WHERE command_id = "
                               "'%s'",
                               opened->id),
                  "open") == 0;
}

static void what_is_under_way_is_finished_before_the_end(void **state)
{
    World *world = *state;
    const char *ids[COMMANDS];
    static const char *const PATIENT[] = {"environments.check_login=off", "drain.finish=20s", NULL};
    Process *one = worker_start(world, "patient", PATIENT);
    send_creates(world, "patient", ids);
    await_under_way(world, COMMANDS / 2);
    worker_stop(one);
    assert_true(strtol(ledger_value(world, "SELECT count(*) FROM provision.command WHERE status = "
                                           "'finished' AND action = 'CreateEnvironment'"),
                       NULL, 10) >= COMMANDS / 2);
    // it is gone, so what is unpublished now is unstarted, not lost
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.command WHERE "
                                            "status = 'finished' AND published_at IS NULL"),
                        "0");
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.command WHERE "
                                            "intent_status = 'open'"),
                        "0");
    Process *two = worker_start(world, "second", WORKER);
    expect_each_once(world, "patient", ids);
    worker_stop(two);
}

static void what_does_not_end_in_time_is_handed_back_and_continued(void **state)
{
    World *world = *state;
    static const char *const HASTY[] = {"environments.check_login=off", "drain.timeout=2s", NULL};
    const char *ids[COMMANDS];
    (void)sandbox_fault(world, "{'kind': 'operation_ms', 'ms': 6000, 'for_ms': 12000}");
    Process *one = worker_start(world, "hasty", HASTY);
    send_creates(world, "hasty", ids);
    await_under_way(world, COMMANDS / 2);
    int64_t began_ms = wait_now_ms();
    worker_stop(one);
    assert_in_range(wait_now_ms() - began_ms, 0, 15000);
    sandbox_clear_faults(world);
    int64_t made = sandbox_count_calls(world, "POST /projects");
    Process *two = worker_start(world, "heir", WORKER);
    expect_each_once(world, "hasty", ids);
    worker_stop(two);
    // none that the first had made was made again
    assert_in_range(made, 1, 2 * COMMANDS);
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), 2 * COMMANDS);
}

// A creation whose POST takes SLOW_MS is under way at the worker that is started first.
static const char *send_slow_create(World *world, const char *name)
{
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': 'POST /projects', 'count': 1, "
                                        "'ms': %d}",
                                        SLOW_MS));
    const char *id = command_send(world, "slow",
                                  "'createEnvironment': {'environment': '%s', 'account': 'main', "
                                  "'regionId': '" WORLD_REGION "'}",
                                  name);
    Opened opened = {world, id};
    wait_until(is_opened, &opened, END_SECONDS, "the slow call's intent");
    return id;
}

static void a_call_under_way_is_ended_behind_the_group(void **state)
{
    World *world = *state;
    Process *one = worker_start(world, "behind", WORKER);
    command_connect_main(world, "slow");
    const char *id = send_slow_create(world, "behind");
    Process *two = worker_start(world, "ahead", WORKER);
    worker_await_members(world, 2, END_SECONDS);
    process_signal(one, SIGTERM);
    worker_await_members(world, 1, END_SECONDS);
    assert_false(process_has_ended(one)); // it is out of the group, and its call goes on
    assert_int_equal(process_wait(one, END_SECONDS), 0);
    (void)command_await(world, id, "EnvironmentCreated");
    // its intent was closed by it: nobody had to wait until it has settled, or call again
    assert_string_equal(
        ledger_value(world,
                     "SELECT concat_ws(' ', abandoned, unsettled_until IS NULL) FROM "
                     "provision.command WHERE command_id = '%s'",
                     id),
        "0 t");
    assert_int_equal(sandbox_count_projects(world, "slow-behind"), 1);
    sandbox_clear_faults(world);
    worker_stop(two);
}

static void a_second_signal_cuts_calls_off(void **state)
{
    World *world = *state;
    Process *one = worker_start(world, "cut", WORKER);
    const char *id = send_slow_create(world, "cut");
    int64_t began_ms = wait_now_ms();
    process_signal(one, SIGTERM);
    process_await_log(one, "leaving the group", END_SECONDS);
    process_signal(one, SIGTERM);
    assert_int_equal(process_wait(one, END_SECONDS), 0);
    assert_in_range(wait_now_ms() - began_ms, 0, SLOW_MS - 1);
    sandbox_clear_faults(world);
    Process *two = worker_start(world, "after-cut", WORKER);
    (void)command_await(world, id, "EnvironmentCreated");
    assert_int_equal(sandbox_count_projects(world, "slow-cut"), 1);
    worker_stop(two);
}

static void two_workers_share_and_one_of_them_leaves(void **state)
{
    World *world = *state;
    const char *ids[COMMANDS];
    Process *one = worker_start(world, "left", WORKER);
    Process *two = worker_start(world, "right", WORKER);
    worker_await_members(world, 2, END_SECONDS);
    send_creates(world, "shared", ids);
    await_under_way(world, 1);
    worker_stop(one);
    expect_each_once(world, "shared", ids);
    worker_stop(two);
    assert_string_equal(
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE published_at IS NULL"),
        "0");
}

static void a_wrong_configuration_ends_with_78(void **state)
{
    World *world = *state;
    static const char *const WRONG[] = {
        "no.such_setting=1",
        "neon.poll_interval=fast",
        "neon.api_url=http://neon.example/api/v2",
        "kafka.enable.auto.commit=true",
        "kafka.isolation.level=read_uncommitted",
        "kafka.acks=1",
        "kafka.consumer.partition.assignment.strategy=cooperative-sticky",
        "secrets.fleet_private_key_file=/nonexistent/fleet.key",
    };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        const char *const arguments[] = {"--set", WRONG[i], "run", NULL};
        int status = worker_task(world, arguments);
        if (status != EXIT_CONFIG) {
            fail_msg("%s ends with %d", WRONG[i], status);
        }
    }
}

static void a_key_that_is_none_ends_with_78(void **state)
{
    World *world = *state;
    const char *const arguments[] = {
        "--set", box_text("secrets.key_encryption_key_file=%s/worker.ini", world->dir), "run",
        NULL};
    assert_int_equal(worker_task(world, arguments), EXIT_CONFIG);
}

static void a_secret_on_the_command_line_is_refused(void **state)
{
    World *world = *state;
    const char *const arguments[] = {"--set", "secrets.key_encryption_key=00", "run", NULL};
    assert_int_equal(worker_task(world, arguments), EXIT_CONFIG);
    const char *const check[] = {"--check-config", NULL};
    assert_int_equal(worker_task(world, check), 0);
    const char *const unknown[] = {"jump", NULL};
    assert_int_equal(worker_task(world, unknown), EXIT_USAGE);
}

static void the_printed_configuration_masks_secrets(void **state)
{
    World *world = *state;
    const char *const print[] = {"--print-config", NULL};
    assert_int_equal(worker_task(world, print), 0);
    secrets_search(world);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_under_way_is_finished_before_the_end),
        cmocka_unit_test(what_does_not_end_in_time_is_handed_back_and_continued),
        cmocka_unit_test(a_call_under_way_is_ended_behind_the_group),
        cmocka_unit_test(a_second_signal_cuts_calls_off),
        cmocka_unit_test(two_workers_share_and_one_of_them_leaves),
        cmocka_unit_test(a_wrong_configuration_ends_with_78),
        cmocka_unit_test(a_key_that_is_none_ends_with_78),
        cmocka_unit_test(a_secret_on_the_command_line_is_refused),
        cmocka_unit_test(the_printed_configuration_masks_secrets),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
