// The main job on one version of PostgreSQL: connect, create, branch, delete, with real logins.
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define SQL_ROLE_PASSWORD "Sql-made/9f+role=2c?57"

static int begin(void **state)
{
    world_begin(state, NULL);
    (void)worker_start(*state, "one", NULL);
    return 0;
}

static void an_account_is_connected(void **state)
{
    World *world = *state;
    const char *id = command_connect(world, APPLICATION, "main", world->api_key);
    const Seen *seen = command_await(world, id, "AccountConnected");
    expect_event(seen, APPLICATION, "accounts/main", 1);
    assert_string_equal(seen_text(seen, "accountConnected.account.keyKind"),
                        "KEY_KIND_ORGANIZATION");
    assert_string_equal(seen_text(seen, "accountConnected.account.orgId"), WORLD_ORG);
    assert_false(seen_flag(seen, "accountConnected.replaced"));
    const Seen *account =
        reader_await_state(world->reader, "applications/" APPLICATION "/accounts/main", false, 20);
    assert_string_equal(seen_text(account, "account.orgId"), WORLD_ORG);
}

static void a_key_is_replaced_by_another(void **state)
{
    World *world = *state;
    const char *id = command_connect(world, APPLICATION, "main", world->api_key);
    const Seen *seen = command_await(world, id, "AccountConnected");
    expect_event(seen, APPLICATION, "accounts/main", 2);
    assert_true(seen_flag(seen, "accountConnected.replaced"));
}

static const Seen *create(World *world, const char *environment)
{
    return command_run(world, APPLICATION, "EnvironmentCreated",
                       "'createEnvironment': {'environment': '%s', 'account': 'main', "
                       "'regionId': '" WORLD_REGION "', 'pgVersion': %d, 'databases': ['orders'], "
                       "'endpoint': {'autoscalingLimitMinCu': 0.5, 'autoscalingLimitMaxCu': 2, "
                       "'suspendTimeoutSeconds': 600}, 'historyRetentionSeconds': 3600}",
                       environment, E2E_PG_VERSION);
}

// The table `item` with one row.
static void fill(World *world, const Environment *environment)
{
    PGconn *connection = login_revealed(world, environment);
    (void)login_value(connection, "CREATE TABLE item (name text); INSERT INTO item VALUES ('tea')");
    PQfinish(connection);
}

static void an_environment_is_created_and_works(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const Seen *seen = create(world, name);
    Environment live = login_environment(seen);
    expect_event(seen, APPLICATION, box_text("environments/%s", name), 1);
    expect_ready(world, APPLICATION, &live, 1);
    assert_true(seen_flag(seen, "environmentCreated.created"));
    assert_string_equal(seen_text(seen, "environmentCreated.environment.origin"), "ORIGIN_CREATED");
    assert_string_equal(seen_text(seen, "environmentCreated.environment.projectName"),
                        box_text(APPLICATION "-%s", name));
    assert_string_equal(seen_text(seen, "environmentCreated.environment.branchName"), "main");
    assert_string_equal(live.database, "orders");
    assert_int_equal(seen_number(seen, "environmentCreated.environment.pgVersion"), E2E_PG_VERSION);
    assert_int_equal(
        seen_number(seen, "environmentCreated.environment.endpoint.suspendTimeoutSeconds"), 600);
    assert_int_equal(seen_number(seen, "environmentCreated.environment.historyRetentionSeconds"),
                     3600);
    PGconn *connection = login_revealed(world, &live);
    assert_string_equal(
        login_value(connection, "SELECT current_setting('server_version_num')::int / 10000"),
        box_text("%d", E2E_PG_VERSION));
    PQfinish(connection);
    fill(world, &live);
    assert_int_equal(sandbox_count_projects(world, box_text(APPLICATION "-%s", name)), 1);
}

