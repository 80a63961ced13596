// What a worker's metrics say of waits: for Neon each second under one cause, as long as it lasted;
// of what waits in Kafka all of it, also where nothing was read yet.
#include <librdkafka/rdkafka.h>
#include <string.h>

#include "base/attr.h"
#include "base/murmur2.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ledger_door.h"
#include "support/pair.h"
#include "support/probe.h"
#include "support/wait.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
enum {
    SECONDS = 60,
    RETRY_AFTER_S = 3,
    SLOW_S = 3, // in which another command gets as far as its call
    LATER_S = 4,
    LONG_S = 30,
    DEADLINE_S = 8,
    LATE = 5,
    GONE = 3
};

static Process *worker;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker = worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, APPLICATION);
    return 0;
}

static double waited_s(const char *reason)
{
    double seconds =
        probe_metric(worker, box_text("provision_neon_wait_seconds_total{reason=\"%s\"}", reason));
    return seconds > 0 ? seconds : 0;
}

static double times(const char *reason)
{
    double count =
        probe_metric(worker, box_text("provision_neon_waits_total{reason=\"%s\"}", reason));
    return count > 0 ? count : 0;
}

static void expect_between(double value, double least, double most, const char *what)
{
    print_message("%s: %.3f\n", what, value);
    if (value < least || value > most) {
        fail_msg("%s is %g, not %g to %g", what, value, least, most);
    }
}

static void each_second_counts_for_one_cause(void **state)
{
    World *world = *state;
    static const char *const FAULTS[] = {"'kind': 'rate_limited'",
                                         "'kind': 'status', 'status': 503"};
    static const char *const REASONS[] = {"rate_limited", "unavailable"};
    const char *environment = world_fresh("live");
    for (size_t i = 0; i < 2; i++) {
        (void)sandbox_fault(world, box_text("{%s, 'route': 'POST /projects', 'match': '%s', "
                                            "'count': 1, 'retry_after': %d}",
                                            FAULTS[i], environment, RETRY_AFTER_S));
    }
    int64_t began_ms = wait_now_ms();
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, environment);
    double took_s = (double)(wait_now_ms() - began_ms) / 1000;
    double sum_s = 0;
    for (size_t i = 0; i < 2; i++) {
        double waited = waited_s(REASONS[i]);
        expect_between(times(REASONS[i]), 1, 1, REASONS[i]);
        expect_between(waited, RETRY_AFTER_S - 0.01, RETRY_AFTER_S + 2, REASONS[i]);
        sum_s += waited;
    }
    expect_between(waited_s("bucket"), 0, 0, "bucket");
    expect_between(sum_s, 0, took_s, "all waits");
}

static void fail_project(World *world, const char *environment, const char *fault)
{
    (void)sandbox_fault(world, box_text("{%s, 'route': 'POST /projects', 'match': '%s', "
                                        "'count': 1}",
                                        fault, environment));
}

// Two calls are under way and answered 429, the second of them later and for longer. The first
// command has waited long enough, and then waits for its account's rate: for the same reason.
static void what_a_429_began_stays_its(void **state)
{
    World *world = *state;
    double limited_s = waited_s("rate_limited");
    double limited = times("rate_limited");
    const char *late = world_fresh("late");
    const char *early = world_fresh("early");
    fail_project(world, late, box_text("'kind': 'slow_before', 'ms': %d", 1000 * SLOW_S));
    fail_project(world, late, box_text("'kind': 'rate_limited', 'retry_after': %d", LATER_S));
    fail_project(world, early, box_text("'kind': 'rate_limited', 'retry_after': %d", SLOW_S));
    const char *second = command_send(world, APPLICATION, CREATE, late);
    pair_await_row(world, second, "intent_status = 'open'");
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, early);
    (void)command_await(world, second, "EnvironmentCreated");
    expect_between(times("rate_limited") - limited, 2, 2, "429s");
    expect_between(waited_s("rate_limited") - limited_s, 2 * LATER_S, 2 * LATER_S + SLOW_S + 3,
                   "rate_limited");
    expect_between(waited_s("bucket"), 0, 1, "bucket"); // of its later calls
}

