/*
 * How many commands a worker carries, and what they cost.
 *
 * The command is ConnectAccount, three reads of Neon (check_key, find_organization, find_scope) one
 * after another, of which the sandbox answers each after --latency. First a backlog: the worker
 * takes what it may hold (--in-flight) and never lacks work; rate and CPU are those between the
 * first and the last tenth of the outcomes. Little's bound is in-flight / (calls × latency). Then
 * single commands at an even pace: how long after the time that their calls take by themselves a
 * read_committed reader sees the outcome, counted from before libprovision sends.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "bench/load.h"
#include "bench/meter.h"
#include "bench/outcomes.h"
#include "support/cmocka.h"

enum { CALLS = 3, US_PER_MS = 1000, NS_PER_US = 1000, US_PER_S = 1000000, SETTINGS_MAX = 24 };

typedef struct Options {
    size_t commands;
    size_t applications;
    size_t accounts;
    size_t in_flight;
    size_t partitions;
    size_t latency_ms;
    size_t paced;
    size_t per_second;
    const char *settings[SETTINGS_MAX];
    size_t setting_count;
} Options;

static const struct argp_option OPTIONS[] = {
    {"commands", 'n', "N", 0, "commands of the backlog (40000)", 0},
    {"applications", 'a', "N", 0, "applications (2000)", 0},
    {"accounts", 'k', "N", 0, "Neon accounts, each with a key of its own (50)", 0},
    {"in-flight", 'f', "N", 0, "commands.in_flight (1000)", 0},
    {"partitions", 'p', "N", 0, "of each topic (12)", 0},
    {"latency", 'l', "MS", 0, "of each call of Neon (50)", 0},
    {"paced", 'm', "N", 0, "commands of the second phase (600)", 0},
    {"rate", 'r', "N", 0, "commands a second in the second phase (20)", 0},
    {"set", 's', "NAME=VALUE", 0, "one more setting of the worker; may be repeated", 0},
    {0},
};

static size_t number(struct argp_state *state, const char *text, size_t most)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value == 0 || value > most) {
        argp_error(state, "'%s' is not a number from 1 to %zu", text, most);
    }
    return value;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    Options *options = state->input;
    size_t *const numbers[] = {
        ['n'] = &options->commands,  ['a'] = &options->applications, ['k'] = &options->accounts,
        ['f'] = &options->in_flight, ['p'] = &options->partitions,   ['l'] = &options->latency_ms,
        ['m'] = &options->paced,     ['r'] = &options->per_second};
    static const size_t MOST[] = {['n'] = 10000000,
                                  ['a'] = LOAD_APPLICATIONS_MAX,
                                  ['k'] = LOAD_ACCOUNTS_MAX,
                                  ['f'] = 10000,
                                  ['p'] = 64,
                                  ['l'] = 10000,
                                  ['m'] = 1000000,
                                  ['r'] = 10000};
    if (key == 's' && options->setting_count < SETTINGS_MAX) {
        options->settings[options->setting_count++] = argument;
        return 0;
    }
    if (key <= 0 || (size_t)key >= sizeof numbers / sizeof numbers[0] || numbers[key] == NULL) {
        return ARGP_ERR_UNKNOWN;
    }
    *numbers[key] = number(state, argument, MOST[key]);
    return 0;
}

typedef struct Bench {
    Options options;
    World *world;
    Process *worker;
    Outcomes *outcomes;
    Meter meter;
    MeterReading first; // after a tenth of the outcomes
    size_t first_count;
    MeterReading last; // after nine tenths
    size_t last_count;
} Bench;

static int64_t neon_calls(const World *world)
{
    REPLY reply = box_call(&world->box, "GET", "/sandbox/calls?since=1000000000", NULL);
    return json_integer_value(json_object_get(reply.json, "last"));
}

static void start_worker(Bench *bench)
{
    const Options *options = &bench->options;
    const char *settings[SETTINGS_MAX + 8] = {
        "log.level=info",
        "neon.requests_per_second=0",
        "neon.burst=1000",
        "environments.check_login=off",
        box_text("commands.in_flight=%zu", options->in_flight),
        box_text("neon.connections=%zu", options->in_flight),
    };
    size_t count = 6;
    for (size_t i = 0; i < options->setting_count; i++) {
        settings[count++] = options->settings[i];
    }
    bench->worker = worker_start(bench->world, "one", settings);
    bench->meter = meter_open(bench->world, bench->worker);
}

static void on_outcomes(void *context, size_t count)
{
    Bench *bench = context;
    if (bench->first_count == 0 && count >= bench->options.commands / 10) {
        bench->first_count = count;
        meter_read(&bench->meter, &bench->first);
    }
    if (bench->last_count == 0 && count >= bench->options.commands / 10 * 9) {
        bench->last_count = count;
        meter_read(&bench->meter, &bench->last);
    }
}

static void print_cost(const Bench *bench, double seconds, double commands)
{
    print_message("\nCPU seconds per 1,000 commands\n");
    for (size_t i = 0; i < METER_PART_COUNT; i++) {
        double cpu_s = meter_cpu_s(&bench->first, &bench->last, (MeterPart)i);
        print_message("  %-10s%8.4f   (%3.0f %% of a core)\n", meter_part_name((MeterPart)i),
                      cpu_s * 1000 / commands, cpu_s * 100 / seconds);
    }
    double worker_s = meter_cpu_s(&bench->first, &bench->last, METER_WORKER);
    print_message("per CPU second of the worker: %.0f commands, %.0f calls of Neon\n",
                  commands / worker_s, commands * CALLS / worker_s);
}

static void run_backlog(Bench *bench)
{
    const Options *options = &bench->options;
    int64_t calls_before = neon_calls(bench->world);
    Load load =
        load_connects(bench->world, options->commands, options->applications, options->accounts);
    load_send(bench->world, &load);
    load_free(&load);
    outcomes_expect(bench->outcomes, on_outcomes, bench);
    start_worker(bench);
    outcomes_await(bench->outcomes, options->commands, 60 + (int)(options->commands / 200));
    outcomes_expect(bench->outcomes, NULL, NULL);
    double calls = (double)(neon_calls(bench->world) - calls_before) / (double)options->commands;
    double commands = (double)(bench->last_count - bench->first_count);
    double seconds = (double)(bench->last.at_us - bench->first.at_us) / US_PER_S;
    double bound = (double)options->in_flight * 1000 / (CALLS * (double)options->latency_ms);
    print_message("\nConnectAccount: %.2f calls of Neon a command\n", calls);
    print_message("%.0f commands/s, %.2f of Little's bound (%.0f/s)\n", commands / seconds,
                  commands / seconds / bound, bound);
    print_cost(bench, seconds, commands);
    print_message("peak RSS of the worker: %.1f MiB\n", meter_peak_mib(bench->worker->pid));
    assert_int_equal(outcomes_failures(bench->outcomes), 0);
}

static void sleep_until(int64_t at_us)
{
    struct timespec at = {.tv_sec = at_us / US_PER_S, .tv_nsec = at_us % US_PER_S * NS_PER_US};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0) {
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_delays(const Bench *bench, double *delays_ms, size_t count)
{
    qsort(delays_ms, count, sizeof *delays_ms, compare);
    print_message("\n%zu commands/s, visible after their calls' own %zu ms:\n"
                  "  p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms (%zu commands)\n",
                  bench->options.per_second, CALLS * bench->options.latency_ms,
                  delays_ms[count / 2], delays_ms[count * 9 / 10], delays_ms[count * 99 / 100],
                  delays_ms[count - 1], count);
}

static void run_paced(Bench *bench)
{
    const Options *options = &bench->options;
    size_t count = options->paced < options->applications ? options->paced : options->applications;
    Load load = load_connects(bench->world, count, options->applications, options->accounts);
    int64_t *sent_us = alloc_zeroed(count, sizeof *sent_us);
    double *delays_ms = alloc_zeroed(count, sizeof *delays_ms);
    int64_t begun_us = meter_now_us();
    for (size_t i = 0; i < count; i++) {
        sleep_until(begun_us + (int64_t)(i * US_PER_S / options->per_second));
        sent_us[i] = meter_now_us();
        load_send_one(bench->world, load.commands[i]);
    }
    outcomes_await(bench->outcomes, count, 60);
    for (size_t i = 0; i < count; i++) {
        delays_ms[i] = (double)(outcomes_seen_us(bench->outcomes, i) - sent_us[i]) / US_PER_MS -
                       (double)(CALLS * options->latency_ms);
    }
    print_delays(bench, delays_ms, count);
    free(delays_ms);
    free(sent_us);
    load_free(&load);
}

static void begin(Bench *bench)
{
    const Options *options = &bench->options;
    const char *const sandbox[] = {"--no-compute", "--quiet", "--latency-ms",
                                   box_text("%zu", options->latency_ms), NULL};
    const char *const topics[] = {"--set", box_text("topics.partitions=%zu", options->partitions),
                                  NULL};
    const WorldOptions world = {sandbox, topics};
    void *state = NULL;
    meter_print_machine();
    world_begin(&state, &world);
    bench->world = state;
    reader_close(bench->world->reader); // it would read in the background, at our expense
    bench->world->reader = NULL;
    load_add_accounts(bench->world, options->accounts);
    bench->outcomes = outcomes_open(bench->world);
}

int main(int argc, char **argv)
{
    Bench bench = {.options = {.commands = 40000,
                               .applications = 2000,
                               .accounts = 50,
                               .in_flight = 1000,
                               .partitions = 12,
                               .latency_ms = 50,
                               .paced = 600,
                               .per_second = 20}};
    const struct argp parser = {
        OPTIONS, parse, NULL, "Measures throughput, cost and delay of a worker.", NULL, NULL, NULL};
    argp_parse(&parser, argc, argv, 0, NULL, &bench.options);
    world_require();
    begin(&bench);
    run_backlog(&bench);
    run_paced(&bench);
    outcomes_close(bench.outcomes);
    void *state = bench.world;
    return world_conclude(world_end(&state));
}
