/*
 * What a command costs with more and more environments in its account: at each level the account
 * is filled up, then a fixed number of environments is created, branched from one of them, and both
 * are deleted again. Calls of Neon, CPU of the worker and CPU of the ledger are those a command.
 *
 * Branching and deleting are ordered within an application, so there each command is a batch of its
 * own in the ledger and a transaction of its own in Kafka, and costs more than one of many
 * creations; deleting a branch lists the project's branches. A sandbox that gets slower makes the
 * worker's batches smaller: what it took stands beside.
 *
 * The names have one length, so that none is a part of another: Neon's search finds parts.
 */
#include <argp.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/meter.h"
#include "bench/outcomes.h"
#include "support/cmocka.h"
#include "support/commands.h"

enum { LEVELS_MAX = 8, WAIT_SECONDS = 1200 };

typedef enum Phase {
    PHASE_CREATE,
    PHASE_BRANCH,
    PHASE_DELETE_BRANCH,
    PHASE_DELETE_PROJECT,
    PHASE_COUNT,
} Phase;

typedef struct Cost {
    double calls;
    double worker_ms; // CPU, as the next two
    double ledger_ms;
    double sandbox_ms;
    double took_ms; // of the time on the clock; they run beside each other where they can
} Cost;

typedef struct Bench {
    size_t levels[LEVELS_MAX];
    size_t level_count;
    size_t commands;
    World *world;
    Outcomes *outcomes;
    Meter meter;
    size_t filled;
    size_t first; // number of the first environment of the load that is made
    Cost costs[LEVELS_MAX][PHASE_COUNT];
} Bench;

