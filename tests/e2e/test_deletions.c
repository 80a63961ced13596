// What stands in a deletion's way is looked for before each call of it; and what runs again after a
// restore deletes nothing that came later.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"
#include "support/sweep.h"
#include "support/wait.h"

#define SHOP "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define DELETE "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"
#define OPEN "'openPreview': {'pullRequest': 7}"
#define CLOSE "'closePreview': {'pullRequest': 7}"
#define DELETE_PROJECT "DELETE /projects/{project_id}"

enum { SECONDS = 60 };

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=3s",      "neon.listing_lag=1s",
                                       "commands.max_wait=60s",        NULL};
static Process *worker;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker = worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, SHOP);
    return 0;
}

static int clear(void **state)
{
    sandbox_clear_faults(*state);
    return 0;
}

// ---- who moves in while Neon answers 423

typedef struct Calls {
    World *world;
    int64_t before;
} Calls;

static bool was_called(void *context)
{
    const Calls *calls = context;
    return sandbox_count_calls(calls->world, DELETE_PROJECT) > calls->before;
}

// The command's deletion of the project is locked out; then somebody makes a branch there.
static void expect_branch_is_seen(World *world, const char *project_id, const char *command)
{
    Calls calls = {world, sandbox_count_calls(world, DELETE_PROJECT)};
    (void)sandbox_fault(world, "{'kind': 'locked', 'route': '" DELETE_PROJECT "', 'count': -1}");
    const char *id = command_send(world, SHOP, "%s", command_quote(command));
    wait_until(was_called, &calls, SECONDS, "a deletion that is locked out");
    REPLY made = box_call_as(&world->box, world->api_key, NULL, "POST",
                             box_text("/projects/%s/branches", project_id),
                             "{\"branch\": {\"name\": \"by-hand\"}}");
    assert_int_equal(made.status, 201);
    const Seen *failed = command_await(world, id, "CommandFailed");
    assert_string_equal(seen_text(failed, "commandFailed.code"), "HAS_DEPENDENTS");
    assert_non_null(strstr(seen_text(failed, "commandFailed.message"), "by-hand"));
    assert_int_equal(sandbox_count_branches(world, project_id, "by-hand"), 1);
}

static void who_moves_into_a_project_whose_deletion_is_repeated_is_seen(void **state)
{
    World *world = *state;
    Environment big =
        login_environment(command_run(world, SHOP, "EnvironmentCreated", CREATE, "big"));
    expect_branch_is_seen(world, big.project_id, box_text(DELETE, "big"));
}

// A project with the mark of a command that has finished.
static const char *make_marked_project(World *world, const char *environment, const char *command)
{
    const char *installation = ledger_value(world, "SELECT id FROM provision.installation");
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "POST", "/projects",
        box_text("{\"project\": {\"name\": \"late\", \"org_id\": \"" WORLD_ORG "\", \"branch\": "
                 "{\"annotations\": {\"provisioner.installation\": \"%s\", "
                 "\"provisioner.application\": \"" SHOP "\", \"provisioner.environment\": \"%s\", "
                 "\"provisioner.command\": \"%s\"}}}}",
                 installation, environment, command));
    assert_int_equal(reply.status, 201);
    const char *project = box_text("%s", box_string(reply.json, "project.id"));
    box_wait(&world->box, project);
    return project;
}

static void who_moves_into_an_orphan_whose_deletion_is_repeated_is_seen(void **state)
{
    World *world = *state;
    const char *made = command_send(world, SHOP, CREATE, "twin");
    (void)command_await(world, made, "EnvironmentCreated");
    const char *project = make_marked_project(world, "twin", made);
    const char *root = sweep_find_root(world, "late", "");
    expect_branch_is_seen(
        world, project,
        box_text("'deleteOrphan': {'environment': 'twin', 'account': 'main', 'projectId': '%s', "
                 "'branchId': '%s', 'commandId': '%s'}",
                 project, root, made));
}

// ---- a ledger out of a backup, and commands that run again

static void execute(World *world, const char *sql)
{
    PGresult *result = PQexec(world->ledger, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    assert_true(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
}

static void back_up(World *world)
{
    execute(world, "CREATE SCHEMA backup");
    execute(world, "CREATE TABLE backup.environment AS SELECT * FROM provision.environment");
    execute(world, "CREATE TABLE backup.command AS SELECT command_id FROM provision.command");
}

static void restore(World *world)
{
    worker_stop(worker);
    execute(world, "DELETE FROM provision.command WHERE command_id NOT IN (SELECT command_id FROM "
                   "backup.command)");
    execute(world, "DELETE FROM provision.environment");
    execute(world, "INSERT INTO provision.environment SELECT * FROM backup.environment");
    execute(world, "UPDATE provision.environment SET sequence = sequence + 1000000");
    worker = worker_start(world, "restored", SETTINGS);
}

static void a_deletion_that_runs_again_after_a_restore_leaves_what_was_made_since(void **state)
{
    World *world = *state;
    (void)command_run(world, SHOP, "EnvironmentCreated", CREATE, "live");
    (void)command_run(world, SHOP, "PreviewBaseSet", "'setPreviewBase': {'environment': 'live'}");
    (void)command_run(world, SHOP, "EnvironmentCreated", CREATE, "staging");
    (void)command_run(world, SHOP, "EnvironmentBranched", OPEN);
    back_up(world);
    const char *deletion = command_send(world, SHOP, DELETE, "staging");
    const char *creation = command_send(world, SHOP, CREATE, "staging");
    const char *closing = command_send(world, SHOP, CLOSE);
    (void)command_await(world, closing, "EnvironmentDeleted"); // else the opening supersedes it
    const char *opening = command_send(world, SHOP, OPEN);
    Environment staging = login_environment(command_await(world, creation, "EnvironmentCreated"));
    Environment preview = login_environment(command_await(world, opening, "EnvironmentBranched"));
    restore(world);
    size_t index = reader_count(world->reader);
    (void)command_send(world, SHOP, "'commandId': '%s', " DELETE, deletion, "staging");
    (void)command_send(world, SHOP, "'commandId': '%s', " CREATE, creation, "staging");
    (void)command_send(world, SHOP, "'commandId': '%s', " CLOSE, closing);
    const Seen *deleted = reader_await_outcome_behind(world->reader, deletion, index, SECONDS);
    const Seen *created = reader_await_outcome_behind(world->reader, creation, index, SECONDS);
    (void)reader_await_outcome_behind(world->reader, closing, index, SECONDS);
    (void)command_send(world, SHOP, "'commandId': '%s', " OPEN, opening);
    const Seen *opened = reader_await_outcome_behind(world->reader, opening, index, SECONDS);
    assert_string_equal(seen_type(deleted), "EnvironmentDeleted");
    assert_string_equal(seen_type(created), "EnvironmentCreated");
    assert_string_equal(login_environment(created).project_id, staging.project_id);
    assert_true(sweep_branch_exists(world, staging.branch_id));
    assert_string_equal(seen_type(opened), "EnvironmentBranched");
    assert_string_equal(login_environment(opened).branch_id, preview.branch_id);
    assert_true(sweep_branch_exists(world, preview.branch_id));
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_moves_into_a_project_whose_deletion_is_repeated_is_seen,
                                  clear),
        cmocka_unit_test_teardown(who_moves_into_an_orphan_whose_deletion_is_repeated_is_seen,
                                  clear),
        cmocka_unit_test(a_deletion_that_runs_again_after_a_restore_leaves_what_was_made_since),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