// Another command of the account is let go only when the 429's time is over: it waits for the rate.
static void a_wait_for_the_rate_is_another_s(void **state)
{
    World *world = *state;
    double bucket_s = waited_s("bucket");
    double limited = times("rate_limited");
    double limited_s = waited_s("rate_limited");
    const char *environment = world_fresh("live");
    (void)sandbox_fault(world, box_text("{'kind': 'rate_limited', 'route': 'POST /projects', "
                                        "'match': '%s', 'count': 1, 'retry_after': %d}",
                                        environment, LATER_S));
    const char *id = command_send(world, APPLICATION, CREATE, environment);
    probe_await_metric(worker, "provision_neon_waits_total{reason=\"rate_limited\"}", limited + 1,
                       SECONDS);
    int64_t began_ms = wait_now_ms();
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("live"));
    double took_s = (double)(wait_now_ms() - began_ms) / 1000;
    (void)command_await(world, id, "EnvironmentCreated");
    // less than the whole by the time it takes until its call
    expect_between(waited_s("bucket") - bucket_s, 0.5, took_s + 1, "bucket");
    expect_between(waited_s("rate_limited") - limited_s, LATER_S - 0.01, LATER_S + 2,
                   "rate_limited");
}

// The reply asks for longer than the command has; it is counted while it lasts.
static void a_wait_that_is_cut_short_counts_as_long_as_it_lasted(void **state)
{
    World *world = *state;
    double locked = times("locked");
    const char *environment = world_fresh("live");
    (void)sandbox_fault(world, box_text("{'kind': 'locked', 'route': 'POST /projects', 'match': "
                                        "'%s', 'count': -1, 'retry_after': %d}",
                                        environment, LONG_S));
    const char *id =
        command_send(world, APPLICATION, "'deadline': '%s', " CREATE,
                     ledger_value(world,
                                  "SELECT to_char((now() + '%d s') AT TIME ZONE 'UTC', "
                                  "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
                                  DEADLINE_S),
                     environment);
    probe_await_metric(worker, "provision_neon_wait_seconds_total{reason=\"locked\"}", 0.2,
                       DEADLINE_S);
    assert_int_equal(reader_count_outcomes(world->reader, id), 0);
    (void)command_await(world, id, "CommandFailed");
    expect_between(times("locked"), locked + 1, locked + 1, "locked");
    expect_between(waited_s("locked"), 1, DEADLINE_S + 1, "locked");
    sandbox_clear_faults(world);
}

static double backlog(int partition)
{
    return probe_metric(worker,
                        box_text("provision_partition_backlog{partition=\"%d\"}", partition));
}

static bool is_known(void *context)
{
    return backlog(*(const int *)context) >= 0;
}

static bool is_behind(void *context)
{
    return backlog(*(const int *)context) == LATE - GONE;
}

static bool is_done(void *context)
{
    return backlog(*(const int *)context) == 0;
}

static bool is_paused(void *context)
{
    return probe_metric(worker,
                        box_text("provision_partition_blocked_seconds_total{partition=\"%d\"}",
                                 *(const int *)context)) > 0;
}

static void destroy_queue_at(rd_kafka_queue_t **queue)
{
    rd_kafka_queue_destroy(*queue);
}

static void destroy_event_at(rd_kafka_event_t **event)
{
    rd_kafka_event_destroy(*event);
}

// As retention does.
static void delete_first(World *world, int partition, int64_t before)
{
    rd_kafka_queue_t *queue CLEANUP(destroy_queue_at) = rd_kafka_queue_new(world->producer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, world->topics[0], partition)->offset = before;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_DeleteRecords(world->producer, &request, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_event_t *event CLEANUP(destroy_event_at) = rd_kafka_queue_poll(queue, SECONDS * 1000);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void what_was_never_read_is_backlog_all_the_same(void **state)
{
    World *world = *state;
    const Bytes junk = bytes_of("no command");
    int used = (int)(murmur2_partition(bytes_of(APPLICATION), WORLD_PARTITIONS));
    int unread = (used + 1) % WORLD_PARTITIONS;
    wait_until(is_known, &unread, SECONDS, "the backlog of a partition without records");
    assert_true(backlog(unread) == 0);
    ledger_door_shut(world);
    probe_await(worker, "/readyz", 503, "the ledger is away\n", SECONDS);
    // the first record that comes has all partitions paused
    const char *id = command_send(world, APPLICATION, CREATE, world_fresh("live"));
    wait_until(is_paused, &unread, SECONDS, "partitions to be paused");
    for (int i = 0; i < LATE; i++) {
        (void)command_send_bytes(world, NULL, unread, junk);
    }
    delete_first(world, unread, GONE);
    wait_until(is_behind, &unread, SECONDS, "a backlog of what is kept");
    ledger_door_open(world);
    (void)command_await(world, id, "EnvironmentCreated");
    wait_until(is_done, &unread, SECONDS, "an end of the backlog");
    worker_stop(worker);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_second_counts_for_one_cause),
        cmocka_unit_test(what_a_429_began_stays_its),
        cmocka_unit_test(a_wait_for_the_rate_is_another_s),
        cmocka_unit_test(a_wait_that_is_cut_short_counts_as_long_as_it_lasted),
        cmocka_unit_test(what_was_never_read_is_backlog_all_the_same),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
