// CancelCommand, whatever its target is doing: it ends cancelled, nothing of it is left, and the
// sequences have no holes.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
enum {
    CALL_SECONDS = 30,
    SLOW_MS = 2500,
    DEAD_MS = 12000, // longer than the group needs to miss a member
    WAIT_MS = 20000, // that Neon asks for
    LOOK_MS = 10000, // run/flight.h
    REJECTED = 10,
};

static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "neon.send_window=1s",
                                       "neon.request_timeout=3s",
                                       "neon.listing_lag=1s",
                                       "kafka.consumer.session.timeout.ms=6000",
                                       NULL};

static Process *worker;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker = worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, APPLICATION);
    return 0;
}

static int end(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    return world_end(state);
}

static int clear(void **state)
{
    sandbox_clear_faults(*state);
    return 0;
}

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define DELETE_ALL "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"
#define CANCEL "'cancelCommand': {'commandId': '%s'}"

static void be_slow(World *world)
{
    (void)sandbox_fault(world,
                        box_text("{'kind': 'slow', 'route': 'POST /projects', 'ms': %d}", SLOW_MS));
}

static size_t count_projects(World *world, const char *environment)
{
    return sandbox_count_projects(world, box_text(APPLICATION "-%s", environment));
}

typedef struct Row {
    World *world;
    const char *command_id;
    const char *column;
    const char *value;
} Row;

static bool has_value(void *context)
{
    const Row *row = context;
    return strcmp(ledger_value(row->world,
                               "SELECT %s FROM provision.command WHERE command_id = '%s'",
                               row->column, row->command_id),
                  row->value) == 0;
}

static void await_row(World *world, const char *command_id, const char *column, const char *value)
{
    Row row = {world, command_id, column, value};
    wait_until(has_value, &row, CALL_SECONDS, "%s = %s of %s", column, value, command_id);
}

// Its intent is committed and its call under way.
static void await_call(World *world, const char *command_id)
{
    await_row(world, command_id, "intent_status", "open");
}

// The cancellation is accepted, and tells of whom.
static const char *cancel(World *world, const char *target, const char *action)
{
    const Seen *accepted = command_run(world, APPLICATION, "CancelAccepted", CANCEL, target);
    expect_event(accepted, APPLICATION, "", 0);
    assert_string_equal(seen_text(accepted, "cancelAccepted.commandId"), target);
    assert_string_equal(seen_text(accepted, "cancelAccepted.action"), action);
    return seen_text(accepted, "commandId");
}

static const Seen *await_cancelled(World *world, const char *target, const char *by)
{
    const Seen *seen = command_await(world, target, "CommandCancelled");
    assert_string_equal(seen_text(seen, "commandCancelled.cancelledBy"), by);
    return seen;
}

static void a_creation_is_cancelled_while_its_call_is_under_way(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    be_slow(world);
    const char *target = command_send(world, APPLICATION, CREATE, name);
    await_call(world, target);
    const char *by = cancel(world, target, "CreateEnvironment");
    const Seen *cancelled = await_cancelled(world, target, by);
    assert_true(strstr(box_text("%s", seen_text(cancelled, "subject")), name) != NULL);
    assert_int_equal(json_array_size(json_object_get(
                         json_object_get(cancelled->json, "commandCancelled"), "undone")),
                     1);
    assert_int_equal(count_projects(world, name), 0);
    expect_gone(world, APPLICATION, name, 1);
    // the name is free again
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    assert_int_equal(count_projects(world, name), 1);
}

static void what_waits_in_its_lane_never_starts_and_ends_at_once(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    be_slow(world);
    const char *first = command_send(world, APPLICATION, CREATE, name);
    await_call(world, first);
    const char *targets[] = {command_send(world, APPLICATION, DELETE_ALL, name),
                             command_send(world, APPLICATION, CREATE, name)};
    for (size_t i = 0; i < 2; i++) {
        const char *by = cancel(world, targets[i], "");
        const Seen *cancelled = await_cancelled(world, targets[i], by);
        assert_int_equal(seen_number(cancelled, "sequence"), 0);
        assert_string_equal(ledger_value(world,
                                         "SELECT intent_number FROM provision.command "
                                         "WHERE command_id = '%s'",
                                         targets[i]),
                            "0");
        // it did not wait for its turn
        assert_int_equal(reader_count_outcomes(world->reader, first), 0);
    }
    Environment live = login_environment(command_await(world, first, "EnvironmentCreated"));
    expect_ready(world, APPLICATION, &live, 1);
    assert_int_equal(count_projects(world, name), 1);
}

static void a_finished_command_is_not_cancelled_and_its_outcome_is_named(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const Seen *created = command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    const Seen *refused = command_refused(world, APPLICATION, "CommandRejected", "ALREADY_FINISHED",
                                          CANCEL, seen_text(created, "commandId"));
    assert_non_null(
        strstr(seen_text(refused, "commandRejected.message"), "with EnvironmentCreated"));
    assert_int_equal(count_projects(world, name), 1);
}

static void a_stop_may_come_before_the_command(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const char *target = command_new_id();
    int64_t calls = sandbox_count_calls(world, "POST /projects");
    const char *by = cancel(world, target, "");
    (void)command_send(world, APPLICATION, "'commandId': '%s', " CREATE, target, name);
    const Seen *cancelled = await_cancelled(world, target, by);
    assert_int_equal(seen_number(cancelled, "sequence"), 0);
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), calls);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
}

// Neon asks for patience before it makes a project.
static const char *begin_to_wait(World *world, const char *name)
{
    (void)sandbox_fault(world, box_text("{'kind': 'status', 'status': 503, 'retry_after': %d, "
                                        "'route': 'POST /projects', 'count': -1}",
                                        WAIT_MS / 1000));
    const char *target = command_send(world, APPLICATION, CREATE, name);
    await_row(world, target, "intent_status", "closed");
    return target;
}

