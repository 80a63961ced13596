// Every way in which a start can fail ends with its own code of sysexits.h. A worker's later ends:
// 0 in test_drain.c, 75 in test_fleet.c; those of skip in test_skip.c. 71 would take a kernel that
// refuses prctl(2).
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/cmocka.h"
#include "support/setup.h"
#include "support/world.h"

enum { END_SECONDS = 60 };

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    const WorldOptions options = {SANDBOX, NULL};
    world_begin(state, &options);
    return 0;
}

static void expect_json_lines(const char *text)
{
    assert_true(text[0] != '\0');
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        json_t *line = json_loadb(text, length, 0, NULL);
        if (!json_is_object(line)) {
            fail_msg("no JSON: %.*s", (int)length, text);
        }
        json_decref(line);
        text += length + (text[length] == '\n');
    }
}

// Returns where in the tasks' log its lines begin.
static size_t expect(World *world, const char *const *arguments, int status, const char *said)
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
    return known;
}

// A worker, whose lines are all read by machines.
static void expect_run(World *world, const char *const *arguments, int status, const char *said)
{
    size_t known = expect(world, arguments, status, said);
    char *log = process_read_log(box_text("%s/tasks.log", world->dir));
    expect_json_lines(log + known);
    free(log);
}

static void what_is_not_understood_is_64(void **state)
{
    World *world = *state;
    static const char *const TASK[] = {"jump", NULL};
    static const char *const OPTION[] = {"--higher", NULL};
    static const char *const WORDS[] = {"topics", "create", "again", NULL};
    (void)expect(world, TASK, EX_USAGE, "--help");
    (void)expect(world, OPTION, EX_USAGE, "--help");
    (void)expect(world, WORDS, EX_USAGE, "--help");
    static const char *const SKIP[] = {"skip", NULL};
    static const char *const COORDINATES[] = {"skip", "0", NULL};
    (void)expect(world, SKIP, EX_USAGE, "--help");
    (void)expect(world, COORDINATES, EX_USAGE, "INVALID_COORDINATES");
}

// Each would do something else than what its words say.
static void an_option_that_the_task_does_not_take_is_64(void **state)
{
    World *world = *state;
    static const struct {
        const char *arguments[5];
        const char *said;
    } ROWS[] = {
        {{"sweep", "--delete", "--dry-run"}, "--dry-run is only for migrate and rekey"},
        {{"rebuild", "--write", "--dry-run"}, "--dry-run is only for migrate and rekey"},
        {{"topics", "create", "--dry-run"}, "--dry-run is only for migrate and rekey"},
        {{"migrate", "--write"}, "--write is only for rebuild"},
        {{"rekey", "--reason", "why"}, "--reason is only for skip"},
        {{"rebuild", "--account", "shop/main"}, "--account is only for sweep"},
        {{"--delete"}, "--delete is only for sweep"},
        {{"--check-config", "--json"}, "--json is only for sweep"},
        {{"migrate", "--timeout", "1s"}, "--timeout is only for sweep"},
        {{"run", "--confirm-ledger"}, "--confirm-ledger is only for sweep"},
        {{"sweep", "--confirm-ledger", "--delete"}, "--confirm-ledger does nothing else"},
        {{"sweep", "--confirm-ledger", "--account", "shop/main"},
         "--confirm-ledger does nothing else"},
        {{"migrate", "--check-config"}, "stand alone, without a task"},
        {{"--check-config", "--print-config"}, "stand alone, without a task"},
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        (void)expect(world, ROWS[i].arguments, EX_USAGE, ROWS[i].said);
    }
}

static void a_neighbour_that_is_away_is_69(void **state)
{
    World *world = *state;
    setup_write(world, "nowhere.uri", "postgresql://nobody@127.0.0.1:1/nothing");
    const char *const ledger[] = {"--set", box_text("ledger.uri_file=%s/nowhere.uri", world->dir),
                                  "run", NULL};
    static const char *const KAFKA[] = {"--set", "kafka.bootstrap.servers=127.0.0.1:1", "run",
                                        NULL};
    expect_run(world, ledger, EX_UNAVAILABLE, "LEDGER_UNAVAILABLE");
    expect_run(world, KAFKA, EX_UNAVAILABLE, "KAFKA_UNAVAILABLE");
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
    expect_run(world, RUN, EX_SOFTWARE, "LEDGER_REFUSED");
    execute(world, "ALTER TABLE provision.installation_away RENAME TO installation");
}

static void what_a_person_has_to_repair_is_78(void **state)
{
    World *world = *state;
    static const char *const SETTING[] = {"--set", "no.such_setting=1", "run", NULL};
    static const char *const HELD[] = {"--set", "commands.held=1", "--check-config", NULL};
    static const char *const UNSIGNED[] = {"--set", "commands.require_signature=on", "sweep", NULL};
    static const char *const TOPIC[] = {"--set", "topics.events=there-is-none", "run", NULL};
    const char *role = box_text("%s-guest", world->name);
    const char *guest = box_text("postgresql://%s:guest@%s:%s/%s", role, PQhost(world->ledger),
                                 PQport(world->ledger), world->name);
    setup_write(world, "guest.uri", guest);
    const char *const right[] = {"--set", box_text("ledger.uri_file=%s/guest.uri", world->dir),
                                 "run", NULL};
    execute(world, box_text("CREATE ROLE \"%s\" LOGIN PASSWORD 'guest'", role));
    expect_run(world, SETTING, EX_CONFIG, "SETTING_UNKNOWN");
    expect_run(world, TOPIC, EX_CONFIG, "\"topic there-is-none: there is no such topic");
    (void)expect(world, HELD, EX_CONFIG, "commands.held must not be less than commands.in_flight");
    (void)expect(world, UNSIGNED, EX_CONFIG, "commands.signing_key is required");
    expect_run(world, right, EX_CONFIG, "LEDGER_REFUSED");
    execute(world, box_text("DROP ROLE \"%s\"", role));
}

static void a_worker_s_log_is_json_from_its_first_line_on(void **state)
{
    World *world = *state;
    static const char *const NOWHERE[] = {"environments.check_login=off", "admin.address=", NULL};
    Process *worker = worker_start(world, "plain", NOWHERE);
    process_await_log(worker, "has started", END_SECONDS);
    worker_stop(worker);
    char *log = process_read_log(worker->log);
    expect_json_lines(log);
    assert_null(strstr(log, "the admin endpoint listens"));
    free(log);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_understood_is_64),
        cmocka_unit_test(an_option_that_the_task_does_not_take_is_64),
        cmocka_unit_test(a_neighbour_that_is_away_is_69),
        cmocka_unit_test(a_ledger_that_is_not_as_we_made_it_is_70),
        cmocka_unit_test(what_a_person_has_to_repair_is_78),
        cmocka_unit_test(a_worker_s_log_is_json_from_its_first_line_on),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
