// One application with very many commands that wait holds others on its partition up by no more
// than the cap of unfinished records makes inevitable, and an account that Neon limits holds up
// nobody else's.
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
enum {
    BELOW_CAP = 900,
    ABOVE_CAP = 1300,
    HELD_MS = 5000,
    SECONDS = 120,
    // Beside so many, a command takes so many times as long as alone on a busy machine, and so much
    // more at most.
    TIMES = 5,
    SLACK_MS = 3000,
};

static Load load;
static int64_t calm_ms; // a command takes when nobody else is there

// With a key of another Neon account, whose rate is its own.
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

static const char *create(World *world, const char *application, const char *environment)
{
    return command_send(world, application,
                        "'createEnvironment': {'environment': '%s', 'account': 'main', "
                        "'regionId': '" WORLD_REGION "'}",
                        environment);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    static const char *const TOPICS[] = {"--set", "topics.partitions=1", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", "log.level=info", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX, .topics = TOPICS});
    (void)worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, BUSY);
    connect_other(*state);
    int64_t began_ms = wait_now_ms();
    (void)command_await(*state, create(*state, QUIET, "calm"), "EnvironmentCreated");
    calm_ms = wait_now_ms() - began_ms;
    return 0;
}

// A command that Neon holds up until the faults are cleared, and `count` that wait behind it.
static const char *hold_up(World *world, const char *environment, int count)
{
    (void)sandbox_fault(world, box_text("{'kind': 'rate_limited', 'route': 'POST /projects', "
                                        "'match': '%s', 'count': -1, 'retry_after': 1}",
                                        environment));
    const char *held = create(world, BUSY, environment);
    load_init(&load);
    for (int i = 0; i < count; i++) {
        // refused, as it names no deleteData, when its turn has come
        load_delete(world, &load, BUSY, environment);
    }
    return held;
}

static int64_t time_of(const Seen *seen)
{
    return seen->timestamp_ms;
}

static void what_waits_below_the_cap_holds_nobody_up(void **state)
{
    World *world = *state;
    const char *held = hold_up(world, "slow", BELOW_CAP);
    int64_t began_ms = wait_now_ms();
    const char *quick = create(world, QUIET, "quick");
    (void)command_await(world, quick, "EnvironmentCreated");
    int64_t took_ms = wait_now_ms() - began_ms;
    print_message("behind %d waiting commands: %" PRId64 " ms\n", BELOW_CAP, took_ms);
    assert_int_equal(reader_count_outcomes(world->reader, held), 0);
    assert_true(took_ms < TIMES * calm_ms + SLACK_MS + 2000); // with the time to read them all
    sandbox_clear_faults(world);
    (void)command_await(world, held, "EnvironmentCreated");
    load_expect_ends(world, &load, SECONDS);
    load_clear(&load);
}

static double blocked_seconds(const Process *worker)
{
    double seconds =
        probe_metric(worker, "provision_partition_blocked_seconds_total{partition=\"0\"}");
    return seconds > 0 ? seconds : 0;
}

typedef struct Blocked {
    const Process *worker;
    double before_s;
} Blocked;

static bool is_blocked(void *context)
{
    const Blocked *blocked = context;
    return blocked_seconds(blocked->worker) > blocked->before_s;
}

static bool is_over(void *context)
{
    return wait_now_ms() >= *(const int64_t *)context;
}

// The time at which so many of the commands behind the held one, and that one, had ended.
static int64_t time_of_end(World *world, const char *held, size_t count)
{
    int64_t times[LOAD_MAX] = {0};
    size_t found = 0;
    reader_read_to_end(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        bool is_held = seen_is_outcome(seen) && strcmp(seen_text(seen, "commandId"), held) == 0;
        if (is_held || (seen_is_outcome(seen) && found > 0 && found < LOAD_MAX &&
                        strcmp(seen_text(seen, "applicationId"), BUSY) == 0)) {
            times[found++] = time_of(seen);
        }
    }
    assert_true(found >= count);
    return times[count - 1];
}

static void what_waits_above_it_holds_others_up_until_the_cap_lets_them_in(void **state)
{
    World *world = *state;
    const char *held = hold_up(world, "slow-2", ABOVE_CAP);
    const char *quick = create(world, QUIET, "quick-2");
    Process *worker = &world->workers[0];
    double blocked_s = blocked_seconds(worker);
    Blocked blocked = {worker, blocked_s};
    wait_until(is_blocked, &blocked, SECONDS, "the partition to be paused");
    int64_t until_ms = wait_now_ms() + HELD_MS;
    wait_until(is_over, &until_ms, 60, "the hold to last");
    assert_int_equal(reader_count_outcomes(world->reader, quick), 0);
    sandbox_clear_faults(world);
    const Seen *seen = reader_await_outcome(world->reader, quick, SECONDS);
    assert_string_equal(seen_type(seen), "EnvironmentCreated");
    // its record is the (1 + ABOVE_CAP + 1)th: so many have to end before it may be taken
    size_t before = 1 + ABOVE_CAP + 1 - COMPLETION_UNFINISHED_MAX;
    int64_t inevitable_ms = time_of_end(world, held, before);
    print_message("behind %d: let in at best when %zu have ended, done %" PRId64 " ms after that\n",
                  ABOVE_CAP, before, time_of(seen) - inevitable_ms);
    assert_true(time_of(seen) - inevitable_ms < TIMES * calm_ms + SLACK_MS);
    blocked_s = blocked_seconds(worker) - blocked_s;
    print_message("the partition was paused for %.1f s\n", blocked_s);
    assert_true(blocked_s * 1000 >= HELD_MS - 1000);
    load_expect_ends(world, &load, SECONDS);
    load_clear(&load);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_below_the_cap_holds_nobody_up),
        cmocka_unit_test(what_waits_above_it_holds_others_up_until_the_cap_lets_them_in),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