// As a worker that has lost the partition meanwhile would still write it.
static void set_stop(World *world, const char *target)
{
    (void)ledger_value(world,
                       "UPDATE provision.command SET stop = 'cancelled', stopped_by = '%s' "
                       "WHERE command_id = '%s' RETURNING 1",
                       target, target);
}

static void a_command_that_waits_for_long_turns_at_once_or_finds_the_mark_by_looking(void **state)
{
    World *world = *state;
    const char *told = world_fresh("live");
    const char *looking = world_fresh("live");
    const char *target_told = begin_to_wait(world, told);
    const char *target_looking = begin_to_wait(world, looking);
    int64_t began_ms = wait_now_ms();
    const char *by = cancel(world, target_told, "CreateEnvironment");
    set_stop(world, target_looking);
    await_row(world, target_told, "direction", "undo");
    assert_true(wait_now_ms() - began_ms < LOOK_MS / 2);
    await_row(world, target_looking, "direction", "undo");
    assert_true(wait_now_ms() - began_ms < (LOOK_MS + WAIT_MS) / 2);
    // what Neon asked for is honoured by the undo, too
    (void)await_cancelled(world, target_told, by);
    (void)await_cancelled(world, target_looking, target_looking);
    assert_int_equal(count_projects(world, told) + count_projects(world, looking), 0);
}

static void a_deletion_that_has_begun_goes_on(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    (void)sandbox_fault(world,
                        box_text("{'kind': 'slow', 'route': 'DELETE *', 'ms': %d}", SLOW_MS));
    const char *target = command_send(world, APPLICATION, DELETE_ALL, name);
    await_call(world, target);
    (void)command_refused(world, APPLICATION, "CommandRejected", "TOO_LATE", CANCEL, target);
    (void)command_await(world, target, "EnvironmentDeleted");
    expect_gone(world, APPLICATION, name, 2);
}

static void people_cancel_with_provisionctl(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    be_slow(world);
    const char *target = command_send(world, APPLICATION, CREATE, name);
    await_call(world, target);
    const char *const arguments[] = {"cancel",    target,   "--application",
                                     APPLICATION, "--wait", NULL};
    assert_int_equal(ctl_run(world, "cancel", arguments), 0);
    ctl_expect(world, "cancel", "CancelAccepted");
    ctl_expect(world, "cancel", target);
    (void)command_await(world, target, "CommandCancelled");
    const char *const again[] = {"send",      "cancel-command", target, "--application",
                                 APPLICATION, "--wait",         NULL};
    assert_int_equal(ctl_run(world, "again", again), REJECTED);
    ctl_expect(world, "again", "ALREADY_FINISHED");
}

// Issue: cancel accepted, kill, target resumed.
static void the_next_owner_of_a_cancelled_command_undoes_it(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    (void)sandbox_fault(world,
                        box_text("{'kind': 'slow', 'route': 'POST /projects', 'ms': %d}", DEAD_MS));
    const char *target = command_send(world, APPLICATION, CREATE, name);
    await_call(world, target);
    const char *by = cancel(world, target, "CreateEnvironment");
    process_kill(worker);
    assert_int_equal(count_projects(world, name), 1); // done, and not yet answered
    worker = worker_start(world, "two", SETTINGS);
    (void)await_cancelled(world, target, by);
    assert_int_equal(count_projects(world, name), 0);
    expect_gone(world, APPLICATION, name, 1);
    assert_string_equal(ledger_value(world,
                                     "SELECT takeovers FROM provision.command "
                                     "WHERE command_id = '%s'",
                                     target),
                        "1");
}

#ifdef PROVISION_CRASH_POINTS
// It has done its last step, and is stopped before its conclusion is handed to the ledger.
static void a_stop_that_comes_just_before_the_conclusion_is_honoured(void **state)
{
    World *world = *state;
    worker_stop(worker);
    assert_int_equal(setenv("CRASH_POINT_AT", "conclude.before/CreateEnvironment=stop", 1), 0);
    worker = worker_start(world, "three", SETTINGS);
    assert_int_equal(unsetenv("CRASH_POINT_AT"), 0);
    const char *name = world_fresh("live");
    const char *target = command_send(world, APPLICATION, CREATE, name);
    process_await_log(worker, "crash point conclude.before", WORLD_SECONDS);
    assert_int_equal(count_projects(world, name), 1);
    set_stop(world, target);
    process_signal(worker, SIGCONT);
    (void)await_cancelled(world, target, target);
    assert_int_equal(count_projects(world, name), 0);
    expect_gone(world, APPLICATION, name, 1);
}
#endif

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_creation_is_cancelled_while_its_call_is_under_way, clear),
        cmocka_unit_test_teardown(what_waits_in_its_lane_never_starts_and_ends_at_once, clear),
        cmocka_unit_test_teardown(a_finished_command_is_not_cancelled_and_its_outcome_is_named,
                                  clear),
        cmocka_unit_test_teardown(a_stop_may_come_before_the_command, clear),
        cmocka_unit_test_teardown(
            a_command_that_waits_for_long_turns_at_once_or_finds_the_mark_by_looking, clear),
        cmocka_unit_test_teardown(a_deletion_that_has_begun_goes_on, clear),
        cmocka_unit_test_teardown(people_cancel_with_provisionctl, clear),
        cmocka_unit_test_teardown(the_next_owner_of_a_cancelled_command_undoes_it, clear),
#ifdef PROVISION_CRASH_POINTS
        cmocka_unit_test_teardown(a_stop_that_comes_just_before_the_conclusion_is_honoured, clear),
#endif
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
