// Every way in which a start can fail ends with its own code of sysexits.h. A worker's later ends:
// 0 in test_drain.c, 75 in test_fleet.c. 71 would take a kernel that refuses prctl(2).
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/cmocka.h"
#include "support/setup.h"
#include "support/world.h"

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    const WorldOptions options = {SANDBOX, NULL};
    world_begin(state, &options);
    return 0;
}

static void expect(World *world, const char *const *arguments, int status, const char *said)
{
    char *before = process_read_log(box_text("%s/tasks.log", world->dir));
    size_t known = strlen(before);
    free(before);
    assert_int_equal(worker_task(world, arguments), status);
    char *log = process_read_log(box_text("%s/tasks.log", world->dir));
    if (strstr(log + known, said) == NULL) {
        fail_msg("%s is not said:\n%s", said, log + known);
    }
    free(log);
}

static void what_is_not_understood_is_64(void **state)
{
    World *world = *state;
    static const char *const TASK[] = {"jump", NULL};
    static const char *const OPTION[] = {"--higher", NULL};
    static const char *const WORDS[] = {"topics", "create", "again", NULL};
    expect(world, TASK, EX_USAGE, "--help");
    expect(world, OPTION, EX_USAGE, "--help");
    expect(world, WORDS, EX_USAGE, "--help");
}

static void a_neighbour_that_is_away_is_69(void **state)
{
    World *world = *state;
    setup_write(world, "nowhere.uri", "postgresql://nobody@127.0.0.1:1/nothing");
    const char *const ledger[] = {"--set", box_text("ledger.uri_file=%s/nowhere.uri", world->dir),
                                  "run", NULL};
    static const char *const KAFKA[] = {"--set", "kafka.bootstrap.servers=127.0.0.1:1", "run",
                                        NULL};
    expect(world, ledger, EX_UNAVAILABLE, "LEDGER_UNAVAILABLE");
    expect(world, KAFKA, EX_UNAVAILABLE, "KAFKA_UNAVAILABLE");
}

static void execute(World *world, const char *sql)
{
    PGresult *result = PQexec(world->ledger, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(world->ledger));
    }
    PQclear(result);
}

static void a_ledger_that_is_not_as_we_made_it_is_70(void **state)
{
    World *world = *state;
    static const char *const RUN[] = {"run", NULL};
    execute(world, "ALTER TABLE provision.installation RENAME TO installation_away");
    expect(world, RUN, EX_SOFTWARE, "LEDGER_REFUSED");
    execute(world, "ALTER TABLE provision.installation_away RENAME TO installation");
}

static void what_a_person_has_to_repair_is_78(void **state)
{
    World *world = *state;
    static const char *const SETTING[] = {"--set", "no.such_setting=1", "run", NULL};
    const char *role = box_text("%s-guest", world->name);
    const char *guest = box_text("postgresql://%s:guest@%s:%s/%s", role, PQhost(world->ledger),
                                 PQport(world->ledger), world->name);
    setup_write(world, "guest.uri", guest);
    const char *const right[] = {"--set", box_text("ledger.uri_file=%s/guest.uri", world->dir),
                                 "run", NULL};
    execute(world, box_text("CREATE ROLE \"%s\" LOGIN PASSWORD 'guest'", role));
    expect(world, SETTING, EX_CONFIG, "SETTING_UNKNOWN");
    expect(world, right, EX_CONFIG, "LEDGER_REFUSED");
    execute(world, box_text("DROP ROLE \"%s\"", role));
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_understood_is_64),
        cmocka_unit_test(a_neighbour_that_is_away_is_69),
        cmocka_unit_test(a_ledger_that_is_not_as_we_made_it_is_70),
        cmocka_unit_test(what_a_person_has_to_repair_is_78),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