// A role that the API made and one that SQL made, beside the owner.
static void add_roles(World *world, const Environment *environment)
{
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "POST",
        box_text("/projects/%s/branches/%s/roles", environment->project_id, environment->branch_id),
        "{\"role\": {\"name\": \"reporting\"}}");
    assert_int_equal(reply.status, 201);
    box_wait(&world->box, environment->project_id);
    PGconn *connection = login_revealed(world, environment);
    (void)login_value(connection, "CREATE ROLE by_sql LOGIN PASSWORD '" SQL_ROLE_PASSWORD "'");
    PQfinish(connection);
    world_add_secret(world, SQL_ROLE_PASSWORD);
}

static const char *const ROLES[] = {"orders_owner", "reporting", "by_sql"};
enum { ROLE_COUNT = sizeof(ROLES) / sizeof(ROLES[0]) };

static void reveal_all(World *world, const Environment *environment,
                       const char *ret_passwords[ROLE_COUNT])
{
    for (size_t i = 0; i + 1 < ROLE_COUNT; i++) {
        ret_passwords[i] =
            sandbox_password(world, environment->project_id, environment->branch_id, ROLES[i]);
    }
    // made by SQL, its password is not the API's to know
    ret_passwords[ROLE_COUNT - 1] = SQL_ROLE_PASSWORD;
}

static bool logs_in(World *world, const Environment *environment, const char *role,
                    const char *password)
{
    Environment as_role = *environment;
    as_role.role = role;
    as_role.database = "postgres"; // the environment's own are for the roles of its hierarchy
    PGconn *connection = login_open(world, &as_role, password);
    bool opened = connection != NULL;
    PQfinish(connection);
    return opened;
}

static void expect_passwords_replaced(World *world, const Environment *parent,
                                      const Environment *branch,
                                      const char *const inherited[ROLE_COUNT])
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        const char *now = sandbox_password(world, branch->project_id, branch->branch_id, ROLES[i]);
        assert_string_not_equal(now, inherited[i]);
        assert_false(logs_in(world, branch, ROLES[i], inherited[i]));
        assert_true(logs_in(world, branch, ROLES[i], now));
        assert_true(logs_in(world, parent, ROLES[i], inherited[i]));
        assert_false(logs_in(world, parent, ROLES[i], now));
    }
}

static void a_branch_has_the_data_of_its_parent_and_none_of_its_passwords(void **state)
{
    World *world = *state;
    const char *inherited[ROLE_COUNT];
    Environment live = login_environment(create(world, world_fresh("live")));
    fill(world, &live);
    add_roles(world, &live);
    reveal_all(world, &live, inherited);
    const char *name = world_fresh("try");
    const Seen *seen = command_run(
        world, APPLICATION, "EnvironmentBranched",
        "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}", name, live.name);
    Environment branch = login_environment(seen);
    expect_event(seen, APPLICATION, box_text("environments/%s", name), 1);
    expect_ready(world, APPLICATION, &branch, 1);
    assert_string_equal(branch.project_id, live.project_id);
    assert_string_not_equal(branch.branch_id, live.branch_id);
    assert_string_not_equal(branch.host, live.host);
    assert_string_equal(seen_text(seen, "environmentBranched.environment.sourceEnvironment"),
                        live.name);
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        assert_true(expect_holds(seen, "environmentBranched.rotatedRoles", ROLES[i]));
    }
    expect_passwords_replaced(world, &live, &branch, inherited);
    PGconn *connection = login_revealed(world, &branch);
    assert_string_equal(login_value(connection, "SELECT name FROM item"), "tea");
    (void)login_value(connection, "INSERT INTO item VALUES ('milk')");
    PQfinish(connection);
    connection = login_revealed(world, &live);
    assert_string_equal(login_value(connection, "SELECT count(*) FROM item"), "1");
    PQfinish(connection);
}

// A branch that somebody made by hand; returns its id.
static const char *make_foreign_branch(World *world, const char *project_id, const char *name)
{
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "POST", box_text("/projects/%s/branches", project_id),
        box_text("{\"branch\": {\"name\": \"%s\"}, \"endpoints\": [{\"type\": "
                 "\"read_write\"}]}",
                 name));
    assert_int_equal(reply.status, 201);
    box_wait(&world->box, project_id);
    return box_text("%s", box_string(reply.json, "branch.id"));
}

