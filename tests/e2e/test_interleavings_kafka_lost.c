// What two workers' guarantees stand on is replaced by something else: the command topic by a new
// one of the same name, the ledger by an older backup.
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/murmur2.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/offsets.h"
#include "support/pair.h"
#include "support/wait.h"

#define POST_PROJECT "POST /projects"
#define REFUSED "'deleteEnvironment': {'environment': '%s'}"

enum { CALL_MS = 10000, EXIT_TEMPORARY = 75 };

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=3s", "neon.listing_lag=1s", NULL};

static Process *workers[2];

static void start_workers(World *world)
{
    workers[0] = worker_start(world, world_fresh("one"), SETTINGS);
    workers[1] = worker_start(world, world_fresh("two"), SETTINGS);
    worker_await_members(world, 2, PAIR_SECONDS);
}

// Whether they say that the ledger doesn't know what was finished.
static void expect_alarm(bool wanted)
{
    for (int i = 0; i < 2; i++) {
        process_await_log(workers[i],
                          wanted ? "LEDGER_BEHIND" : "the ledger knows what was finished last",
                          PAIR_SECONDS);
        assert_int_equal(process_has_logged(workers[i], "LEDGER_BEHIND"), wanted);
    }
}

static void stop_workers(void)
{
    worker_stop(workers[0]);
    worker_stop(workers[1]);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    start_workers(*state);
    return 0;
}

// ---- another topic

static bool answers_well(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CALL_MS);
    size_t count = 0;
    const rd_kafka_topic_result_t *const *results = NULL;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT) {
        results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    }
    bool well = count == 1 && rd_kafka_topic_result_error(results[0]) == 0;
    rd_kafka_event_destroy(event);
    return well;
}

// Whether it was there doesn't matter.
static void delete_topic(World *world)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(world->producer);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(world->topics[0]);
    rd_kafka_DeleteTopics(world->producer, &topic, 1, NULL, queue);
    rd_kafka_event_destroy(rd_kafka_queue_poll(queue, CALL_MS));
    rd_kafka_DeleteTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
}