static const struct argp_option OPTIONS[] = {
    {"level", 'l', "N", 0, "existing environments; repeated (10, 1000 and 10000)", 0},
    {"commands", 'n', "N", 0, "commands of each action at each level (300)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    Bench *bench = state->input;
    char *end = NULL;
    if (key != 'l' && key != 'n') {
        return ARGP_ERR_UNKNOWN;
    }
    unsigned long value = strtoul(argument, &end, 10);
    if (*end != '\0' || value < 2 || value > 100000) {
        argp_error(state, "'%s' is not a number from 2 to 100000", argument);
    }
    if (key == 'n') {
        bench->commands = value;
    } else if (bench->level_count < LEVELS_MAX) {
        bench->levels[bench->level_count++] = value;
    }
    return 0;
}

#define COMMAND "{'applicationId': 'bench-0', "

static const char *make_fill(void *context, size_t number)
{
    const Bench *bench = context;
    return box_text(COMMAND
                    "'createEnvironment': {'environment': 'env-%06zu', 'account': 'account-0', "
                    "'regionId': '" WORLD_REGION "'}}",
                    bench->first + number);
}

static const char *make_branch(void *context, size_t number)
{
    const Bench *bench = context;
    return box_text(COMMAND "'branchEnvironment': {'environment': 'pre-%06zu', "
                            "'sourceEnvironment': 'env-%06d'}}",
                    bench->first + number, 0);
}

static const char *make_branch_end(void *context, size_t number)
{
    const Bench *bench = context;
    return box_text(COMMAND "'deleteEnvironment': {'environment': 'pre-%06zu'}}",
                    bench->first + number);
}

static const char *make_end(void *context, size_t number)
{
    const Bench *bench = context;
    return box_text(COMMAND
                    "'deleteEnvironment': {'environment': 'env-%06zu', 'deleteData': true}}",
                    bench->first + number);
}

static int64_t neon_calls(const World *world)
{
    REPLY reply = box_call(&world->box, "GET", "/sandbox/calls?since=1000000000", NULL);
    return json_integer_value(json_object_get(reply.json, "last"));
}

static Cost run(Bench *bench, size_t count, const char *(*make)(void *context, size_t number))
{
    MeterReading before;
    MeterReading after;
    Load load = load_from(count, make, bench);
    int64_t calls = neon_calls(bench->world);
    meter_read(&bench->meter, &before);
    outcomes_expect(bench->outcomes, NULL, NULL);
    load_send(bench->world, &load);
    outcomes_await(bench->outcomes, count, WAIT_SECONDS);
    meter_read(&bench->meter, &after);
    load_free(&load);
    assert_int_equal(outcomes_failures(bench->outcomes), 0);
    return (Cost){
        .calls = (double)(neon_calls(bench->world) - calls) / (double)count,
        .worker_ms = meter_cpu_s(&before, &after, METER_WORKER) * 1000 / (double)count,
        .ledger_ms = meter_cpu_s(&before, &after, METER_LEDGER) * 1000 / (double)count,
        .sandbox_ms = meter_cpu_s(&before, &after, METER_SANDBOX) * 1000 / (double)count,
        .took_ms = (double)(after.at_us - before.at_us) / 1000 / (double)count,
    };
}

// What filling has left to do belongs to filling.
static void fill(Bench *bench, size_t level)
{
    bench->first = bench->filled;
    (void)run(bench, level - bench->filled, make_fill);
    bench->filled = level;
    assert(bench->world != NULL); // for the analyzer
    PGresult *result = PQexec(bench->world->ledger, "VACUUM ANALYZE");
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

static void measure(Bench *bench, size_t level)
{
    Cost *costs = bench->costs[level];
    bench->first = 500000;
    costs[PHASE_CREATE] = run(bench, bench->commands, make_fill);
    costs[PHASE_BRANCH] = run(bench, bench->commands, make_branch);
    costs[PHASE_DELETE_BRANCH] = run(bench, bench->commands, make_branch_end);
    costs[PHASE_DELETE_PROJECT] = run(bench, bench->commands, make_end);
}

static void print_costs(const Bench *bench)
{
    static const char *const NAMES[] = {
        [PHASE_CREATE] = "CreateEnvironment",
        [PHASE_BRANCH] = "BranchEnvironment",
        [PHASE_DELETE_BRANCH] = "DeleteEnvironment (branch)",
        [PHASE_DELETE_PROJECT] = "DeleteEnvironment (project)",
    };
    print_message("\na command, and how many times that of the first level\n%-28s %8s %16s %20s "
                  "%20s %14s %8s\n",
                  "", "existing", "calls of Neon", "worker CPU ms", "ledger CPU ms",
                  "sandbox CPU ms", "took ms");
    for (size_t phase = 0; phase < PHASE_COUNT; phase++) {
        const Cost *first = &bench->costs[0][phase];
        for (size_t i = 0; i < bench->level_count; i++) {
            const Cost *cost = &bench->costs[i][phase];
            print_message("%-28s %8zu %8.2f (%4.2f) %12.3f (%4.2f) %12.3f (%4.2f) %14.3f %8.1f\n",
                          i == 0 ? NAMES[phase] : "", bench->levels[i], cost->calls,
                          cost->calls / first->calls, cost->worker_ms,
                          cost->worker_ms / first->worker_ms, cost->ledger_ms,
                          cost->ledger_ms / first->ledger_ms, cost->sandbox_ms, cost->took_ms);
        }
    }
}

static void begin(Bench *bench)
{
    static const char *const SANDBOX[] = {
        "--no-compute", "--quiet", "--latency-ms", "10", "--operation-ms", "1", NULL};
    static const char *const SETTINGS[] = {
        "log.level=info",         "neon.requests_per_second=0", "environments.check_login=off",
        "commands.in_flight=256", "neon.listing_lag=0s",        NULL};
    const WorldOptions world = {SANDBOX, NULL};
    void *state = NULL;
    meter_print_machine();
    world_begin(&state, &world);
    bench->world = state;
    reader_close(bench->world->reader); // it would read in the background, at our expense
    bench->world->reader = NULL;
    load_add_accounts(bench->world, 1);
    bench->outcomes = outcomes_open(bench->world);
    bench->meter = meter_open(bench->world, worker_start(bench->world, "one", SETTINGS));
    Load load = load_connects(bench->world, 1, 1, 1);
    load_send(bench->world, &load);
    outcomes_await(bench->outcomes, 1, WAIT_SECONDS);
    load_free(&load);
}

int main(int argc, char **argv)
{
    static Bench bench = {.commands = 300};
    const struct argp parser = {
        OPTIONS, parse, NULL, "Measures what a command costs in a full account.", NULL, NULL, NULL};
    argp_parse(&parser, argc, argv, 0, NULL, &bench);
    if (bench.level_count == 0) {
        bench.levels[0] = 10;
        bench.levels[1] = 1000;
        bench.levels[2] = 10000;
        bench.level_count = 3;
    }
    world_require();
    begin(&bench);
    fill(&bench, 1);
    measure(&bench, 0); // warms up
    for (size_t i = 0; i < bench.level_count; i++) {
        fill(&bench, bench.levels[i]);
        measure(&bench, i);
    }
    print_costs(&bench);
    outcomes_close(bench.outcomes);
    void *state = bench.world;
    return world_conclude(world_end(&state));
}
