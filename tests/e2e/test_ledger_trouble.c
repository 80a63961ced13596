// A ledger that answers and takes nothing, or not this row: the worker stops and goes on by itself.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/probe.h"
#include "support/wait.h"

enum { APPLICATIONS = 8, SECONDS = 60 };

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    (void)worker_start(*state, "first", SETTINGS);
    for (int i = 0; i < APPLICATIONS; i++) {
        command_connect_main(*state, box_text("app-%d", i));
    }
    return 0;
}

static void execute(World *world, const char *sql)
{
    PGresult *result = PQexec(world->ledger, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(world->ledger));
    }
    PQclear(result);
}

// As a standby is that was promoted the wrong way round: 25006, like a full disk's 53100 no fault
// of any row. The workers' connections begin anew, the test's own may always write.
static void set_read_only(World *world, bool is_on)
{
    execute(world, "SET default_transaction_read_only = off");
    execute(world,
            box_text("ALTER DATABASE \"%s\" SET default_transaction_read_only = %s",
                     ledger_value(world, "SELECT current_database()"), is_on ? "on" : "off"));
    execute(world, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

static bool takes_nothing(void *context)
{
    return process_has_logged(context, "the ledger takes nothing");
}

static void create_everywhere(World *world, const char *environment, const char **ret_ids)
{
    for (int i = 0; i < APPLICATIONS; i++) {
        ret_ids[i] = command_send(world, box_text("app-%d", i), CREATE, environment);
    }
}

// The claims that were refused are dropped with their partitions: no row is left that could show
// that the ledger takes rows again.
static void after_trouble_and_a_rebalance_the_worker_goes_on(void **state)
{
    World *world = *state;
    Process *first = &world->workers[0];
    Process *second = worker_start(world, "second", SETTINGS);
    const char *ids[APPLICATIONS];
    worker_await_members(world, 2, SECONDS);
    set_read_only(world, true);
    create_everywhere(world, world_fresh("live"), ids);
    wait_until(takes_nothing, first, SECONDS, "claims of the first that are refused");
    wait_until(takes_nothing, second, SECONDS, "claims of the second that are refused");
    probe_await(first, "/readyz", 503, "the ledger is away", SECONDS);
    process_kill(second);
    worker_await_members(world, 1, SECONDS);
    set_read_only(world, false);
    for (int i = 0; i < APPLICATIONS; i++) {
        (void)command_await(world, ids[i], "EnvironmentCreated");
    }
    probe_await(first, "/readyz", 200, "", SECONDS);
}

// A damaged block under one row, as the ledger tells of it.
static void rows_that_are_refused_for_good_stop_no_others(void **state)
{
    World *world = *state;
    const char *environment = world_fresh("live");
    const char *ids[APPLICATIONS];
    execute(world,
            "CREATE FUNCTION provision.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.application_id IN ('app-0', 'app-1') THEN "
            "RAISE EXCEPTION 'could not read block' USING ERRCODE = '58030'; END IF; "
            "RETURN NEW; END $$");
    execute(world, "CREATE TRIGGER refuse BEFORE INSERT ON provision.command "
                   "FOR EACH ROW EXECUTE FUNCTION provision.refuse()");
    create_everywhere(world, environment, ids);
    for (int i = 2; i < APPLICATIONS; i++) {
        (void)command_await(world, ids[i], "EnvironmentCreated");
    }
    for (int i = 2; i < APPLICATIONS; i++) {
        (void)command_run(world, box_text("app-%d", i), "EnvironmentCreated", CREATE,
                          world_fresh("more"));
    }
    assert_string_equal(ledger_value(world,
                                     "SELECT count(*) FROM provision.command WHERE command_id IN "
                                     "('%s', '%s')",
                                     ids[0], ids[1]),
                        "0");
    probe_await(&world->workers[0], "/readyz", 200, "", SECONDS);
    execute(world, "DROP FUNCTION provision.refuse() CASCADE");
    for (int i = 0; i < 2; i++) {
        (void)command_await(world, ids[i], "EnvironmentCreated");
    }
}

static void the_worker_ends(void **state)
{
    World *world = *state;
    worker_stop(&world->workers[0]);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_trouble_and_a_rebalance_the_worker_goes_on),
        cmocka_unit_test(rows_that_are_refused_for_good_stop_no_others),
        cmocka_unit_test(the_worker_ends),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
