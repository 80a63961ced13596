// A branch has the roles of its source and none of their passwords: services of one can't log in
// to the other, in either direction.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "', 'databases': ['main', 'audit'], 'services': ["                                             \
    "{'name': 'orders', 'databases': [{'database': 'main'}]}, "                                    \
    "{'name': 'reports', 'databases': [{'database': 'audit', 'access': 'ACCESS_READ'}]}]}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': 'live'%s}"

static Recipient recipient;
static Environment live;

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    recipient = credentials_recipient();
    world_add_secret(world, recipient.private_hex);
    const char *const settings[] = {
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex), NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    live = login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE));
    return 0;
}

static void expect_apart(World *world, const Credential *base, const Credential *preview)
{
    assert_true(credentials_work(world, base->direct_uri));
    assert_true(credentials_work(world, preview->direct_uri));
    assert_true(credentials_work(world, preview->pooled_uri));
    assert_false(
        credentials_work(world, credentials_swap_host(base->direct_uri, preview->direct_uri)));
    assert_false(
        credentials_work(world, credentials_swap_host(preview->direct_uri, base->direct_uri)));
}

static Credential of_role(World *world, const char *environment, const char *role)
{
    return credentials_of_role(world, APPLICATION, environment, &recipient, role,
                               strcmp(role, "svc_reports") == 0 ? "audit" : "main");
}

static void no_password_works_on_both_sides(void **state)
{
    World *world = *state;
    static const char *const ROLES[] = {"svc_orders",    "svc_reports",   "encore_platform",
                                        "encore_reader", "encore_writer", "encore_admin"};
    enum { ROLE_COUNT = sizeof(ROLES) / sizeof(ROLES[0]) };
    Credential before[ROLE_COUNT];
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        before[i] = of_role(world, "live", ROLES[i]);
    }
    const char *owners = sandbox_password(world, live.project_id, live.branch_id, live.role);
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "try", "");
    Environment branch = login_environment(seen);
    assert_true(expect_holds(seen, "environmentBranched.rotatedRoles", live.role));
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        assert_true(expect_holds(seen, "environmentBranched.rotatedRoles", ROLES[i]));
        Credential after = of_role(world, "try", ROLES[i]);
        expect_apart(world, &before[i], &after);
    }
    assert_null(login_open(world, &branch, owners));
    expect_ready(world, APPLICATION, &branch, 1);
}

// A service of the base that the branch doesn't have keeps no way in.
static void a_branch_may_have_other_services(void **state)
{
    World *world = *state;
    Credential orders = of_role(world, "live", "svc_orders");
    Environment branch = login_environment(
        command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "other",
                    command_quote(", 'services': [{'name': 'api', 'databases': [{'database': "
                                  "'main'}]}]")));
    Credential api = of_role(world, "other", "svc_api");
    assert_true(credentials_work(world, api.direct_uri));
    PGconn *owner = login_revealed(world, &branch);
    assert_string_equal(
        login_value(owner, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'svc_orders'"), "f");
    // not even with its login back
    (void)login_value(owner, "ALTER ROLE svc_orders LOGIN");
    PQfinish(owner);
    assert_false(credentials_work(world, credentials_swap_host(orders.direct_uri, api.direct_uri)));
    assert_true(credentials_work(world, orders.direct_uri));
}

// Looks like one of ours, but isn't: the API replaces its password.
static void a_role_that_only_looks_like_ours_is_neons(void **state)
{
    static const char PASSWORD[] = "Quite-long_and.R4ndom-7f3a91";
    World *world = *state;
    world_add_secret(world, PASSWORD);
    PGconn *owner = login_revealed(world, &live);
    (void)login_value(owner, box_text("CREATE ROLE svc_stranger LOGIN PASSWORD '%s'", PASSWORD));
    PQfinish(owner);
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "third", "");
    Environment branch = login_environment(seen);
    assert_true(expect_holds(seen, "environmentBranched.rotatedRoles", "svc_stranger"));
    branch.role = "svc_stranger";
    branch.database = "postgres";
    assert_null(login_open(world, &branch, PASSWORD));
}

static void the_api_resets_no_password_of_ours(void **state)
{
    World *world = *state;
    (void)state;
    int64_t before = sandbox_count_calls(
        world, "POST /projects/{project_id}/branches/{branch_id}/roles/{role_name}/reset_password");
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "fourth", "");
    int64_t after = sandbox_count_calls(
        world, "POST /projects/{project_id}/branches/{branch_id}/roles/{role_name}/reset_password");
    assert_int_equal(after - before, 2); // the role it was made with, and the stranger
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_password_works_on_both_sides),
        cmocka_unit_test(a_branch_may_have_other_services),
        cmocka_unit_test(a_role_that_only_looks_like_ours_is_neons),
        cmocka_unit_test(the_api_resets_no_password_of_ours),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
