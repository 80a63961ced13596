// What Neon or the ledger does to a command on its way, and how the command ends: architecture.md's
// failure rules, one after another.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define FAILED "CommandFailed"
enum { CALL_SECONDS = 30 };

static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "neon.send_window=1s",
                                       "neon.request_timeout=3s",
                                       "neon.listing_lag=2s",
                                       "neon.operation_timeout=2s",
                                       "commands.max_wait=12s",
                                       NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    (void)worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, APPLICATION);
    return 0;
}

static int clear(void **state)
{
    sandbox_clear_faults(*state);
    return 0;
}

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define DELETE_ALL "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"

static Environment create(World *world)
{
    return login_environment(
        command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("live")));
}

static size_t count_projects(World *world, const char *environment)
{
    return sandbox_count_projects(world, box_text(APPLICATION "-%s", environment));
}

static size_t count_branches(World *world, const Environment *project, const char *environment)
{
    return sandbox_count_branches(world, project->project_id,
                                  box_text(APPLICATION "-%s", environment));
}

// ---- what only delays

typedef struct Delay {
    const char *what;
    const char *fault;
} Delay;

static const Delay DELAYS_OF_CREATION[] = {
    {"429 without Retry-After", "{'kind': 'rate_limited', 'count': 3}"},
    {"503", "{'kind': 'status', 'route': 'POST /projects', 'count': 2, 'status': 503}"},
    {"HTML 524 instead of the deed",
     "{'kind': 'status', 'route': 'POST /projects', 'status': 524, 'html': true}"},
    {"HTML 524 after the deed",
     "{'kind': 'status', 'route': 'POST /projects', 'status': 524, 'html': true, 'commit': true}"},
    {"HTML 524 while reading",
     "{'kind': 'status', 'route': 'GET *', 'count': 2, 'status': 524, 'html': true}"},
    {"a lost request", "{'kind': 'request_lost', 'route': 'POST /projects'}"},
    {"a reply later than the timeout", "{'kind': 'slow', 'route': 'POST /projects', 'ms': 4000}"},
    {"404 right after creation", "{'kind': 'not_found_after_create', 'ms': 1000}"},
    {"an operation that fails once",
     "{'kind': 'operation_fails', 'count': 1, 'retry_ms': 300, 'message': 'no room'}"},
    {"a partial listing", "{'kind': 'partial_listing', 'count': 2, 'match': 'shop'}"},
};

static void what_delays_a_creation_leaves_one_project(void **state)
{
    World *world = *state;
    for (size_t i = 0; i < sizeof(DELAYS_OF_CREATION) / sizeof(DELAYS_OF_CREATION[0]); i++) {
        const char *name = world_fresh("live");
        int64_t began_ms = wait_now_ms();
        (void)sandbox_fault(world, DELAYS_OF_CREATION[i].fault);
        (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
        assert_int_equal(count_projects(world, name), 1);
        print_message("%s: %lld ms\n", DELAYS_OF_CREATION[i].what,
                      (long long)(wait_now_ms() - began_ms));
        sandbox_clear_faults(world);
    }
}

static void retry_after_is_honoured(void **state)
{
    World *world = *state;
    int64_t began_ms = wait_now_ms();
    const char *name = world_fresh("live");
    (void)sandbox_fault(world,
                        "{'kind': 'rate_limited', 'route': 'POST /projects', 'retry_after': 4}");
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    assert_true(wait_now_ms() - began_ms >= 4000);
    assert_int_equal(count_projects(world, name), 1);
}

static void a_storm_of_423_is_waited_out(void **state)
{
    World *world = *state;
    Environment live = create(world);
    const char *name = world_fresh("try");
    (void)sandbox_fault(world, "{'kind': 'locked', 'count': 3}");
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, name, live.name);
    assert_int_equal(count_branches(world, &live, name), 1);
    (void)sandbox_fault(world, "{'kind': 'locked', 'count': 3}");
    (void)command_run(world, APPLICATION, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': '%s'}", name);
    assert_int_equal(count_branches(world, &live, name), 0);
}

#define RESET "POST /projects/{project_id}/branches/{branch_id}/roles/{role_name}/reset_password"

static const char *revealed(World *world, const Environment *project, const char *branch_id,
                            const char *role)
{
    REPLY reply = box_call(&world->box, "GET",
                           box_text("/projects/%s/branches/%s/roles/%s/reveal_password",
                                    project->project_id, branch_id, role),
                           NULL);
    assert_int_equal(reply.status, 200);
    return box_text("%s", box_string(reply.json, "password"));
}

// Right after the creation neither roles nor databases are listed: neither is taken for none.
static void lists_that_lag_keep_no_inherited_password_and_hide_no_database(void **state)
{
    World *world = *state;
    Environment live = create(world);
    int64_t resets = sandbox_count_calls(world, RESET);
    (void)sandbox_fault(world, "{'kind': 'listing_lag', 'object': 'role', 'ms': 1500}");
    (void)sandbox_fault(world, "{'kind': 'listing_lag', 'object': 'database', 'ms': 1500}");
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentBranched", BRANCH,
                                   world_fresh("try"), live.name);
    Environment made = login_environment(seen);
    assert_string_equal(seen_text(seen, "environmentBranched.rotatedRoles.0"), live.role);
    assert_string_equal(seen_text(seen, "environmentBranched.environment.databases.0"),
                        live.database);
    assert_int_equal(sandbox_count_calls(world, RESET), resets + 1);
    assert_string_not_equal(revealed(world, &live, made.branch_id, live.role),
                            revealed(world, &live, live.branch_id, live.role));
    // an adopted project has no reply that names its database
    (void)sandbox_fault(world, "{'kind': 'reply_lost', 'route': 'POST /projects'}");
    seen = command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("live"));
    assert_string_equal(seen_text(seen, "environmentCreated.environment.databases.0"),
                        live.database);
}

