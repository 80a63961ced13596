// The main job from the command line, as a person or a script does it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

enum { EXIT_REJECTED = 10, EXIT_NOT_FOUND = 66 };

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
    const WorldOptions options = {SANDBOX, NULL};
    world_begin(state, &options);
    (void)worker_start(*state, "one", SETTINGS);
    return 0;
}

static bool is_claimed(void *context)
{
    return strcmp(ledger_value(context, "SELECT count(*) FROM provision.command"), "1") == 0;
}

// The command has got as far as the ledger, so its sender is waiting.
static void await_claim(World *world)
{
    wait_until(is_claimed, world, CTL_SECONDS, "the first command in the ledger");
}

static void a_key_is_connected_from_a_variable(void **state)
{
    World *world = *state;
    char public_key[2 * PROVISION_KEY_BYTES + 1];
    for (size_t i = 0; i < PROVISION_KEY_BYTES; i++) {
        (void)snprintf(public_key + 2 * i, 3, "%02x", world->fleet_public_key[i]);
    }
    assert_int_equal(setenv("E2E_API_KEY", world->api_key, 1), 0);
    const char *const arguments[] = {
        "send",          "connect-account", "--application",      "desk",     "--account", "main",
        "--api-key-env", "E2E_API_KEY",     "--fleet-public-key", public_key, "--wait",    NULL};
    // it waits while the process list is searched
    (void)sandbox_fault(world,
                        "{'kind': 'status', 'status': 503, 'route': 'GET /auth', 'count': -1}");
    Process process;
    ctl_start(world, "connect", arguments, &process);
    await_claim(world);
    secrets_search(world);
    assert_false(process_has_ended(&process));
    sandbox_clear_faults(world);
    assert_int_equal(process_wait(&process, CTL_SECONDS), 0);
    ctl_expect(world, "connect", "AccountConnected");
}

static void an_environment_is_created_branched_and_shown(void **state)
{
    World *world = *state;
    const char *const create[] = {"send",          "create-environment",
                                  "--application", "desk",
                                  "--environment", "live",
                                  "--account",     "main",
                                  "--region",      WORLD_REGION,
                                  "--wait",        NULL};
    assert_int_equal(ctl_run(world, "create", create), 0);
    ctl_expect(world, "create", "EnvironmentCreated");
    const char *const branch[] = {
        "send", "branch-environment",   "--application", "desk",   "--environment",
        "try",  "--source-environment", "live",          "--wait", "--json",
        NULL};
    assert_int_equal(ctl_run(world, "branch", branch), 0);
    ctl_expect(world, "branch", "environmentBranched");
    const char *const list[] = {"environments", "--application", "desk", NULL};
    assert_int_equal(ctl_run(world, "environments", list), 0);
    ctl_expect(world, "environments", "live");
    ctl_expect(world, "environments", "try");
    const char *const show[] = {"show", "desk/environments/try", NULL};
    assert_int_equal(ctl_run(world, "show", show), 0);
    ctl_expect(world, "show", "desk-try");
    const char *const missing[] = {"show", "desk/environments/nowhere", NULL};
    assert_int_equal(ctl_run(world, "missing", missing), EXIT_NOT_FOUND);
}

static void a_refusal_is_told_by_the_exit_code(void **state)
{
    World *world = *state;
    const char *const without[] = {
        "send", "delete-environment", "--application", "desk", "--environment", "live", "--wait",
        NULL};
    assert_int_equal(ctl_run(world, "refused", without), EXIT_REJECTED);
    ctl_expect(world, "refused", "DELETE_DATA_REQUIRED");
}

static void the_outcome_of_a_command_that_was_sent_is_waited_for(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    const char *const send[] = {"send",
                                "delete-environment",
                                "--application",
                                "desk",
                                "--environment",
                                "try",
                                "--command-id",
                                id,
                                NULL};
    assert_int_equal(ctl_run(world, "send", send), 0);
    const char *const await[] = {"wait", id, "--application", "desk", NULL};
    assert_int_equal(ctl_run(world, "wait", await), 0);
    ctl_expect(world, "wait", "EnvironmentDeleted");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_connected_from_a_variable),
        cmocka_unit_test(an_environment_is_created_branched_and_shown),
        cmocka_unit_test(a_refusal_is_told_by_the_exit_code),
        cmocka_unit_test(the_outcome_of_a_command_that_was_sent_is_waited_for),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
