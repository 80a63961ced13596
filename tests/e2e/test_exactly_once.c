// 300 commands in 20 applications while workers are killed and frozen: each has its outcome exactly
// once, and Neon holds exactly what was asked for. PROVISION_TEST_SEED chooses when who is hit.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/wait.h"
#include "support/world.h"

enum {
    APPLICATIONS = 20,
    STEPS = 15,
    COMMANDS = APPLICATIONS * STEPS,
    WORKERS = 3,
    OPEN_INTENTS = 10, // under way when a worker is hit
    HIT_SECONDS = 60,
    END_SECONDS = 120,
    SLOW_MS = 700,
};

static const char *const SETTINGS[] = {
    "environments.check_login=off", "neon.send_window=2s", "neon.request_timeout=3s",
    "neon.listing_lag=1s",          "log.level=info",      NULL};

typedef enum Kind { CONNECT, CREATE, CREATE_OTHER, BRANCH, DELETE } Kind;

// What one application sends, in this order; each is to end as if it ran alone after those before.
typedef struct Wanted {
    Kind kind;
    const char *environment;
    const char *source;
    const char *type;
    const char *code; // "" unless refused
} Wanted;

static const Wanted WANTED[STEPS] = {
    {CONNECT, "", "", "AccountConnected", ""},
    {CREATE, "prod", "", "EnvironmentCreated", ""},
    {CREATE, "stage", "", "EnvironmentCreated", ""},
    {BRANCH, "one", "prod", "EnvironmentBranched", ""},
    {BRANCH, "two", "prod", "EnvironmentBranched", ""},
    {BRANCH, "three", "stage", "EnvironmentBranched", ""},
    {BRANCH, "lost", "nowhere", "CommandRejected", "SOURCE_NOT_ON_NEON"},
    {CREATE_OTHER, "prod", "", "CommandRejected", "ENVIRONMENT_EXISTS"},
    {DELETE, "one", "", "EnvironmentDeleted", ""},
    {DELETE, "prod", "", "CommandRejected", "HAS_DEPENDENTS"},
    {CREATE, "brief", "", "EnvironmentCreated", ""},
    {BRANCH, "four", "brief", "EnvironmentBranched", ""},
    {DELETE, "four", "", "EnvironmentDeleted", ""},
    {DELETE, "brief", "", "EnvironmentDeleted", ""},
    {CONNECT, "", "", "AccountConnected", ""},
};

static const char *ids[APPLICATIONS][STEPS];
static uint32_t seed;
static int64_t began_ms;

static uint32_t draw(uint32_t below)
{
    static uint32_t state;
    state = state == 0 ? seed : state;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static const char *application(int number)
{
    return box_text("app-%02d", number);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "30", NULL};
    const char *given = getenv("PROVISION_TEST_SEED");
    seed = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : 20261122;
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    sandbox_fault(*state,
                  box_text("{'kind': 'slow', 'route': 'POST *', 'count': -1, 'ms': %d}", SLOW_MS));
    sandbox_fault(
        *state, box_text("{'kind': 'slow', 'route': 'DELETE *', 'count': -1, 'ms': %d}", SLOW_MS));
    return 0;
}

static void start_worker(World *world)
{
    (void)worker_start(world, box_text("w%zu", world->worker_count), SETTINGS);
}

static const char *send_step(World *world, int number, const Wanted *step)
{
    const char *name = application(number);
    switch (step->kind) {
    case CONNECT:
        return command_connect(world, name, "main", world->api_key);
    case CREATE:
    case CREATE_OTHER:
        return command_send(world, name,
                            "'createEnvironment': {'environment': '%s', 'account': 'main', "
                            "'regionId': '" WORLD_REGION "', 'pgVersion': %d}",
                            step->environment, step->kind == CREATE ? 17 : 16);
    case BRANCH:
        return command_send(world, name,
                            "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}",
                            step->environment, step->source);
    case DELETE:
        return command_send(world, name,
                            "'deleteEnvironment': {'environment': '%s', 'deleteData': true}",
                            step->environment);
    }
    return NULL;
}

// One application after another in each step, so that all of them are under way at any time.
static void send_steps(World *world, int first, int behind)
{
    for (int step = first; step < behind; step++) {
        for (int number = 0; number < APPLICATIONS; number++) {
            ids[number][step] = send_step(world, number, &WANTED[step]);
        }
    }
}

static int64_t count_rows(World *world, const char *condition)
{
    return strtoll(
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE %s", condition), NULL,
        10);
}