// As a broker that makes topics by itself may be faster (the first to ask is somebody's producer),
// it is done again until the topic is ours.
static bool is_replaced(void *context)
{
    World *world = context;
    char reason[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(world->producer);
    rd_kafka_NewTopic_t *new =
        rd_kafka_NewTopic_new(world->topics[0], WORLD_PARTITIONS, 1, reason, sizeof(reason));
    assert_non_null(new);
    (void)rd_kafka_NewTopic_set_config(new, "max.message.bytes", "1114112");
    delete_topic(world);
    rd_kafka_CreateTopics(world->producer, &new, 1, NULL, queue);
    bool replaced = answers_well(queue);
    rd_kafka_NewTopic_destroy(new);
    rd_kafka_queue_destroy(queue);
    return replaced;
}

static bool has_leaders(const struct rd_kafka_metadata_topic *topic)
{
    for (int i = 0; i < topic->partition_cnt; i++) {
        if (topic->partitions[i].leader < 0) {
            return false;
        }
    }
    return topic->partition_cnt == WORLD_PARTITIONS;
}

// All topics are asked for, because a topic that is named may be made by that.
static bool is_known(void *context)
{
    const World *world = context;
    const struct rd_kafka_metadata *metadata = NULL;
    bool known = false;
    assert_int_equal(rd_kafka_metadata(world->producer, 1, NULL, &metadata, CALL_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        known = known || (strcmp(metadata->topics[i].topic, world->topics[0]) == 0 &&
                          has_leaders(&metadata->topics[i]));
    }
    rd_kafka_metadata_destroy(metadata);
    return known;
}

static void replace_topic(World *world)
{
    wait_until(is_replaced, world, PAIR_SECONDS, "another topic of the same name");
    wait_until(is_known, world, PAIR_SECONDS, "the broker to know it");
}

typedef struct Old {
    const char *application;
    const char *name;
    const char *id;
    Buffer bytes; // of the command
    Place place;
} Old;

static Old create_old(World *world)
{
    Old old = {.application = world_fresh("app"), .name = world_fresh("live")};
    command_connect_main(world, old.application);
    old.id = command_new_id();
    old.bytes = command_pack("'applicationId': '%s', 'commandId': '%s', " PAIR_CREATE,
                             old.application, old.id, old.name);
    old.place = command_send_bytes(world, old.application, -1, buffer_view(&old.bytes));
    (void)pair_await_once(world, old.id, "EnvironmentCreated");
    assert_int_equal(old.place.offset, 1);
    return old;
}

static Place send_again(World *world, const Old *old)
{
    return command_send_bytes(world, old->application, -1, buffer_view(&old->bytes));
}

// The new topic's first record and the second, which stands where the old one stood, and a third.
static void expect_new_topic(World *world, Old *old)
{
    size_t before = reader_count(world->reader);
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const char *refused = command_send(world, old->application, REFUSED, "nothing");
    assert_int_equal(send_again(world, old).offset, old->place.offset);
    (void)pair_await_once(world, refused, "CommandRejected");
    const Seen *again = reader_await_replay(world->reader, old->id, before, PAIR_SECONDS);
    assert_int_equal(seen_number(again, "sequence"), 1);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls);
    const char *deleted = command_send(world, old->application, PAIR_DELETE, old->name);
    (void)pair_await_once(world, deleted, "EnvironmentDeleted");
    expect_gone(world, old->application, old->name, 2);
    assert_int_equal(reader_count_outcomes(world->reader, old->id), 1);
    buffer_clear(&old->bytes);
}

static void topic_recreated_while_workers_are_stopped_runs_the_new_and_replays_the_old(void **state)
{
    World *world = *state;
    Old old = create_old(world);
    stop_workers();
    replace_topic(world);
    start_workers(world);
    expect_new_topic(world, &old);
}

static bool have_left(void *context)
{
    delete_topic(context); // somebody's producer may have made it again
    return process_has_ended(workers[0]) && process_has_ended(workers[1]);
}

// They would go on at positions in the old one (librdkafka 2.0.2 doesn't know topics by their ids),
// so they end and begin anew.
static void topic_recreated_while_workers_run_runs_the_new_and_replays_the_old(void **state)
{
    World *world = *state;
    stop_workers();
    replace_topic(world);
    start_workers(world);
    Old old = create_old(world);
    wait_until(have_left, world, PAIR_SECONDS, "both workers to notice that the topic is gone");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(workers[i]->status, EXIT_TEMPORARY);
        assert_true(process_has_logged(workers[i], "the command topic was deleted"));
    }
    replace_topic(world);
    start_workers(world);
    expect_new_topic(world, &old);
}

// ---- an older ledger

static void administer(const char *sql)
{
    PGconn *admin = PQconnectdb(world_env("PROVISION_TEST_LEDGER"));
    assert_int_equal(PQstatus(admin), CONNECTION_OK);
    PGresult *result = PQexec(admin, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(admin));
    }
    PQclear(result);
    PQfinish(admin);
}

static void leave_ledger(World *world)
{
    PQfinish(world->ledger);
    world->ledger = NULL;
}

static void enter_ledger(World *world)
{
    world->ledger = PQconnectdb(world->ledger_uri);
    assert_int_equal(PQstatus(world->ledger), CONNECTION_OK);
}

static void back_up_ledger(World *world)
{
    leave_ledger(world);
    administer(box_text("CREATE DATABASE \"%s-old\" TEMPLATE \"%s\"", world->name, world->name));
    enter_ledger(world);
}

static void restore_ledger(World *world)
{
    leave_ledger(world);
    administer(box_text("DROP DATABASE \"%s\"", world->name));
    administer(box_text("ALTER DATABASE \"%s-old\" RENAME TO \"%s\"", world->name, world->name));
    enter_ledger(world);
}

