// Commands of one application that follow each other without waiting end in their order, and what
// is independent does not wait.
#include <inttypes.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/secrets.h"
#include "support/world.h"

enum { ROUNDS = 4, APPLICATIONS = 5, STEPS = 7 };

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "200", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
    const WorldOptions options = {SANDBOX, NULL};
    world_begin(state, &options);
    (void)worker_start(*state, "one", SETTINGS);
    (void)worker_start(*state, "two", SETTINGS);
    worker_await_members(*state, 2, WORLD_SECONDS);
    return 0;
}

// clang-format off
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'}"
// clang-format on
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define DELETE "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"

// Each depends on the one before it, none waits for its outcome.
static void send_life(World *world, const char *application, const char *ret_ids[STEPS])
{
    ret_ids[0] = command_connect(world, application, "main", world->api_key);
    ret_ids[1] = command_send(world, application, CREATE, "live");
    ret_ids[2] = command_send(world, application, BRANCH, "try", "live");
    ret_ids[3] = command_send(world, application, BRANCH, "try-2", "try");
    ret_ids[4] = command_send(world, application, DELETE, "try-2");
    ret_ids[5] = command_send(world, application, DELETE, "try");
    ret_ids[6] = command_send(world, application, DELETE, "live");
}

static void expect_life(World *world, const char *const ids[STEPS])
{
    static const char *const TYPES[STEPS] = {
        "AccountConnected",   "EnvironmentCreated", "EnvironmentBranched", "EnvironmentBranched",
        "EnvironmentDeleted", "EnvironmentDeleted", "EnvironmentDeleted"};
    int64_t before = -1;
    for (size_t i = 0; i < STEPS; i++) {
        const Seen *seen = command_await(world, ids[i], TYPES[i]);
        if (seen->offset <= before) {
            fail_msg("the outcome of command %zu stands before that of the one before it", i);
        }
        before = seen->offset;
    }
}

static void a_whole_life_is_sent_at_once(void **state)
{
    World *world = *state;
    const char *ids[STEPS];
    for (int round = 0; round < ROUNDS; round++) {
        send_life(world, "lonely", ids);
        expect_life(world, ids);
    }
    assert_int_equal(sandbox_count_projects(world, "lonely-live"), 0);
    expect_gone(world, "lonely", "live", 2L * ROUNDS);
}

// One command is held up for as long as the test likes.
static void only_what_conflicts_waits(void **state)
{
    World *world = *state;
    const char *ids[APPLICATIONS][STEPS];
    (void)sandbox_fault(world, "{'kind': 'status', 'status': 503, 'route': 'POST /projects', "
                               "'match': 'slow-live', 'count': -1}");
    command_connect_main(world, "slow");
    const char *held = command_send(world, "slow", CREATE, "live");
    const char *behind = command_send(world, "slow", BRANCH, "try", "live");
    const char *beside = command_send(world, "slow", CREATE, "beside");
    (void)command_refused(world, "stranger", "CommandRejected", "SOURCE_NOT_ON_NEON", BRANCH, "try",
                          "live"); // that is still being created, but another application's
    for (size_t i = 0; i < APPLICATIONS; i++) {
        send_life(world, box_text("quick-%zu", i), ids[i]);
    }
    (void)command_await(world, beside, "EnvironmentCreated");
    for (size_t i = 0; i < APPLICATIONS; i++) {
        expect_life(world, ids[i]);
    }
    assert_int_equal(reader_count_outcomes(world->reader, held), 0);
    assert_int_equal(reader_count_outcomes(world->reader, behind), 0);
    sandbox_clear_faults(world);
    const Seen *first = command_await(world, held, "EnvironmentCreated");
    const Seen *second = command_await(world, behind, "EnvironmentBranched");
    assert_true(first->offset < second->offset);
    assert_int_equal(sandbox_count_projects(world, "slow-live"), 1);
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_life_is_sent_at_once),
        cmocka_unit_test(only_what_conflicts_waits),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
