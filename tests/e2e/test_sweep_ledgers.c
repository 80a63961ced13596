// Sweeps judge by their ledger: one that was restored from a backup is not believed before somebody
// says so, and then what it doesn't know stays; and what another installation has made is nobody
// else's, whatever it is called.
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"
#include "support/stack.h"
#include "support/sweep.h"
#include "support/wait.h"

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define POST_BRANCH "POST /projects/{project_id}/branches"

enum { LATE_MS = 9000, SECONDS = 60, URI_BYTES = 600 };

static const char *const SETTINGS[] = {
    "environments.check_login=off", "neon.send_window=1s", "neon.request_timeout=3s",
    "neon.listing_lag=1s",          "sweep.min_age=5s",    NULL};

static Process *worker;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker = worker_start(*state, "one", SETTINGS);
    return 0;
}

static int clear(void **state)
{
    sandbox_clear_faults(*state);
    return 0;
}

// ---- a ledger out of a backup

static void run_postgres(World *world, const char *const *arguments)
{
    const char *dirs = world_env("PROVISION_POSTGRES_DIRS"); // the ledger's own comes first
    const char *argv[PROCESS_ARGUMENTS_MAX] = {
        box_text("%.*s/bin/%s", (int)strcspn(dirs, ":"), dirs, arguments[0])};
    for (size_t i = 1; arguments[i] != NULL; i++) {
        argv[i] = arguments[i];
    }
    assert_int_equal(process_run(argv, box_text("%s/postgres.log", world->dir), SECONDS), 0);
}

static void back_up(World *world)
{
    run_postgres(world, (const char *const[]){
                            "pg_dump", "--schema=provision", "--clean", "--if-exists", "--file",
                            box_text("%s/backup.sql", world->dir), world->ledger_uri, NULL});
}

static void restore(World *world)
{
    run_postgres(world, (const char *const[]){"psql", "--quiet", "--no-psqlrc", "--set",
                                              "ON_ERROR_STOP=1", "--single-transaction", "--file",
                                              box_text("%s/backup.sql", world->dir),
                                              world->ledger_uri, NULL});
}

typedef struct Age {
    World *world;
    const Environment *environment;
} Age;

// Older than what may be in the making.
static bool is_old(void *context)
{
    const Age *age = context;
    REPLY reply = box_call_as(&age->world->box, age->world->api_key, NULL, "GET",
                              box_text("/projects/%s/branches/%s", age->environment->project_id,
                                       age->environment->branch_id),
                              NULL);
    return strcmp(ledger_value(age->world,
                               "SELECT clock_timestamp() > '%s'::timestamptz + interval '6 s'",
                               box_string(reply.json, "branch.created_at")),
                  "t") == 0;
}

static void a_ledger_out_of_a_backup_deletes_nothing_that_it_does_not_know(void **state)
{
    World *world = *state;
    command_connect_main(world, "bank");
    Environment before =
        login_environment(command_run(world, "bank", "EnvironmentCreated", CREATE, "before"));
    worker_stop(worker);
    back_up(world);
    worker = worker_start(world, "two", SETTINGS);
    Environment branch = login_environment(
        command_run(world, "bank", "EnvironmentBranched", BRANCH, "branch", "before"));
    Environment project =
        login_environment(command_run(world, "bank", "EnvironmentCreated", CREATE, "project"));
    Age age = {world, &project};
    wait_until(is_old, &age, SECONDS, "the project to be older than what is being made");
    worker_stop(worker);
    restore(world);
    worker = worker_start(world, "three", SETTINGS);
    int64_t mutations = sweep_mutations(world);

    Sweep sweep = sweep_look(world);
    assert_int_equal(sweep.code, EX_CONFIG);
    assert_non_null(strstr(sweep.complaint, "LEDGER_CHANGED: bank/main: "));
    assert_int_equal(sweep_delete(world).code, EX_CONFIG);
    assert_int_equal(sweep_mutations(world), mutations);

    sweep = sweep_run(world, (const char *const[]){"--confirm-ledger", NULL});
    assert_int_equal(sweep.code, 0);
    assert_non_null(strstr(sweep.complaint, "was: "));
    sweep = sweep_delete(world);
    assert_int_equal(sweep.code, SWEEP_FOUND);
    assert_string_equal(sweep_verdict(&sweep, "bank", branch.branch_id), "UNKNOWN_COMMAND");
    assert_string_equal(sweep_verdict(&sweep, "bank", project.branch_id), "UNKNOWN_COMMAND");
    assert_string_equal(sweep_verdict(&sweep, "bank", before.branch_id), "");
    assert_int_equal(sweep_mutations(world), mutations);
    assert_true(sweep_branch_exists(world, branch.branch_id));
    assert_true(sweep_branch_exists(world, project.branch_id));
}

// ---- a ledger that was promoted

static void a_ledger_that_was_promoted_deletes_nothing_before_somebody_says_so(void **state)
{
    World *world = *state;
    command_connect_main(world, "club");
    Environment live =
        login_environment(command_run(world, "club", "EnvironmentCreated", CREATE, "live"));
    worker_stop(worker);
    stack_promote_ledger(world);
    worker = worker_start(world, "promoted", SETTINGS);
    int64_t mutations = sweep_mutations(world);

    Sweep sweep = sweep_delete(world);
    assert_int_equal(sweep.code, EX_CONFIG);
    assert_non_null(strstr(sweep.complaint, "LEDGER_CHANGED: club/main: "));
    sweep = sweep_run(world, (const char *const[]){"--confirm-ledger", NULL});
    assert_int_equal(sweep.code, 0);
    assert_non_null(strstr(sweep.complaint, "timeline 1,"));
    assert_non_null(strstr(sweep.complaint, "timeline 2,"));
    sweep = sweep_delete(world);
    assert_null(strstr(sweep.complaint, "LEDGER_CHANGED"));
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    assert_string_equal(sweep_verdict(&sweep, "club", live.branch_id), "");
    assert_int_equal(sweep_mutations(world), mutations);
}