// ---- what ends the command, undone

static void expect_step(const Seen *seen, const char *step)
{
    assert_string_equal(seen_text(seen, "commandFailed.step"), step);
}

static void a_project_that_stays_locked_is_given_up(void **state)
{
    World *world = *state;
    Environment live = create(world);
    const char *name = world_fresh("try");
    (void)sandbox_fault(world, "{'kind': 'locked', 'count': -1}");
    const Seen *seen =
        command_refused(world, APPLICATION, FAILED, "NEON_UNAVAILABLE", BRANCH, name, live.name);
    expect_step(seen, "create_branch");
    assert_int_equal(seen_number(seen, "commandFailed.neonStatus"), 423);
    assert_int_equal(count_branches(world, &live, name), 0);
    sandbox_clear_faults(world);
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, name, live.name);
    assert_int_equal(count_branches(world, &live, name), 1);
}

static void a_refused_key_and_a_plan_limit_end_with_neons_words(void **state)
{
    World *world = *state;
    static const struct {
        const char *fault;
        const char *code;
    } REFUSALS[] = {
        {"{'kind': 'status', 'route': 'POST /projects', 'status': 403, 'message': 'not yours'}",
         "NEON_DENIED"},
        {"{'kind': 'status', 'route': 'POST /projects', 'status': 422, 'code': "
         "'PROJECTS_LIMIT_EXCEEDED', 'message': 'not yours'}",
         "PROJECTS_LIMIT_EXCEEDED"},
        {"{'kind': 'status', 'route': 'POST /projects', 'status': 400, 'message': 'not yours'}",
         "NEON_REFUSED"},
    };
    for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++) {
        const char *name = world_fresh("live");
        (void)sandbox_fault(world, REFUSALS[i].fault);
        const Seen *seen =
            command_refused(world, APPLICATION, FAILED, REFUSALS[i].code, CREATE, name);
        expect_step(seen, "create_project");
        assert_non_null(strstr(seen_text(seen, "commandFailed.message"), "not yours"));
        assert_string_not_equal(seen_text(seen, "commandFailed.neonRequestId"), "");
        assert_int_equal(count_projects(world, name), 0);
    }
}

static void an_operation_that_fails_for_good_is_undone(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    int64_t changes = sandbox_count_changes(world);
    (void)sandbox_fault(world, "{'kind': 'operation_fails', 'count': 1, 'message': 'no room'}");
    const Seen *seen =
        command_refused(world, APPLICATION, FAILED, "OPERATION_FAILED", CREATE, name);
    assert_int_equal(sandbox_count_changes(world), changes + 2); // made, and deleted
    expect_step(seen, "await_operations");
    assert_non_null(strstr(seen_text(seen, "commandFailed.message"), "no room"));
    assert_int_equal(count_projects(world, name), 0);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    assert_int_equal(count_projects(world, name), 1);
}

static void what_is_undone_is_found_though_its_creation_was_lost(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    // the reply is lost, and the operation of what was made fails
    (void)sandbox_fault(world, "{'kind': 'reply_lost', 'route': 'POST /projects'}");
    (void)sandbox_fault(world, "{'kind': 'listing_lag', 'ms': 1500}");
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'GET "
                               "/projects/{project_id}/branches/{branch_id}', 'count': -1, "
                               "'status': 403, 'message': 'not yours'}");
    (void)command_refused(world, APPLICATION, FAILED, "NEON_DENIED", CREATE, name);
    assert_int_equal(count_projects(world, name), 0);
}

static const char *seconds_from_now(World *world, int seconds)
{
    return ledger_value(world,
                        "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '%d s', "
                        "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
                        seconds);
}

static void a_deadline_that_passes_on_the_way_undoes_what_was_made(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    (void)sandbox_fault(world, "{'kind': 'slow', 'route': 'POST /projects', 'ms': 2500}");
    (void)command_refused(world, APPLICATION, FAILED, "DEADLINE_EXCEEDED",
                          CREATE ", 'deadline': '%s'", name, seconds_from_now(world, 2));
    assert_int_equal(count_projects(world, name), 0);
    (void)command_refused(world, APPLICATION, "CommandRejected", "EXPIRED",
                          CREATE ", 'deadline': '%s'", name, seconds_from_now(world, -10));
    assert_int_equal(count_projects(world, name), 0);
}

