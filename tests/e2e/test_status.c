// A command that hangs is seen from outside: at which step, since when, and what it waits for.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"

enum { EXIT_STUCK = 1, EXIT_UNKNOWN = 66 };

static const char *const SETTINGS[] = {"environments.check_login=off", "ledger.note_after=1500ms",
                                       "neon.send_window=1s",          "neon.request_timeout=3s",
                                       "neon.listing_lag=1s",          NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    (void)worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, APPLICATION);
    return 0;
}

typedef struct Row {
    World *world;
    const char *command_id;
    const char *wanted; // "step waiting_for"
} Row;

static bool is_noted(void *context)
{
    const Row *row = context;
    return strcmp(ledger_value(row->world,
                               "SELECT waiting_step || ' ' || waiting_for FROM provision.command "
                               "WHERE command_id = '%s'",
                               row->command_id),
                  row->wanted) == 0;
}

static void await_note(World *world, const char *command_id, const char *wanted)
{
    Row row = {world, command_id, wanted};
    wait_until(is_noted, &row, WORLD_SECONDS, "the ledger says that %s waits: %s", command_id,
               wanted);
}

static const char *ledger_file(const World *world)
{
    return box_text("%s/ledger.uri", world->dir);
}

static int run_status(World *world, const char *name, const char *command_id)
{
    const char *const arguments[] = {"status", command_id, "--ledger-uri-file", ledger_file(world),
                                     NULL};
    return ctl_run(world, name, arguments);
}

static int run_stuck(World *world, const char *name, const char *option)
{
    const char *const arguments[] = {"commands", option, "--ledger-uri-file", ledger_file(world),
                                     NULL};
    return ctl_run(world, name, arguments);
}

static bool is_published(void *context)
{
    const Row *row = context;
    return strcmp(ledger_value(row->world,
                               "SELECT published_at IS NOT NULL FROM provision.command "
                               "WHERE command_id = '%s'",
                               row->command_id),
                  "t") == 0;
}

static void end_well(World *world, const char *name, const char *command_id)
{
    sandbox_clear_faults(world);
    (void)command_await(world, command_id, "EnvironmentCreated");
    Row row = {world, command_id, ""};
    wait_until(is_published, &row, WORLD_SECONDS, "%s is marked as published", command_id);
    assert_int_equal(run_status(world, name, command_id), 0);
    ctl_expect(world, name, "finished");
    ctl_expect(world, name, "EnvironmentCreated");
    ctl_expect(world, name, "published at");
}

static bool was_tried_again(void *context)
{
    const Row *row = context;
    return strcmp(ledger_value(row->world,
                               "SELECT intent_number > 3 AND progress_at <= waiting_since "
                               "FROM provision.command WHERE command_id = '%s'",
                               row->command_id),
                  "t") == 0;
}

static void a_locked_project_is_named_and_counts_as_no_progress(void **state)
{
    World *world = *state;
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'POST /projects', 'status': 423, "
                               "'count': -1, 'retry_after': 1}");
    const char *id = command_send(world, APPLICATION, CREATE, world_fresh("live"));
    await_note(world, id, "create_project locked");
    assert_int_equal(run_status(world, "locked", id), 0);
    ctl_expect(world, "locked", "CreateEnvironment");
    ctl_expect(world, "locked", "applications/" APPLICATION "/environments/live");
    ctl_expect(world, "locked", "create_project");
    ctl_expect(world, "locked", "423");
    // each attempt, one a second, writes an intent; none of them is progress
    wait_until(was_tried_again, &(Row){world, id, ""}, WORLD_SECONDS, "%s is tried again", id);
    assert_true(is_noted(&(Row){world, id, "create_project locked"}));
    assert_int_equal(run_stuck(world, "stuck", "--stuck=1s"), EXIT_STUCK);
    ctl_expect(world, "stuck", id);
    ctl_expect(world, "stuck", "locked");
    ctl_expect(world, "stuck", "create_project");
    ctl_expect(world, "stuck", APPLICATION "/environments/live");
    assert_int_equal(run_stuck(world, "patient", "--stuck=1h"), 0);
    ctl_expect(world, "patient", "none");
    end_well(world, "unlocked", id);
    assert_int_equal(run_stuck(world, "moving", "--stuck=0s"), 0);
}

