// SIGTERM while Kafka is away: the worker ends within its bound, asks to be started again where it
// could not tell all, and nothing is lost or told twice.
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/stack.h"
#include "support/wait.h"

enum {
    COMMANDS = 6,
    SECONDS = 60,
    DRAIN_MS = 2000,        // drain.timeout
    LEAVE_LIMIT_MS = 15000, // of run/leave.c
    SLACK_MS = 6000,
    EXIT_TEMPORARY = 75,
    SOON_MS = 3000,
    LATE_MS = 4000, // the session has timed out
};

static const char *const SETTINGS[] = {"environments.check_login=off", "drain.timeout=2s", NULL};
// Has its partitions until the end.
static const char *const PATIENT[] = {"environments.check_login=off", "drain.timeout=2s",
                                      "kafka.consumer.session.timeout.ms=20000", NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    Process *worker = worker_start(*state, "connects", SETTINGS);
    command_connect_main(*state, "shop");
    worker_stop(worker);
    return 0;
}

static const char *create(World *world, const char *environment)
{
    return command_send(world, "shop",
                        "'createEnvironment': {'environment': '%s', 'account': 'main', "
                        "'regionId': '" WORLD_REGION "'}",
                        environment);
}

typedef struct Wanted {
    World *world;
    const char *condition;
    int count;
} Wanted;

static bool are_so_many(void *context)
{
    const Wanted *wanted = context;
    return strcmp(ledger_value(wanted->world, "SELECT count(*) FROM provision.command WHERE %s",
                               wanted->condition),
                  box_text("%d", wanted->count)) == 0;
}

static void await_rows(World *world, const char *condition, int count)
{
    Wanted wanted = {world, condition, count};
    wait_until(are_so_many, &wanted, SECONDS, "%d commands with %s", count, condition);
}

typedef struct Outage {
    const char *name;
    int operation_ms; // a command takes about twice that long to be concluded
    void (*take_away)(void);
    void (*bring_back)(void);
    int status; // of the worker's end
} Outage;

// Commands that are concluded while Kafka is away, and so not told of.
static void conclude_without(World *world, const Outage *outage, const char *ids[COMMANDS])
{
    (void)sandbox_fault(world, box_text("{'kind': 'operation_ms', 'ms': %d, 'for_ms': 60000}",
                                        outage->operation_ms));
    for (int i = 0; i < COMMANDS - 1; i++) {
        ids[i] = create(world, world_fresh("live"));
    }
    await_rows(world, "status = 'running' AND intent_status = 'closed'", COMMANDS - 1);
    outage->take_away();
    await_rows(world, "status = 'finished' AND published_at IS NULL", COMMANDS - 1);
}

static void end_within_bound(Process *worker, int status)
{
    int64_t began_ms = wait_now_ms();
    process_signal(worker, SIGTERM);
    assert_int_equal(process_wait(worker, SECONDS), status);
    int64_t took_ms = wait_now_ms() - began_ms;
    print_message("ended %" PRId64 " ms after SIGTERM\n", took_ms);
    assert_true(took_ms < DRAIN_MS + LEAVE_LIMIT_MS + SLACK_MS);
}

static void expect_each_once(World *world, const char *const ids[], int count)
{
    for (int i = 0; i < count; i++) {
        (void)command_await(world, ids[i], "EnvironmentCreated");
    }
    await_rows(world, "published_at IS NULL", 0);
    reader_read_to_end(world->reader);
    for (int i = 0; i < count; i++) {
        assert_int_equal(reader_count_outcomes(world->reader, ids[i]), 1);
    }
    reader_assert_sequences(world->reader);
}

// As its supervisor does: partitions may have no leader while the broker comes back.
static Process *start_next(World *world, const Outage *outage)
{
    int64_t until_ms = wait_now_ms() + SECONDS * 1000LL;
    Process *next = worker_start(world, box_text("after-%s", outage->name), SETTINGS);
    while (process_has_ended(next) && wait_now_ms() < until_ms) {
        assert_int_equal(next->status, EX_UNAVAILABLE);
        world->worker_count--;
        next = worker_start(world, box_text("after-%s", outage->name), SETTINGS);
    }
    return next;
}

static void end_without(World *world, const Outage *outage)
{
    const char *ids[COMMANDS];
    bool is_lost = outage->status == EXIT_SUCCESS;
    Process *worker = worker_start(world, outage->name, is_lost ? SETTINGS : PATIENT);
    conclude_without(world, outage, ids);
    if (is_lost) {
        process_await_log(worker, "revoked: ", SECONDS);
    }
    end_within_bound(worker, outage->status);
    outage->bring_back();
    sandbox_clear_faults(world);
    ids[COMMANDS - 1] = create(world, world_fresh("live"));
    int64_t began_ms = wait_now_ms();
    Process *next = start_next(world, outage);
    expect_each_once(world, ids, COMMANDS);
    print_message("all told of %" PRId64 " ms after the next start\n", wait_now_ms() - began_ms);
    worker_stop(next);
}

static void kafka_that_does_not_answer_holds_no_end_up(void **state)
{
    end_without(*state,
                &(Outage){"frozen", SOON_MS, stack_freeze_kafka, stack_thaw_kafka, EXIT_TEMPORARY});
}

// Without an assignment there is nothing to tell: the ledger has it.
static void what_was_lost_to_the_group_is_not_waited_for(void **state)
{
    end_without(*state,
                &(Outage){"lost", LATE_MS, stack_freeze_kafka, stack_thaw_kafka, EXIT_SUCCESS});
}

static void kafka_that_is_gone_holds_no_end_up(void **state)
{
    end_without(*state,
                &(Outage){"gone", SOON_MS, stack_stop_kafka, stack_start_kafka, EXIT_TEMPORARY});
}

// An idle worker has nothing to tell: its end is in order all the same.
static void an_idle_worker_ends_without_kafka(void **state)
{
    World *world = *state;
    Process *worker = worker_start(world, "idle", SETTINGS);
    worker_await_members(world, 1, SECONDS);
    stack_freeze_kafka();
    int64_t began_ms = wait_now_ms();
    process_signal(worker, SIGTERM);
    int status = process_wait(worker, SECONDS);
    print_message("idle: ended with %d %" PRId64 " ms after SIGTERM\n", status,
                  wait_now_ms() - began_ms);
    assert_true(wait_now_ms() - began_ms < DRAIN_MS + LEAVE_LIMIT_MS + SLACK_MS);
    assert_true(status == 0 || status == EXIT_TEMPORARY);
    stack_thaw_kafka();
}

int main(void)
{
    world_require();
    stack_begin(STACK_KAFKA);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafka_that_does_not_answer_holds_no_end_up),
        cmocka_unit_test(what_was_lost_to_the_group_is_not_waited_for),
        cmocka_unit_test(kafka_that_is_gone_holds_no_end_up),
        cmocka_unit_test(an_idle_worker_ends_without_kafka),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
