// A worker whose Kafka transaction is still open when the group, the broker or another process
// under its name has moved on: what it had to tell is told once, by whoever may.
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/murmur2.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/pair.h"
#include "support/probe.h"
#include "support/secrets.h"
#include "support/wait.h"

#define POST_PROJECT "POST /projects"
#define NO_PARTITIONS "\nprovision_partitions_assigned 0\n"
#define LEFT "are left to the partitions' next owner"
#define FINISHED_BEFORE "finished before"

enum { EXIT_TEMPORARY = 75 };

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

static const char *create(const Pair *pair, const char *name)
{
    return command_send(pair->world, pair->application, PAIR_CREATE, name);
}

// Executed once and told once; then the environment is deleted by whoever has the partition now.
static void expect_one_life(const Pair *pair, const char *id, int64_t calls_before)
{
    World *world = pair->world;
    Environment live = login_environment(pair_await_once(world, id, "EnvironmentCreated"));
    expect_ready(world, pair->application, &live, 1);
    assert_int_equal(pair_row_number(world, id, "epoch"), 1);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls_before + 1);
    const char *deleted = command_send(world, pair->application, PAIR_DELETE, live.name);
    (void)pair_await_once(world, deleted, "EnvironmentDeleted");
    expect_gone(world, pair->application, live.name, 2);
}

// Until the last member has joined, the old generation is accepted: the one who loses the partition
// ends its transaction first. A name that sorts before the first one's takes the partition away.
static void revoke_at(World *world, const char *point)
{
    Pair pair = pair_begin(world, box_text("%s#2=hold", point), NULL);
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const char *id = create(&pair, world_fresh("live"));
    pair_await_point(&pair, point);
    const Process *joining = pair_start(world, world_fresh("early"), NULL, NULL);
    probe_await(pair.first, "/metrics", 200, NO_PARTITIONS, PAIR_SECONDS);
    assert_int_equal(worker_count_members(world), -1);
    assert_string_equal(pair_row(world, id, "published_at"), "");
    pair_release(world, pair.first_name);
    worker_await_members(world, 3, PAIR_SECONDS);
    expect_one_life(&pair, id, calls);
    // nobody had to publish it in the first one's place
    assert_false(process_has_logged(pair.first, LEFT));
    assert_false(process_has_logged(joining, FINISHED_BEFORE));
}

static void revoke_in_mid_transaction_before_its_offsets_ends_the_transaction_first(void **state)
{
    revoke_at(*state, "transaction.offsets.before");
}

static void revoke_in_mid_transaction_after_its_offsets_ends_the_transaction_first(void **state)
{
    revoke_at(*state, "transaction.offsets.after");
}

// The first is frozen in its transaction until the group has done without it. Thawed, it knows that
// it has lost its partitions before the transaction goes on.
static void stale_generation_drops_the_batch_and_nothing_goes_back(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "transaction.offsets.before#2=hold",
                           "kafka.producer.transaction.timeout.ms=60000");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const char *name = world_fresh("live");
    const char *created = create(&pair, name);
    pair_await_point(&pair, "transaction.offsets.before");
    process_signal(pair.first, SIGSTOP);
    pair_await_exclusion(&pair);
    pair_await_row(world, created, "published_at IS NOT NULL");
    const char *deleted = command_send(world, pair.application, PAIR_DELETE, name);
    pair_await_row(world, deleted, "published_at IS NOT NULL");
    process_signal(pair.first, SIGCONT);
    probe_await(pair.first, "/metrics", 200, NO_PARTITIONS, PAIR_SECONDS);
    pair_release(world, pair.first_name);
    process_await_log(pair.first, LEFT, PAIR_SECONDS);
    worker_await_members(world, 2, PAIR_SECONDS);
    assert_true(process_has_logged(pair.other, FINISHED_BEFORE));
    (void)pair_await_once(world, created, "EnvironmentCreated");
    (void)pair_await_once(world, deleted, "EnvironmentDeleted");
    expect_gone(world, pair.application, name, 2);
    assert_int_equal(pair_row_number(world, created, "epoch"), 1);
    assert_int_equal(pair_row_number(world, deleted, "epoch"), 1);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls + 1);
    // and it takes part again
    const char *id = create(&pair, world_fresh("live"));
    expect_one_life(&pair, id, calls + 1);
}

typedef struct Ending {
    World *world;
    int32_t partition;
    int64_t before;
} Ending;

static int64_t end_of_events(World *world, int32_t partition)
{
    int64_t low = 0;
    int64_t high = 0;
    assert_int_equal(rd_kafka_query_watermark_offsets(world->producer, world->topics[1], partition,
                                                      &low, &high, 5000),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    return high;
}

static bool has_grown(void *context)
{
    const Ending *ending = context;
    return end_of_events(ending->world, ending->partition) > ending->before;
}

// The broker ends an overdue transaction by a marker in each partition that it has touched.
static void await_abort(const Pair *pair)
{
    int32_t partition = murmur2_partition(bytes_of(pair->application), WORLD_PARTITIONS);
    Ending ending = {pair->world, partition, end_of_events(pair->world, partition)};
    wait_until(has_grown, &ending, PAIR_SECONDS, "the broker to abort the transaction");
}

static void transaction_timed_out_at_the_broker_with_its_worker_alive_is_told_once(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "transaction.end.before#2=hold",
                           "kafka.producer.transaction.timeout.ms=3000");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const char *id = create(&pair, world_fresh("live"));
    pair_await_point(&pair, "transaction.end.before");
    await_abort(&pair);
    reader_read_to_end(world->reader);
    assert_int_equal(reader_count_outcomes(world->reader, id), 0);
    assert_int_equal(probe_status(pair.first, "/livez"), 200);
    pair_release(world, pair.first_name);
    // its producer can't go on, and says so
    assert_int_equal(process_wait(pair.first, PAIR_SECONDS), EXIT_TEMPORARY);
    assert_true(process_has_logged(pair.first, "the producer can't go on"));
    expect_one_life(&pair, id, calls);
}

static void producer_fenced_by_a_second_process_of_its_instance_id_ends_with_75(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, NULL, "instance.id=twin");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const Process *twin = pair_start(world, world_fresh("twin"), NULL, "instance.id=twin");
    worker_await_members(world, 3, PAIR_SECONDS);
    probe_await(twin, "/readyz", 200, "", PAIR_SECONDS);
    // the first keeps its partitions: its name sorts before the others'
    const char *id = create(&pair, world_fresh("live"));
    assert_int_equal(process_wait(pair.first, PAIR_SECONDS), EXIT_TEMPORARY);
    assert_true(process_has_logged(pair.first, "the producer can't go on"));
    expect_one_life(&pair, id, calls);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            revoke_in_mid_transaction_before_its_offsets_ends_the_transaction_first, pair_end),
        cmocka_unit_test_teardown(
            revoke_in_mid_transaction_after_its_offsets_ends_the_transaction_first, pair_end),
        cmocka_unit_test_teardown(stale_generation_drops_the_batch_and_nothing_goes_back, pair_end),
        cmocka_unit_test_teardown(
            transaction_timed_out_at_the_broker_with_its_worker_alive_is_told_once, pair_end),
        cmocka_unit_test_teardown(
            producer_fenced_by_a_second_process_of_its_instance_id_ends_with_75, pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
