// Two applications import the same branch at the same moment, each on a worker of its own.
#include <stdlib.h>
#include <string.h>

#include "base/murmur2.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/wait.h"
#include "support/world.h"

#define IMPORT                                                                                     \
    "'importEnvironment': {'environment': 'live', 'branch': {'account': 'main', 'projectId': "     \
    "'%s', 'branch': 'main'}%s}"
#define SHARED ", 'shared': true"
#define LISTING "GET /projects/{project_id}/branches"
#define PROJECT_READ "GET /projects/{project_id}"

// Longer than the two are apart, however busy the machine is.
enum { ROUNDS = 3, TOGETHER_MS = 1500, HELD_MS = 4000, SECONDS = 60 };

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

// Where both find each other, the early one waits for the other (steps_import.c).
static const char *early; // "early-<n>", on the first half of the partitions
static const char *late;  // "late-<n>", on the second

typedef struct Race {
    World *world;
    const char *project_id;
    const char *early_id; // commands
    const char *late_id;
} Race;

static const char *name_on(const char *prefix, bool first_half)
{
    const char *name = world_fresh(prefix);
    while ((murmur2_partition(bytes_of(name), WORLD_PARTITIONS) < WORLD_PARTITIONS / 2) !=
           first_half) {
        name = world_fresh(prefix);
    }
    return name;
}

// The range assignor gives the first half of the partitions to whose client.id comes first.
static Process *start(World *world, const char *name, const char *client_id)
{
    const char *const settings[] = {SETTINGS[0], box_text("kafka.consumer.client.id=%s", client_id),
                                    NULL};
    return worker_start(world, world_fresh(name), settings);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    early = name_on("early", true);
    late = name_on("late", false);
    Process *first = start(world, "first", "a");
    command_connect_main(world, early);
    command_connect_main(world, late);
    worker_stop(first);
    return 0;
}

static int clear(void **state)
{
    World *world = *state;
    sandbox_clear_faults(world);
    for (size_t i = 0; i < world->worker_count; i++) {
        process_kill(&world->workers[i]);
    }
    return 0;
}

static const char *make_theirs(World *world)
{
    REPLY reply =
        box_call_as(&world->box, world->api_key, NULL, "POST", "/projects",
                    "{\"project\": {\"name\": \"theirs\", \"branch\": {\"name\": \"main\"}}}");
    assert_int_equal(reply.status, 201);
    const char *id = box_text("%s", box_string(reply.json, "project.id"));
    box_wait(&world->box, id);
    return id;
}

// Both learn the branch's id at once, and neither knows of the other.
static Race race(World *world, const char *more)
{
    Race race = {.world = world, .project_id = make_theirs(world)};
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': '" LISTING "', 'count': 2, "
                                        "'ms': %d}",
                                        TOGETHER_MS));
    race.early_id = command_send(world, early, IMPORT, race.project_id, command_quote(more));
    race.late_id = command_send(world, late, IMPORT, race.project_id, command_quote(more));
    return race;
}

static const Seen *outcome(const Race *race, const char *command_id)
{
    const Seen *seen = reader_await_outcome(race->world->reader, command_id, SECONDS);
    assert_non_null(seen);
    return seen;
}

// The winner, who forgets it again.
static const char *expect_one(const Race *race)
{
    World *world = race->world;
    const Seen *first = outcome(race, race->early_id);
    const Seen *second = outcome(race, race->late_id);
    bool first_won = strcmp(seen_type(first), "EnvironmentImported") == 0;
    const Seen *won = first_won ? first : second;
    const Seen *lost = first_won ? second : first;
    assert_string_equal(seen_type(won), "EnvironmentImported");
    assert_string_equal(seen_type(lost), "CommandRejected");
    assert_string_equal(seen_text(lost, "commandRejected.code"), "ALREADY_IMPORTED");
    assert_string_equal(ledger_value(world,
                                     "SELECT string_agg(application_id, ',') FROM "
                                     "provision.environment WHERE project_id = '%s' AND state <> "
                                     "'gone'",
                                     race->project_id),
                        first_won ? early : late);
    assert_int_equal(sandbox_count_branches(world, race->project_id, "main"), 1);
    (void)command_run(world, first_won ? early : late, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': 'live'}");
    return first_won ? early : late;
}

static void start_both(World *world, Process *ret_workers[2])
{
    ret_workers[0] = start(world, "one", "a");
    ret_workers[1] = start(world, "two", "z");
    worker_await_members(world, 2, SECONDS);
}

static void one_of_two_has_it(void **state)
{
    World *world = *state;
    Process *workers[2];
    start_both(world, workers);
    for (int i = 0; i < ROUNDS; i++) {
        const Race one = race(world, "");
        print_message("  %s has it\n", expect_one(&one));
    }
    worker_stop(workers[0]);
    worker_stop(workers[1]);
}

static void both_have_it_when_they_share_it(void **state)
{
    World *world = *state;
    Process *workers[2];
    start_both(world, workers);
    const Race both = race(world, SHARED);
    const char *const ids[] = {both.early_id, both.late_id};
    for (size_t i = 0; i < 2; i++) {
        (void)command_await(world, ids[i], "EnvironmentImported");
        (void)command_run(world, i == 0 ? early : late, "EnvironmentDeleted",
                          "'deleteEnvironment': {'environment': 'live'}");
    }
    worker_stop(workers[0]);
    worker_stop(workers[1]);
}

typedef struct Announced {
    const Race *race;
    const char *count;
} Announced;

static bool are_announced(void *context)
{
    const Announced *announced = context;
    return strcmp(ledger_value(announced->race->world,
                               "SELECT count(*) FROM provision.environment WHERE project_id = "
                               "'%s' AND branch_id <> '' AND state = 'creating'",
                               announced->race->project_id),
                  announced->count) == 0;
}

static void await_announced(const Race *race, const char *count)
{
    Announced announced = {race, count};
    wait_until(are_announced, &announced, SECONDS, "%s who want the branch", count);
}

// The late one has found itself alone, and is held up; the early one has found it, and waits for
// it. Then the worker of one of them is killed.
static const char *kill_one(World *world, size_t victim)
{
    Process *workers[2];
    start_both(world, workers);
    Race killed = {.world = world, .project_id = make_theirs(world)};
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': '" PROJECT_READ "', 'count': "
                                        "-1, 'ms': %d}",
                                        HELD_MS));
    killed.late_id = command_send(world, late, IMPORT, killed.project_id, "");
    await_announced(&killed, "1");
    killed.early_id = command_send(world, early, IMPORT, killed.project_id, "");
    await_announced(&killed, "2");
    process_kill(workers[victim]);
    sandbox_clear_faults(world);
    const char *winner = expect_one(&killed);
    worker_stop(workers[1 - victim]);
    return winner;
}

static void the_worker_of_who_waits_is_killed(void **state)
{
    assert_ptr_equal(kill_one(*state, 0), late);
}

static void the_worker_of_who_is_waited_for_is_killed(void **state)
{
    (void)kill_one(*state, 1); // who takes it over looks anew, and finds the early one
}

static void every_sequence_is_whole(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(one_of_two_has_it, clear),
        cmocka_unit_test_teardown(both_have_it_when_they_share_it, clear),
        cmocka_unit_test_teardown(the_worker_of_who_waits_is_killed, clear),
        cmocka_unit_test_teardown(the_worker_of_who_is_waited_for_is_killed, clear),
        cmocka_unit_test(every_sequence_is_whole),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