// ---- another installation

typedef struct Late {
    World *world;
    const char *project_id;
    const char *branch_id;
} Late;

static bool is_there(void *context)
{
    Late *late = context;
    late->branch_id = sweep_find_branch(late->world, late->project_id, "shop-late");
    return late->branch_id[0] != '\0';
}

static PGconn *open_second_ledger(World *world)
{
    char uri[URI_BYTES];
    PGresult *result = PQexec(world->ledger, box_text("CREATE DATABASE \"%s-2\"", world->name));
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    (void)snprintf(uri, sizeof(uri), "%s-2", world->ledger_uri);
    FILE *file = fopen(box_text("%s/second.uri", world->dir), "we");
    assert_non_null(file);
    assert_true(fputs(uri, file) >= 0);
    assert_int_equal(fclose(file), 0);
    PGconn *ledger = PQconnectdb(uri);
    assert_int_equal(PQstatus(ledger), CONNECTION_OK);
    return ledger;
}

static int drop_second_ledger(void **state)
{
    World *world = *state;
    PQclear(PQexec(world->ledger,
                   box_text("DROP DATABASE IF EXISTS \"%s-2\" WITH (FORCE)", world->name)));
    return clear(state);
}

static const char *value_of(PGconn *ledger, const char *sql)
{
    PGresult *result = PQexec(ledger, sql);
    const char *value =
        box_text("%s", PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1
                           ? PQgetvalue(result, 0, 0)
                           : "");
    PQclear(result);
    return value;
}

static bool are_three_ready(void *context)
{
    return strcmp(value_of(context, "SELECT count(*) FROM provision.environment WHERE "
                                    "application_id = 'shop' AND state = 'ready'"),
                  "3") == 0;
}

static const char *second_branch(PGconn *ledger, const char *environment)
{
    return value_of(ledger, box_text("SELECT branch_id FROM provision.environment WHERE "
                                     "application_id = 'shop' AND environment = '%s' AND state = "
                                     "'ready'",
                                     environment));
}

// Both fleets get the very same commands: their environments have the same names, and were made by
// commands with the same ids. One branch of the first is an orphan, of the second it lives.
static void what_another_installation_has_made_stays(void **state)
{
    static const char *const NAMES[] = {"live", "late", "copy"};
    World *world = *state;
    command_connect_main(world, "shop");
    Environment live =
        login_environment(command_run(world, "shop", "EnvironmentCreated", CREATE, "live"));
    Environment copy = login_environment(
        command_run(world, "shop", "EnvironmentBranched", BRANCH, "copy", "live"));
    (void)sandbox_fault(
        world, box_text("{'kind': 'slow_before', 'route': '" POST_BRANCH "', 'ms': %d}", LATE_MS));
    (void)sandbox_fault(world, "{'kind': 'status', 'route': '" POST_BRANCH
                               "', 'skip': 1, 'status': 403, 'message': 'no'}");
    (void)command_run(world, "shop", "CommandFailed", BRANCH, "late", "live");
    Late late = {.world = world, .project_id = live.project_id};
    wait_until(is_there, &late, SECONDS, "the late branch");
    sandbox_clear_faults(world);

    PGconn *second = open_second_ledger(world);
    const char *uri_file = box_text("ledger.uri_file=%s/second.uri", world->dir);
    const char *settings[] = {uri_file,    box_text("group.id=%s-2", world->name),
                              SETTINGS[0], SETTINGS[1],
                              SETTINGS[2], SETTINGS[3],
                              SETTINGS[4], NULL};
    Process *stranger = worker_start(world, "stranger", settings);
    wait_until(are_three_ready, second, SECONDS, "the second fleet to have done it all");
    const char *theirs[3];
    for (size_t i = 0; i < 3; i++) {
        theirs[i] = second_branch(second, NAMES[i]);
    }
    Age age = {world, &(Environment){.project_id = value_of(second, "SELECT project_id FROM "
                                                                    "provision.environment WHERE "
                                                                    "application_id = 'shop' AND "
                                                                    "environment = 'copy'"),
                                     .branch_id = theirs[2]}};
    wait_until(is_old, &age, SECONDS, "all to be older than what is being made");

    Sweep sweep = sweep_delete(world);
    assert_string_equal(sweep_verdict(&sweep, "shop", late.branch_id), "ORPHAN");
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    assert_int_equal(sweep_count_findings(&sweep, "shop"), 1);
    assert_int_equal(json_integer_value(json_object_get(sweep_of(&sweep, "shop"), "foreign")), 3);
    sweep = sweep_run(world, (const char *const[]){"--delete", "--set", uri_file, NULL});
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    assert_int_equal(sweep_count_findings(&sweep, "shop"), 0);
    assert_false(sweep_branch_exists(world, late.branch_id));
    assert_true(sweep_branch_exists(world, live.branch_id));
    assert_true(sweep_branch_exists(world, copy.branch_id));
    for (size_t i = 0; i < 3; i++) {
        assert_true(sweep_branch_exists(world, theirs[i]));
        assert_string_equal(second_branch(second, NAMES[i]), theirs[i]);
    }
    worker_stop(stranger);
    PQfinish(second);
}

int main(void)
{
    world_require();
    stack_begin(STACK_LEDGER);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_another_installation_has_made_stays, drop_second_ledger),
        cmocka_unit_test(a_ledger_that_was_promoted_deletes_nothing_before_somebody_says_so),
        cmocka_unit_test(a_ledger_out_of_a_backup_deletes_nothing_that_it_does_not_know),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
