// A compute that refuses the first logins, as one that starts cold does.
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"
#include "support/world.h"

#define APPLICATION "shop"

static int begin(void **state)
{
    world_begin(state, NULL);
    (void)worker_start(*state, "one", NULL);
    command_connect_main(*state, APPLICATION);
    return 0;
}

static void ten_refused_logins_are_waited_out(void **state)
{
    World *world = *state;
    int64_t fault = sandbox_fault(world, "{'kind': 'endpoint_refuses', 'count': 10}");
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentCreated",
                                   "'createEnvironment': {'environment': 'live', 'account': "
                                   "'main', 'regionId': '" WORLD_REGION "', 'pgVersion': 15}");
    REPLY faults = box_call(&world->box, "GET", "/sandbox/faults", NULL);
    assert_int_equal(box_integer(faults.json, "faults.0.id"), fault);
    assert_int_equal(box_integer(faults.json, "faults.0.used"), 10);
    Environment live = login_environment(seen);
    PGconn *connection = login_revealed(world, &live);
    assert_string_equal(login_value(connection, "SELECT 1"), "1");
    PQfinish(connection);
    assert_int_equal(sandbox_count_projects(world, APPLICATION "-live"), 1);
}

static void one_that_never_lets_in_is_undone(void **state)
{
    World *world = *state;
    worker_stop(&world->workers[0]);
    static const char *const SETTINGS[] = {"postgres.login_attempts=3", NULL};
    (void)worker_start(world, "two", SETTINGS);
    (void)sandbox_fault(world, "{'kind': 'endpoint_refuses', 'count': -1}");
    int64_t changes = sandbox_count_changes(world);
    (void)command_refused(world, APPLICATION, "CommandFailed", "LOGIN_FAILED",
                          "'createEnvironment': {'environment': 'dead', 'account': 'main', "
                          "'regionId': '" WORLD_REGION "', 'pgVersion': 15}");
    assert_int_equal(sandbox_count_projects(world, APPLICATION "-dead"), 0);
    assert_int_equal(sandbox_count_changes(world), changes + 2); // made, and deleted
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_refused_logins_are_waited_out),
        cmocka_unit_test(one_that_never_lets_in_is_undone),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
