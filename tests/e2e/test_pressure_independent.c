// Many commands of one Neon account that is rate-limited, of which none waits for another, beside
// another account's on the same partition: those finish without waiting for the others for longer
// than the cap of unfinished records makes inevitable.
#include <inttypes.h>
#include <string.h>

#include "contract/completion.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/load.h"
#include "support/probe.h"
#include "support/wait.h"

#define BUSY "busy"
#define QUIET "quiet"
#define LIMIT "60" // calls a second, of each account
enum {
    CALM = 4,
    TRIES = 5,
    BELOW_CAP = 900,
    ABOVE_CAP = 1300,
    CONNECTS = 300,
    SECONDS = 120,
    // Beside so many, a command takes so many times as long as alone on a busy machine, and so much
    // more at most; in turn with the others, it would be 15 s.
    TIMES = 5,
    SLACK_MS = 4000,
};

static Load load;
static int64_t calm_ms; // a command of the quiet account takes at most, when nobody else is there

// With a key of another Neon account, whose limit is its own.
static void connect_other(World *world)
{
    const char *key = box_text("napi_other_%s", world->name);
    REPLY reply = box_call(&world->box, "POST", "/sandbox/keys",
                           box_text("{\"key\": \"%s\", \"kind\": \"organization\", "
                                    "\"account_id\": \"org-sandbox-two\", \"organizations\": "
                                    "[\"org-sandbox-two\"]}",
                                    key));
    assert_int_equal(reply.status, 201);
    (void)command_await(world, command_connect(world, QUIET, "main", key), "AccountConnected");
}

static const char *send_quiet(World *world)
{
    return command_send(world, QUIET,
                        "'createEnvironment': {'environment': '%s', 'account': 'main', "
                        "'regionId': '" WORLD_REGION "'}",
                        world_fresh("quick"));
}

static int64_t run_quiet(World *world)
{
    int64_t began_ms = wait_now_ms();
    (void)command_await(world, send_quiet(world), "EnvironmentCreated");
    return wait_now_ms() - began_ms;
}

// Its own rate begins far above the limit, of which it learns by 429s only.
static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "log.level=info",
                                       "neon.requests_per_second=1000",
                                       "neon.burst=1000",
                                       "drain.timeout=5s",
                                       NULL};

static Process *worker;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {
        "--no-compute", "--operation-ms", "20", "--rate-limit", LIMIT, NULL};
    static const char *const TOPICS[] = {"--set", "topics.partitions=1", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX, .topics = TOPICS});
    worker = worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, BUSY);
    connect_other(*state);
    for (int i = 0; i < CALM; i++) {
        int64_t took_ms = run_quiet(*state);
        calm_ms = took_ms > calm_ms ? took_ms : calm_ms;
    }
    return 0;
}

static double metric(const char *sample)
{
    double value = probe_metric(worker, sample);
    return value > 0 ? value : 0;
}

static double blocked_seconds(void)
{
    return metric("provision_partition_blocked_seconds_total{partition=\"0\"}");
}

static double refused_calls(void)
{
    return metric("provision_neon_requests_total{route=\"GET /regions\",status=\"429\"}") +
           metric("provision_neon_requests_total{route=\"GET /auth\",status=\"429\"}");
}

// All that was sent meanwhile is there when it begins.
static void start_again(World *world)
{
    worker = worker_start(world, world_fresh("again"), SETTINGS);
    probe_await(worker, "/readyz", 200, "", SECONDS);
}

static bool has_begun(void *context)
{
    return load_ended(context, &load) > 0;
}

// Commands of the quiet account, one after another, while those of the load wait for their rate.
static void expect_quick_beside_load(World *world, const char *what)
{
    int64_t longest_ms = 0;
    start_again(world);
    wait_until(has_begun, world, SECONDS, "the first ones to end");
    double blocked_s = blocked_seconds(); // while it connected to the ledger
    for (int i = 0; i < TRIES; i++) {
        int64_t took_ms = run_quiet(world);
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
        assert_true(load_ended(world, &load) < load.count / 2); // it was beside them
    }
    blocked_s = blocked_seconds() - blocked_s;
    print_message("beside %zu %s: at most %" PRId64 " ms, alone %" PRId64
                  " ms; paused %.1f s; %zu had ended\n",
                  load.count, what, longest_ms, calm_ms, blocked_s, load.ended);
    assert_true(longest_ms < TIMES * calm_ms + SLACK_MS);
    assert_true(blocked_s < 0.2);
    load_expect_ends(world, &load, SECONDS);
    double refused = refused_calls();
    print_message("%.0f calls were refused meanwhile\n", refused);
    assert_true(refused > 10); // by which the worker learnt the limit
    load_clear(&load);
}

static void commands_below_the_cap_hold_nobody_up(void **state)
{
    worker_stop(worker);
    load_init(&load);
    for (int i = 0; i < BELOW_CAP; i++) {
        load_create_nowhere(*state, &load, BUSY);
    }
    expect_quick_beside_load(*state, "independent commands");
}

// Each of an application of its own, whose account the worker doesn't know yet.
static void accounts_that_are_connected_hold_nobody_up(void **state)
{
    worker_stop(worker);
    load_init(&load);
    for (int i = 0; i < CONNECTS; i++) {
        load_connect(*state, &load, box_text("app-%d", i));
    }
    expect_quick_beside_load(*state, "first commands of their applications");
}

// When so many of the load had ended.
static int64_t time_of_end(World *world, size_t count)
{
    size_t found = 0;
    reader_read_to_end(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        bool is_of_load =
            seen_is_outcome(seen) && table_get(load.by_id, seen_text(seen, "commandId")) != NULL;
        if (is_of_load && ++found == count) {
            return seen->timestamp_ms;
        }
    }
    fail_msg("only %zu have ended", found);
    return 0;
}

static void commands_above_it_hold_others_up_until_the_cap_lets_them_in(void **state)
{
    World *world = *state;
    worker_stop(worker);
    load_init(&load);
    for (int i = 0; i < ABOVE_CAP; i++) {
        load_create_nowhere(world, &load, BUSY);
    }
    const char *quick = send_quiet(world);
    start_again(world);
    const Seen *seen = reader_await_outcome(world->reader, quick, SECONDS);
    assert_string_equal(seen_type(seen), "EnvironmentCreated");
    double blocked_s = blocked_seconds();
    // its record is the one behind them: so many have to end before it may be taken
    size_t before = ABOVE_CAP + 1 - COMPLETION_UNFINISHED_MAX;
    int64_t waited_ms = time_of_end(world, before) - time_of_end(world, 1);
    int64_t late_ms = seen->timestamp_ms - time_of_end(world, before);
    print_message("behind %d: let in at best when %zu have ended, %" PRId64
                  " ms after the first; done %" PRId64 " ms after that; paused %.1f s\n",
                  ABOVE_CAP, before, waited_ms, late_ms, blocked_s);
    assert_true(late_ms < TIMES * calm_ms + SLACK_MS);
    // paused as long as it had to be, and no longer
    assert_true(blocked_s * 1000 > (double)waited_ms / 2);
    assert_true(blocked_s * 1000 < (double)(waited_ms + TIMES * calm_ms + SLACK_MS));
    assert_true(load_ended(world, &load) < load.count);
    load_expect_ends(world, &load, SECONDS);
    load_clear(&load);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_below_the_cap_hold_nobody_up),
        cmocka_unit_test(accounts_that_are_connected_hold_nobody_up),
        cmocka_unit_test(commands_above_it_hold_others_up_until_the_cap_lets_them_in),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
