// publish.accepted and publish.steps: what is told of commands on their way, in order with their
// outcomes; nothing of it without being asked for.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
enum { CALL_SECONDS = 30, SLOW_MS = 12000, TOLD_MAX = 64 };

#define COMMON                                                                                     \
    "environments.check_login=off", "neon.send_window=1s", "neon.request_timeout=3s",              \
        "neon.listing_lag=1s", "neon.operation_timeout=2s",                                        \
        "kafka.consumer.session.timeout.ms=6000"
static const char *const QUIET[] = {COMMON, NULL};
static const char *const TALKING[] = {COMMON, "publish.accepted=on", "publish.steps=on", NULL};

static Process *worker;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker = worker_start(*state, "quiet", QUIET);
    command_connect_main(*state, APPLICATION);
    return 0;
}

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"

// Events of one command, in the order of their topic.
typedef struct Told {
    const Seen *list[TOLD_MAX];
    size_t count;
} Told;

static Told told_of(World *world, const char *command_id)
{
    Told told = {.count = 0};
    reader_read_to_end(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        if (seen->topic == SEEN_EVENTS && strcmp(seen_text(seen, "commandId"), command_id) == 0) {
            assert_true(told.count < TOLD_MAX);
            told.list[told.count++] = seen;
        }
    }
    return told;
}

// "EnvironmentCreated", or a step's name.
static const char *name_of(const Seen *seen)
{
    return strcmp(seen_type(seen), "StepFinished") == 0 ? seen_text(seen, "stepFinished.step")
                                                        : seen_type(seen);
}

static void assert_names(const Told *told, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && i < told->count; i++) {
        assert_string_equal(name_of(told->list[i]), names[i]);
    }
    assert_int_equal(told->count, count);
}

static void nothing_is_told_without_being_asked_for(void **state)
{
    World *world = *state;
    const char *const names[] = {"EnvironmentCreated"};
    const Seen *created =
        command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("live"));
    Told told = told_of(world, seen_text(created, "commandId"));
    assert_names(&told, names, 1);
    worker_stop(worker);
}

static void every_step_is_told_once_and_in_order(void **state)
{
    World *world = *state;
    static const char *const names[] = {
        "CommandAccepted", "check_region",     "find_project",
        "create_project",  "await_operations", "await_branch",
        "await_endpoint",  "find_duplicates",  "EnvironmentCreated",
    };
    worker = worker_start(world, "one", TALKING);
    const char *name = world_fresh("live");
    const Seen *created = command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    Told told = told_of(world, seen_text(created, "commandId"));
    assert_names(&told, names, sizeof(names) / sizeof(names[0]));
    assert_string_equal(seen_text(told.list[0], "commandAccepted.action"), "CreateEnvironment");
    for (size_t i = 0; i < told.count; i++) {
        bool is_last = i + 1 == told.count;
        expect_event(told.list[i], APPLICATION, box_text("environments/%s", name), is_last ? 1 : 0);
        assert_true(is_last || !seen_is_outcome(told.list[i]));
    }
    reader_assert_sequences(world->reader); // and no ce_id twice
    assert_int_equal(ledger_unfinished(world), 0);
}

static void a_command_that_fails_tells_of_what_it_did_and_undid(void **state)
{
    World *world = *state;
    static const char *const names[] = {
        "CommandAccepted",    "check_region",         "find_project",        "create_project",
        "undo_mark_deleting", "undo_find_dependents", "undo_check_branches", "undo_delete_project",
        "undo_find_project",  "CommandFailed",
    };
    // the first of its operations ends well, so the step learns, but does not finish
    (void)sandbox_fault(world, "{'kind': 'operation_fails', 'action': 'start_compute', "
                               "'count': -1, 'message': 'no room'}");
    const char *id = command_send(world, APPLICATION, CREATE, world_fresh("live"));
    (void)command_await(world, id, "CommandFailed");
    Told told = told_of(world, id);
    sandbox_clear_faults(world);
    assert_names(&told, names, sizeof(names) / sizeof(names[0]));
}

static bool has_called(void *context)
{
    return strcmp(ledger_value(context, "SELECT count(*) FROM provision.command "
                                        "WHERE intent_status = 'open'"),
                  "1") == 0;
}

// The first event of the command with this name, behind the `from`th; NULL: none.
static const Seen *find(const Told *told, const char *name, size_t from, size_t *ret_index)
{
    for (size_t i = from; i < told->count; i++) {
        if (strcmp(name_of(told->list[i]), name) == 0) {
            *ret_index = i;
            return told->list[i];
        }
    }
    return NULL;
}

typedef struct Wanted {
    World *world;
    const char *command_id;
    const char *name;
} Wanted;

static bool was_told(void *context)
{
    const Wanted *wanted = context;
    Told told = told_of(wanted->world, wanted->command_id);
    size_t index = 0;
    return find(&told, wanted->name, 0, &index) != NULL;
}

static void who_takes_over_tells_again_under_the_same_id(void **state)
{
    World *world = *state;
    (void)sandbox_fault(world,
                        box_text("{'kind': 'slow', 'route': 'POST /projects', 'ms': %d}", SLOW_MS));
    const char *id = command_send(world, APPLICATION, CREATE, world_fresh("live"));
    wait_until(has_called, world, CALL_SECONDS, "the project's creation");
    wait_until(was_told, &(Wanted){world, id, "find_project"}, CALL_SECONDS, "find_project");
    process_kill(worker);
    worker = worker_start(world, "two", TALKING);
    (void)command_await(world, id, "EnvironmentCreated");
    Told told = told_of(world, id);
    static const char *const AGAIN[] = {"CommandAccepted", "find_project"};
    for (size_t i = 0; i < sizeof(AGAIN) / sizeof(AGAIN[0]); i++) {
        size_t index = 0;
        const Seen *first = find(&told, AGAIN[i], 0, &index);
        const Seen *again = first != NULL ? find(&told, AGAIN[i], index + 1, &index) : NULL;
        assert_non_null(again);
        assert_string_equal(seen_text(first, "eventId"), seen_text(again, "eventId"));
        assert_int_equal(seen_number(first, "attempts"), 1);
        assert_int_equal(seen_number(again, "attempts"), 2);
    }
    assert_string_equal(name_of(told.list[told.count - 1]), "EnvironmentCreated");
    assert_int_equal(reader_count_outcomes(world->reader, id), 1);
    worker_stop(worker); // nothing that was told keeps it from draining
    assert_int_equal(ledger_unfinished(world), 0);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_told_without_being_asked_for),
        cmocka_unit_test(every_step_is_told_once_and_in_order),
        cmocka_unit_test(a_command_that_fails_tells_of_what_it_did_and_undid),
        cmocka_unit_test(who_takes_over_tells_again_under_the_same_id),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
