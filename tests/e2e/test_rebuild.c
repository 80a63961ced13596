// A ledger that was lost comes back from the topics, and one that was restored from an older backup
// is brought up to date: no sequence is given out twice, and commands go on.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define DELETE "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"
// Of `live` alone: what a project's edit tells its siblings comes later.
#define EDIT                                                                                       \
    "'editEndpoint': {'environment': 'live', 'endpoint': {'autoscalingLimitMaxCu': %d}, "          \
    "'updateMask': 'autoscalingLimitMaxCu'}"
#define OPEN "'openPreview': {'pullRequest': 72}"

enum { EXIT_TEMPORARY = 75, BACKUP_SECONDS = 60 };

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
static const char *const DRY[] = {"rebuild", NULL};
static const char *const WRITE[] = {"rebuild", "--write", NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    (void)worker_start(world, "first", SETTINGS);
    command_connect_main(world, APPLICATION);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "live");
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "old");
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "try", "live");
    (void)command_run(
        world, APPLICATION, "ProjectEdited",
        "'editProject': {'environment': 'live', 'historyRetentionSeconds': '604800'}");
    (void)command_run(world, APPLICATION, "PreviewBaseSet",
                      "'setPreviewBase': {'environment': 'live'}");
    (void)command_run(world, APPLICATION, "EnvironmentBranched", OPEN);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "short");
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE, "short");
    return 0;
}

static int end(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    return world_end(state);
}

static void execute(World *world, const char *sql)
{
    PGresult *result = PQexec(world->ledger, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s", PQerrorMessage(world->ledger));
    }
    PQclear(result);
}

// What has to come back, as one text.
static const char *snapshot(World *world)
{
    return ledger_value(
        world,
        "SELECT string_agg(line, E'\\n' ORDER BY line) FROM ("
        "SELECT concat_ws('|', application_id, environment, state, sequence, "
        "CASE WHEN state <> 'gone' THEN concat_ws('|', origin, account, project_id, branch_id, "
        "endpoint_id, action, details - ARRAY['role', 'neon_account_id', 'org_id', 'repository']) "
        "END) "
        "FROM provision.environment UNION ALL "
        "SELECT concat_ws('|', application_id, account, sequence, key_kind, neon_account_id, "
        "org_id) FROM provision.account UNION ALL "
        "SELECT concat_ws('|', application_id, preview_base, sequence) "
        "FROM provision.application) v(line)");
}

static void expect_output(World *world, const char *text)
{
    char *output = process_read_log(box_text("%s/tasks.log", world->dir));
    if (strstr(output, text) == NULL) {
        fail_msg("no '%s' in: %s", text, output);
    }
    free(output);
}

static void stop_workers(World *world)
{
    for (size_t i = 0; i < world->worker_count; i++) {
        if (world->workers[i].pid != 0) {
            worker_stop(&world->workers[i]);
        }
    }
}

static void beside_a_worker_nothing_is_rebuilt(void **state)
{
    World *world = *state;
    worker_await_members(world, 1, WORLD_SECONDS);
    assert_int_equal(worker_task(world, WRITE), EXIT_TEMPORARY);
    expect_output(world, "GROUP_IN_USE");
}

static void a_ledger_that_knows_all_is_left_alone(void **state)
{
    World *world = *state;
    stop_workers(world);
    const char *before = snapshot(world);
    assert_int_equal(worker_task(world, WRITE), 0);
    expect_output(world, "0 made, 0 brought up to date");
    assert_string_equal(snapshot(world), before);
}

// Commands on what came back; the account's key is the only thing that somebody has to give again.
static void use_what_came_back(World *world)
{
    (void)command_refused(world, APPLICATION, "CommandRejected", "ACCOUNT_UNKNOWN", CREATE,
                          "early");
    command_connect_main(world, APPLICATION);
    const Seen *opened = command_run(world, APPLICATION, "EnvironmentBranched", OPEN);
    assert_false(seen_flag(opened, "environmentBranched.created"));
    (void)command_refused(world, APPLICATION, "CommandRejected", "ENVIRONMENT_EXISTS", CREATE,
                          "live");
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "again", "live");
    (void)command_run(world, APPLICATION, "EndpointEdited", EDIT, 1);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE, "try");
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "short");
}