static void expect_branch_of(World *world, const Environment *live, const char *parent_id,
                             const char *reference)
{
    const Seen *seen = command_run(
        world, APPLICATION, "EnvironmentBranched",
        "'branchEnvironment': {'environment': '%s', 'sourceBranch': {'account': 'main', "
        "'projectId': '%s', 'branch': '%s'}, 'branchName': '%s'}",
        world_fresh("copy"), live->project_id, reference, world_fresh("named"));
    Environment copy = login_environment(seen);
    assert_string_equal(seen_text(seen, "environmentBranched.environment.sourceBranchId"),
                        parent_id);
    PGconn *connection = login_revealed(world, &copy);
    assert_string_equal(login_value(connection, "SELECT name FROM item"), "tea");
    PQfinish(connection);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': '%s'}", copy.name);
    expect_gone(world, APPLICATION, copy.name, 2);
}

static void any_branch_of_an_account_is_branched_by_name_and_by_id(void **state)
{
    World *world = *state;
    Environment live = login_environment(create(world, world_fresh("live")));
    fill(world, &live);
    const char *foreign_id = make_foreign_branch(world, live.project_id, "by hand");
    expect_branch_of(world, &live, foreign_id, "by hand");
    expect_branch_of(world, &live, foreign_id, foreign_id);
    assert_int_equal(sandbox_count_branches(world, live.project_id, "by hand"), 1);
}

static void both_kinds_are_deleted_and_a_name_is_used_again(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const char *project = box_text(APPLICATION "-%s", name);
    Environment live = login_environment(create(world, name));
    Environment branch = login_environment(
        command_run(world, APPLICATION, "EnvironmentBranched",
                    "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}",
                    world_fresh("try"), name));
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentDeleted",
                                   "'deleteEnvironment': {'environment': '%s'}", branch.name);
    expect_event(seen, APPLICATION, box_text("environments/%s", branch.name), 2);
    assert_string_equal(seen_text(seen, "environmentDeleted.origin"), "ORIGIN_BRANCHED");
    assert_string_equal(seen_text(seen, "environmentDeleted.branchId"), branch.branch_id);
    expect_gone(world, APPLICATION, branch.name, 2);
    assert_int_equal(
        sandbox_count_branches(world, live.project_id, box_text(APPLICATION "-%s", branch.name)),
        0);
    assert_int_equal(sandbox_count_branches(world, live.project_id, "main"), 1);
    seen = command_run(world, APPLICATION, "EnvironmentDeleted",
                       "'deleteEnvironment': {'environment': '%s', 'deleteData': true}", name);
    expect_event(seen, APPLICATION, box_text("environments/%s", name), 2);
    assert_string_equal(seen_text(seen, "environmentDeleted.origin"), "ORIGIN_CREATED");
    expect_gone(world, APPLICATION, name, 2);
    assert_int_equal(sandbox_count_projects(world, project), 0);
    Environment again = login_environment(create(world, name));
    assert_string_not_equal(again.project_id, live.project_id);
    expect_ready(world, APPLICATION, &again, 3);
    assert_int_equal(sandbox_count_projects(world, project), 1);
}

static void every_sequence_is_whole(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    assert_string_equal(
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE status <> 'finished'"),
        "0");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_connected),
        cmocka_unit_test(a_key_is_replaced_by_another),
        cmocka_unit_test(an_environment_is_created_and_works),
        cmocka_unit_test(a_branch_has_the_data_of_its_parent_and_none_of_its_passwords),
        cmocka_unit_test(any_branch_of_an_account_is_branched_by_name_and_by_id),
        cmocka_unit_test(both_kinds_are_deleted_and_a_name_is_used_again),
        cmocka_unit_test(every_sequence_is_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
