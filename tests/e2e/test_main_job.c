// The main job on one PostgreSQL version.
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

static int begin(void **state)
{
    world_begin(state, NULL);
    (void)worker_start(*state, "one", NULL);
    command_connect_main(*state, "shop");
    return 0;
}

static const Seen *create(World *world, const char *environment)
{
    return command_run(world, "shop", "EnvironmentCreated",
                       "'createEnvironment': {'environment': '%s', 'account': 'main', "
                       "'regionId': '" WORLD_REGION "', 'pgVersion': %d}",
                       environment, E2E_PG_VERSION);
}

static void an_environment_is_created_and_takes_data(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const Seen *seen = create(world, name);
    Environment live = login_environment(seen);
    PGconn *connection = login_revealed(world, &live);
    assert_string_equal(login_value(connection, "SELECT 1"), "1");
    PQfinish(connection);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_environment_is_created_and_takes_data),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