static void a_deadline_ends_a_wait(void **state)
{
    World *world = *state;
    int64_t began_ms = wait_now_ms();
    (void)sandbox_fault(world,
                        "{'kind': 'status', 'route': 'GET *', 'status': 503, 'retry_after': 30}");
    (void)command_refused(world, APPLICATION, "CommandRejected", "EXPIRED",
                          CREATE ", 'deadline': '%s'", world_fresh("live"),
                          seconds_from_now(world, 3));
    assert_true(wait_now_ms() - began_ms < 15000);
}

// ---- the worker

static void a_worker_that_cannot_start_its_consumer_ends_and_says_why(void **state)
{
    World *world = *state;
    static const char *const BAD[] = {"kafka.consumer.no.such.property=1", NULL};
    Process *process = worker_start(world, "bad", BAD);
    int status = process_wait(process, CALL_SECONDS);
    char *log = process_read_log(process->log);
    assert_in_range(status, 64, 78); // sysexits.h; a crash or a leak has another
    assert_non_null(strstr(log, "no.such.property"));
    free(log);
}

// ---- the ledger

static bool has_open_intent(void *context)
{
    return strcmp(ledger_value(context, "SELECT count(*) FROM provision.command WHERE status = "
                                        "'running' AND intent_status = 'open'"),
                  "0") != 0;
}

static const char *end_connections(World *world)
{
    return ledger_value(world, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                               "WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

static void a_ledger_that_hangs_up_costs_nothing(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    (void)sandbox_fault(world, "{'kind': 'slow', 'route': 'POST /projects', 'ms': 1000}");
    const char *id = command_send(world, APPLICATION, CREATE, name);
    wait_until(has_open_intent, world, CALL_SECONDS, "an open intent");
    assert_string_not_equal(end_connections(world), "0");
    (void)command_await(world, id, "EnvironmentCreated");
    assert_int_equal(count_projects(world, name), 1);
    // again and again while commands begin and end
    const char *ids[8];
    const char *names[8];
    for (int i = 0; i < 8; i++) {
        names[i] = world_fresh("live");
        ids[i] = command_send(world, APPLICATION, CREATE, names[i]);
        (void)end_connections(world);
    }
    for (int i = 0; i < 8; i++) {
        (void)command_await(world, ids[i], "EnvironmentCreated");
        assert_int_equal(count_projects(world, names[i]), 1);
        (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE_ALL, names[i]);
        assert_int_equal(count_projects(world, names[i]), 0);
    }
}

static void execute(World *world, const char *sql)
{
    PGresult *result = PQexec(world->ledger, sql);
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

static void a_row_that_the_ledger_refuses_holds_up_no_other(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    execute(world, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                   "'BEGIN RAISE EXCEPTION ''not now''; END'");
    execute(world, "CREATE TRIGGER refuse BEFORE INSERT ON provision.command FOR EACH ROW "
                   "WHEN (new.application_id = 'refused') EXECUTE FUNCTION refuse()");
    const char *id = command_connect(world, "refused", "main", world->api_key);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE_ALL, name);
    assert_int_equal(reader_count_outcomes(world->reader, id), 0);
    execute(world, "DROP TRIGGER refuse ON provision.command");
    (void)command_await(world, id, "AccountConnected");
}

static void every_sequence_is_whole(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        assert_int_not_equal(reader_at(world->reader, i)->topic, SEEN_DEAD_LETTERS);
    }
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_delays_a_creation_leaves_one_project, clear),
        cmocka_unit_test_teardown(retry_after_is_honoured, clear),
        cmocka_unit_test_teardown(a_storm_of_423_is_waited_out, clear),
        cmocka_unit_test_teardown(lists_that_lag_keep_no_inherited_password_and_hide_no_database,
                                  clear),
        cmocka_unit_test_teardown(a_project_that_stays_locked_is_given_up, clear),
        cmocka_unit_test_teardown(a_refused_key_and_a_plan_limit_end_with_neons_words, clear),
        cmocka_unit_test_teardown(an_operation_that_fails_for_good_is_undone, clear),
        cmocka_unit_test_teardown(what_is_undone_is_found_though_its_creation_was_lost, clear),
        cmocka_unit_test_teardown(a_deadline_that_passes_on_the_way_undoes_what_was_made, clear),
        cmocka_unit_test_teardown(a_deadline_ends_a_wait, clear),
        cmocka_unit_test(a_worker_that_cannot_start_its_consumer_ends_and_says_why),
        cmocka_unit_test_teardown(a_ledger_that_hangs_up_costs_nothing, clear),
        cmocka_unit_test(a_row_that_the_ledger_refuses_holds_up_no_other),
        cmocka_unit_test(every_sequence_is_whole),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