static void an_operation_that_hangs_is_named(void **state)
{
    World *world = *state;
    (void)sandbox_fault(world, "{'kind': 'operation_ms', 'ms': 6000, 'count': 1}");
    const char *id = command_send(world, APPLICATION, CREATE, world_fresh("live"));
    await_note(world, id, "await_operations operation");
    assert_int_equal(run_status(world, "operation", id), 0);
    ctl_expect(world, "operation", "await_operations");
    ctl_expect(world, "operation", "an operation that runs at Neon");
    end_well(world, "operated", id);
}

static void an_open_call_is_shown_with_the_time_when_it_is_settled(void **state)
{
    World *world = *state;
    (void)sandbox_fault(world, "{'kind': 'request_lost', 'route': 'POST /projects', 'count': 1}");
    const char *id = command_send(world, APPLICATION, CREATE, world_fresh("live"));
    await_note(world, id, "create_project settling");
    assert_int_equal(run_status(world, "open", id), 0);
    ctl_expect(world, "open", "open call");
    ctl_expect(world, "open", "settled in");
    end_well(world, "settled", id);
}

static int run_topics(World *world, const char *name, const char *command_id)
{
    const char *const arguments[] = {"status",    command_id, "--topics",  "--application",
                                     APPLICATION, "--group",  world->name, NULL};
    return ctl_run(world, name, arguments);
}

static void the_topics_tell_what_is_finished_and_what_comes_first(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'POST /projects', 'status': 423, "
                               "'count': -1}");
    const char *first = command_send(world, APPLICATION, CREATE, name);
    const char *second = command_send(
        world, APPLICATION, "'deleteEnvironment': {'environment': '%s', 'deleteData': true}", name);
    await_note(world, first, "create_project locked");
    assert_int_equal(run_topics(world, "first", first), 0);
    ctl_expect(world, "first", "unfinished");
    ctl_expect(world, "first", "before it: 0");
    assert_int_equal(run_topics(world, "second", second), 0);
    ctl_expect(world, "second", "DeleteEnvironment");
    ctl_expect(world, "second", name);
    ctl_expect(world, "second", "before it: 1");
    // it waits for the first one: no worker has claimed it
    assert_int_equal(run_status(world, "unclaimed", second), EXIT_UNKNOWN);
    sandbox_clear_faults(world);
    (void)command_await(world, second, "EnvironmentDeleted");
    assert_int_equal(run_topics(world, "ended", first), 0);
    ctl_expect(world, "ended", "finished");
    ctl_expect(world, "ended", "EnvironmentCreated");
}

static void an_unknown_command_is_told_by_the_exit_code(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    assert_int_equal(run_status(world, "unknown", id), EXIT_UNKNOWN);
    ctl_expect(world, "unknown", "COMMAND_UNKNOWN");
    assert_int_equal(run_topics(world, "unheard", id), EXIT_UNKNOWN);
}

// Kept for the case that the command comes later: for as long as the ledger keeps anything.
static void a_stop_for_a_command_that_never_came_is_not_stuck(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    (void)command_run(world, APPLICATION, "CancelAccepted", "'cancelCommand': {'commandId': '%s'}",
                      id);
    (void)ledger_value(world,
                       "UPDATE provision.command SET created_at = created_at - interval '1 h' "
                       "WHERE command_id = '%s' RETURNING 1",
                       id);
    assert_int_equal(run_stuck(world, "marked", "--stuck=1m"), 0);
    ctl_expect(world, "marked", "none");
    assert_int_equal(run_stuck(world, "marks", "--json"), 0);
    ctl_expect(world, "marks", id);
    ctl_expect(world, "marks", "\"state\":\"stop mark\"");
    const char *const doctor[] = {"doctor", "--ledger-uri-file", ledger_file(world), NULL};
    (void)ctl_run(world, "doctor", doctor);
    ctl_expect(world, "doctor", "0 unfinished, 0 finished and not published; 0 without progress");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_locked_project_is_named_and_counts_as_no_progress),
        cmocka_unit_test(an_operation_that_hangs_is_named),
        cmocka_unit_test(an_open_call_is_shown_with_the_time_when_it_is_settled),
        cmocka_unit_test(the_topics_tell_what_is_finished_and_what_comes_first),
        cmocka_unit_test(an_unknown_command_is_told_by_the_exit_code),
        cmocka_unit_test(a_stop_for_a_command_that_never_came_is_not_stuck),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