typedef struct Moment {
    World *world;
    int64_t finished; // wanted at least
    int64_t open;     // as it was
} Moment;

static bool has_come(void *context)
{
    Moment *moment = context;
    moment->open = count_rows(moment->world, "status = 'running' AND intent_status = 'open'");
    return moment->open >= OPEN_INTENTS &&
           count_rows(moment->world, "status = 'finished'") >= moment->finished;
}

// The worker that is hit once so many have finished and enough calls are under way.
static Process *await_victim(World *world, int64_t finished)
{
    Moment moment = {.world = world, .finished = finished};
    Process *running[WORLD_WORKERS_MAX];
    uint32_t count = 0;
    wait_until(has_come, &moment, HIT_SECONDS, "%d open intents after %lld commands", OPEN_INTENTS,
               (long long)finished);
    for (size_t i = 0; i < world->worker_count; i++) {
        if (!process_has_ended(&world->workers[i])) {
            running[count++] = &world->workers[i];
        }
    }
    assert_int_equal(count, WORKERS);
    print_message("%lld s: hit behind %lld finished commands, %lld intents open\n",
                  (long long)(wait_now_ms() - began_ms) / 1000, (long long)finished,
                  (long long)moment.open);
    return running[draw(WORKERS)];
}

static void kill_one(World *world, int64_t finished)
{
    process_kill(await_victim(world, finished));
    start_worker(world);
}

typedef struct Past {
    World *world;
    const char *instant;
} Past;

static bool is_past(void *context)
{
    const Past *past = context;
    const char *is = ledger_value(past->world, "SELECT clock_timestamp() > '%s'", past->instant);
    return strcmp(is, "t") == 0;
}

// Long enough for its calls to be too late to be sent, and for the group to give its partitions to
// others.
static void freeze_one(World *world, int64_t finished)
{
    Process *worker = await_victim(world, finished);
    process_signal(worker, SIGSTOP);
    int64_t stopped_ms = wait_now_ms();
    Past past = {world, ledger_value(world, "SELECT max(sent_before) FROM provision.command "
                                            "WHERE status = 'running' AND intent_status = 'open'")};
    wait_until(is_past, &past, HIT_SECONDS, "sent_before to pass");
    worker_await_members(world, WORKERS - 1, HIT_SECONDS);
    process_signal(worker, SIGCONT);
    print_message("frozen for %lld ms\n", (long long)(wait_now_ms() - stopped_ms));
}

// published_at is no measure: who is killed between Kafka's commit and it leaves it unset, and the
// completion map keeps the record from being run again.
static bool are_seen(void *context)
{
    static int seen; // of them, in the order of ids
    const World *world = context;
    reader_poll(world->reader, 100);
    while (seen < COMMANDS &&
           reader_count_outcomes(world->reader, ids[seen / STEPS][seen % STEPS]) > 0) {
        seen++;
    }
    return seen == COMMANDS;
}

static void workers_are_killed_and_frozen_meanwhile(void **state)
{
    World *world = *state;
    print_message("seed %u\n", seed);
    began_ms = wait_now_ms();
    for (int i = 0; i < WORKERS; i++) {
        start_worker(world);
    }
    worker_await_members(world, WORKERS, HIT_SECONDS);
    send_steps(world, 0, 4);
    kill_one(world, 20 + draw(20));
    send_steps(world, 4, 8);
    kill_one(world, 60 + draw(30));
    send_steps(world, 8, 11);
    freeze_one(world, 120 + draw(30));
    send_steps(world, 11, STEPS);
    kill_one(world, 200 + draw(30));
    wait_until(are_seen, world, END_SECONDS, "all outcomes to be seen");
    assert_int_equal(count_rows(world, "status = 'finished'"), COMMANDS);
    for (size_t i = 0; i < world->worker_count; i++) {
        if (!process_has_ended(&world->workers[i])) {
            worker_stop(&world->workers[i]);
        }
    }
    print_message(
        "%s rows finished and not marked as published\n",
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE published_at IS NULL"));
    print_message("%lld ms; %s takeovers, %s intents left open by their opener\n",
                  (long long)(wait_now_ms() - began_ms),
                  ledger_value(world, "SELECT sum(takeovers) FROM provision.command"),
                  ledger_value(world, "SELECT sum(abandoned) FROM provision.command"));
    assert_int_not_equal(count_rows(world, "abandoned > 0"), 0);
}

static const Seen *only_outcome(World *world, const char *id)
{
    if (reader_count_outcomes(world->reader, id) != 1) {
        fail_msg("%zu outcomes of %s", reader_count_outcomes(world->reader, id), id);
    }
    return reader_await_outcome(world->reader, id, 1);
}

static void each_outcome_is_seen_exactly_once(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    for (int number = 0; number < APPLICATIONS; number++) {
        for (int step = 0; step < STEPS; step++) {
            const Wanted *wanted = &WANTED[step];
            const Seen *seen = only_outcome(world, ids[number][step]);
            const char *code = seen_text(seen, "commandRejected.code");
            if (strcmp(seen_type(seen), wanted->type) != 0 || strcmp(code, wanted->code) != 0) {
                char *text = json_dumps(seen->json, 0);
                print_message("%s\n", text);
                free(text);
                fail_msg("step %d of %s: %s %s", step, application(number), seen_type(seen), code);
            }
        }
    }
}

static void sequences_have_neither_gap_nor_repeat(void **state)
{
    World *world = *state;
    reader_assert_sequences(world->reader);
}

static void nothing_is_a_dead_letter(void **state)
{
    World *world = *state;
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        assert_int_not_equal(reader_at(world->reader, i)->topic, SEEN_DEAD_LETTERS);
    }
}