static void a_lost_ledger_comes_back(void **state)
{
    World *world = *state;
    static const char *const MIGRATE[] = {"migrate", NULL};
    const char *before = snapshot(world);
    const char *installation = ledger_value(world, "SELECT id FROM provision.installation");
    execute(world, "DROP SCHEMA provision CASCADE");
    assert_int_equal(worker_task(world, MIGRATE), 0);
    const char *fresh = ledger_value(world, "SELECT id FROM provision.installation");
    assert_string_not_equal(fresh, installation);
    assert_int_equal(worker_task(world, DRY), 0);
    expect_output(world, "nothing was written: --write does");
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.environment"), "0");
    assert_string_equal(ledger_value(world, "SELECT id FROM provision.installation"), fresh);
    assert_int_equal(worker_task(world, WRITE), 0);
    expect_output(world, "applications/shop/accounts/main: not in the ledger, sequence 1, needs");
    assert_string_equal(snapshot(world), before);
    assert_string_equal(ledger_value(world, "SELECT id FROM provision.installation"), installation);
    (void)worker_start(world, "second", SETTINGS);
    use_what_came_back(world);
}

// pg_dump or psql; the password goes by the environment.
static void run_client(World *world, const char *program, const char *option, const char *file)
{
    const char *dirs = world_env("PROVISION_POSTGRES_DIRS");
    const char *const arguments[] = {
        box_text("%.*s/bin/%s", (int)strcspn(dirs, ":"), dirs, program),
        "-h",
        PQhost(world->ledger),
        "-p",
        PQport(world->ledger),
        "-U",
        PQuser(world->ledger),
        "-d",
        PQdb(world->ledger),
        option,
        "-f",
        file,
        NULL};
    assert_int_equal(setenv("PGPASSWORD", PQpass(world->ledger), 1), 0);
    int code = process_run(arguments, box_text("%s/%s.log", world->dir, program), BACKUP_SECONDS);
    assert_int_equal(unsetenv("PGPASSWORD"), 0);
    assert_int_equal(code, 0);
}

static void a_restored_backup_is_brought_up_to_date(void **state)
{
    World *world = *state;
    const char *backup = box_text("%s/backup.sql", world->dir);
    run_client(world, "pg_dump", "--schema=provision", backup);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "later");
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE, "old");
    (void)command_run(world, APPLICATION, "EndpointEdited", EDIT, 2);
    stop_workers(world);
    const char *before = snapshot(world);
    execute(world, "DROP SCHEMA provision CASCADE");
    run_client(world, "psql", "--set=ON_ERROR_STOP=1", backup);
    assert_string_not_equal(snapshot(world), before);
    Process *blind = worker_start(world, "third", SETTINGS);
    process_await_log(blind, "LEDGER_BEHIND", WORLD_SECONDS);
    worker_stop(blind);
    assert_int_equal(worker_task(world, WRITE), 0);
    expect_output(world, "environments/later: not in the ledger, sequence 1");
    expect_output(world, "environments/old: the ledger is behind, sequence 2, gone");
    expect_output(world, "environments/live: the ledger is behind");
    assert_string_equal(snapshot(world), before);
    (void)worker_start(world, "fourth", SETTINGS);
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "more", "later");
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "old");
}

// Nothing is written into a ledger that serves somebody else.
static void the_topics_of_another_installation_are_refused(void **state)
{
    World *world = *state;
    stop_workers(world);
    const char *installation = ledger_value(world, "SELECT id FROM provision.installation");
    execute(world, "UPDATE provision.installation SET id = gen_random_uuid()");
    const char *before = snapshot(world);
    assert_int_not_equal(worker_task(world, WRITE), 0);
    expect_output(world, "INSTALLATION_MISMATCH");
    assert_string_equal(snapshot(world), before);
    execute(world, box_text("UPDATE provision.installation SET id = '%s'", installation));
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_a_worker_nothing_is_rebuilt),
        cmocka_unit_test(a_ledger_that_knows_all_is_left_alone),
        cmocka_unit_test(a_lost_ledger_comes_back),
        cmocka_unit_test(a_restored_backup_is_brought_up_to_date),
        cmocka_unit_test(the_topics_of_another_installation_are_refused),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