// What README.md tells to do: no sequence that was told is given out again.
static void raise_sequences(World *world)
{
    PGresult *result =
        PQexec(world->ledger,
               "ALTER TABLE provision.environment ALTER COLUMN sequence SET DEFAULT 1000000; "
               "ALTER TABLE provision.account ALTER COLUMN sequence SET DEFAULT 1000000; "
               "UPDATE provision.environment SET sequence = sequence + 1000000; "
               "UPDATE provision.account SET sequence = sequence + 1000000");
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

// In the order of the topic each subject's sequences rise.
static void expect_rising(World *world, const char *subject)
{
    int64_t last = 0;
    reader_read_to_end(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        if (seen->topic == SEEN_EVENTS && !seen_is_replayed(seen) &&
            strcmp(seen_text(seen, "subject"), subject) == 0) {
            assert_true(seen_number(seen, "sequence") > last);
            last = seen_number(seen, "sequence");
        }
    }
    assert_true(last > 0);
}

// Kafka still says what is finished, so nothing begins again by itself; but the workers tell.
static void expect_silence(World *world, const char *application)
{
    size_t told = 0;
    int64_t calls = sandbox_count_calls(world, "DELETE /projects/{project_id}");
    reader_read_to_end(world->reader);
    told = reader_count(world->reader);
    start_workers(world);
    expect_alarm(true);
    const char *refused = command_send(world, application, REFUSED, "nothing");
    (void)pair_await_once(world, refused, "CommandRejected");
    assert_int_equal(reader_count(world->reader), told + 1);
    assert_int_equal(sandbox_count_calls(world, "DELETE /projects/{project_id}"), calls);
    stop_workers();
}

static void ledger_restored_from_an_older_backup_adopts_what_was_made_since(void **state)
{
    World *world = *state;
    const char *application = world_fresh("app");
    const char *kept = world_fresh("kept");
    const char *later = world_fresh("later");
    int32_t partition = murmur2_partition(bytes_of(application), WORLD_PARTITIONS);
    command_connect_main(world, application);
    (void)command_run(world, application, "EnvironmentCreated", PAIR_CREATE, kept);
    stop_workers();
    back_up_ledger(world);
    start_workers(world);
    expect_alarm(false);
    const char *created = command_send(world, application, PAIR_CREATE, later);
    const Seen *first = pair_await_once(world, created, "EnvironmentCreated");
    const char *deleted = command_send(world, application, PAIR_DELETE, kept);
    (void)pair_await_once(world, deleted, "EnvironmentDeleted");
    int64_t offset = pair_row_number(world, created, "record_offset");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    stop_workers();

    restore_ledger(world);
    assert_string_equal(pair_row(world, created, "status"), "");
    expect_silence(world, application);

    raise_sequences(world);
    offsets_write(world, partition, offset, "");
    size_t before = reader_count(world->reader);
    start_workers(world);
    expect_alarm(false);
    const Seen *again = reader_await_outcome_behind(world->reader, created, before, PAIR_SECONDS);
    assert_string_equal(seen_type(again), "EnvironmentCreated");
    assert_string_equal(seen_text(again, "environmentCreated.environment.projectId"),
                        seen_text(first, "environmentCreated.environment.projectId"));
    assert_string_equal(
        seen_type(reader_await_outcome_behind(world->reader, deleted, before, PAIR_SECONDS)),
        "EnvironmentDeleted");
    pair_await_row(world, deleted, "published_at IS NOT NULL");
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls);
    assert_int_equal(sandbox_count_projects(world, box_text("%s-%s", application, later)), 1);
    assert_int_equal(sandbox_count_projects(world, box_text("%s-%s", application, kept)), 0);
    expect_rising(world, box_text("applications/%s/environments/%s", application, kept));
    expect_rising(world, box_text("applications/%s/environments/%s", application, later));
    assert_int_equal(ledger_unfinished(world), 0);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            topic_recreated_while_workers_are_stopped_runs_the_new_and_replays_the_old),
        cmocka_unit_test(topic_recreated_while_workers_run_runs_the_new_and_replays_the_old),
        cmocka_unit_test(pair_sequences_are_whole),
        // behind it, sequences have a gap
        cmocka_unit_test(ledger_restored_from_an_older_backup_adopts_what_was_made_since),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