static void neon_holds_what_was_asked_for_and_nothing_else(void **state)
{
    World *world = *state;
    REPLY reply = sandbox_state(world);
    size_t i = 0;
    const json_t *project = NULL;
    const json_t *projects = box_find(reply.json, "projects");
    assert_int_equal(json_array_size(projects), 2 * APPLICATIONS);
    json_array_foreach(projects, i, project)
    {
        assert_int_equal(json_array_size(box_find(project, "branches")), 2);
    }
    for (int number = 0; number < APPLICATIONS; number++) {
        static const char *const LEFT[][2] = {{"prod", "two"}, {"stage", "three"}};
        for (size_t n = 0; n < 2; n++) {
            const char *project_id = ledger_value(
                world,
                "SELECT project_id FROM provision.environment WHERE application_id = '%s' AND "
                "environment = '%s' AND state = 'ready'",
                application(number), LEFT[n][0]);
            assert_int_equal(
                sandbox_count_projects(world, box_text("%s-%s", application(number), LEFT[n][0])),
                1);
            assert_int_equal(sandbox_count_branches(world, project_id, "main"), 1);
            assert_int_equal(
                sandbox_count_branches(world, project_id,
                                       box_text("%s-%s", application(number), LEFT[n][1])),
                1);
        }
    }
}

static void expect_state(World *world, const PGresult *rows, int row)
{
    const char *subject =
        box_text("applications/%s/%s", PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1));
    const Seen *seen = reader_last_state(world->reader, subject);
    if (seen == NULL) {
        fail_msg("no state of %s", subject);
        return;
    }
    bool is_gone = strcmp(PQgetvalue(rows, row, 2), "gone") == 0;
    if (seen->is_tombstone != is_gone) {
        fail_msg("%s is %s in the ledger", subject, PQgetvalue(rows, row, 2));
    }
    if (!is_gone) {
        assert_int_equal(seen_number(seen, "sequence"),
                         strtoll(PQgetvalue(rows, row, 3), NULL, 10));
        assert_string_equal(seen_text(seen, "environment.projectId"), PQgetvalue(rows, row, 4));
        assert_string_equal(seen_text(seen, "environment.branchId"), PQgetvalue(rows, row, 5));
    }
}

static void the_state_topic_tells_what_the_ledger_has(void **state)
{
    World *world = *state;
    PGresult *rows = PQexec(
        world->ledger,
        "SELECT application_id, 'environments/' || environment, state, sequence, project_id, "
        "branch_id FROM provision.environment WHERE sequence > 0 "
        "UNION ALL SELECT application_id, 'accounts/' || account, 'connected', sequence, '', '' "
        "FROM provision.account");
    assert_int_equal(PQresultStatus(rows), PGRES_TUPLES_OK);
    assert_int_equal(PQntuples(rows), 8 * APPLICATIONS); // seven environments and an account each
    for (int row = 0; row < PQntuples(rows); row++) {
        expect_state(world, rows, row);
    }
    PQclear(rows);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_are_killed_and_frozen_meanwhile),
        cmocka_unit_test(each_outcome_is_seen_exactly_once),
        cmocka_unit_test(sequences_have_neither_gap_nor_repeat),
        cmocka_unit_test(nothing_is_a_dead_letter),
        cmocka_unit_test(neon_holds_what_was_asked_for_and_nothing_else),
        cmocka_unit_test(the_state_topic_tells_what_the_ledger_has),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
