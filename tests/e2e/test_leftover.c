// What a failed command has left, while somebody else moved in: it stays until they are gone.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/world.h"

#define OWNER "shop"
#define GUEST "blog"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "'}"

static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "neon.send_window=1s",
                                       "neon.request_timeout=3s",
                                       "neon.listing_lag=2s",
                                       "neon.operation_timeout=5s",
                                       "commands.max_wait=12s",
                                       NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    (void)worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, OWNER);
    command_connect_main(*state, GUEST);
    return 0;
}

static const char *value_of(World *world, const char *column)
{
    return ledger_value(world,
                        "SELECT %s FROM provision.environment WHERE application_id = '" OWNER
                        "' AND environment = 'live'",
                        column);
}

// The creation fails, and so does the deletion of what it made.
static void leave_a_project(World *world)
{
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'GET "
                               "/projects/{project_id}/branches/{branch_id}', 'count': -1, "
                               "'status': 403, 'message': 'not yours'}");
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'DELETE /projects/{project_id}', "
                               "'count': -1, 'status': 403, 'message': 'not yours'}");
    (void)command_refused(world, OWNER, "CommandFailed", "NEON_DENIED", CREATE);
    sandbox_clear_faults(world);
    assert_string_equal(value_of(world, "state"), "failed");
    assert_int_equal(sandbox_count_projects(world, OWNER "-live"), 1);
}

static void a_project_that_another_has_branched_stays(void **state)
{
    World *world = *state;
    leave_a_project(world);
    const char *project_id = value_of(world, "project_id");
    (void)command_run(world, GUEST, "EnvironmentBranched",
                      "'branchEnvironment': {'environment': 'pr', 'sourceBranch': {'account': "
                      "'main', 'projectId': '%s', 'branch': 'main'}}",
                      project_id);
    const Seen *seen = command_refused(world, OWNER, "CommandRejected", "HAS_DEPENDENTS", CREATE);
    assert_non_null(strstr(seen_text(seen, "commandRejected.message"), GUEST "/pr"));
    assert_int_equal(sandbox_count_branches(world, project_id, GUEST "-pr"), 1);
    assert_string_equal(value_of(world, "state"), "failed");
    (void)command_refused(world, OWNER, "CommandRejected", "HAS_DEPENDENTS",
                          "'deleteEnvironment': {'environment': 'live', 'deleteData': true}");
    assert_int_equal(sandbox_count_branches(world, project_id, GUEST "-pr"), 1);
    // ... and goes with its guest
    (void)command_run(world, GUEST, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': 'pr'}");
    (void)command_run(world, OWNER, "EnvironmentCreated", CREATE);
    assert_string_equal(value_of(world, "state"), "ready");
    assert_string_not_equal(value_of(world, "project_id"), project_id);
    assert_int_equal(sandbox_count_projects(world, OWNER "-live"), 1);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_project_that_another_has_branched_stays),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
