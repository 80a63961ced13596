// The completion map is lost when it matters most: one command is stuck at the base, and 50,000
// behind it are finished. Nothing of that is executed or told again, because the ledger knows it.
//
// Workers executed the first of them; the others' rows are written as a worker would have left them
// (the records are real), because 50,000 commands would take minutes here, and what is tried begins
// only when all of them have ended.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/murmur2.h"
#include "base/text.h"
#include "base/unconst.h"
#include "contract/command.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/memory.h"
#include "support/offsets.h"
#include "support/pair.h"
#include "support/probe.h"
#include "support/wait.h"

#define APPLICATION "shop"
// Refused, because nobody is listed as a recipient; such commands don't wait for each other.
#define COMMAND                                                                                    \
    "'applicationId': '" APPLICATION "', 'commandId': '%s', 'revealCredentials': {'environment': " \
    "'gone-%d', 'replyPublicKey': 'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk='}"

enum {
    FINISHED = 50000,
    EXECUTED = 1000, // of them, by a worker
    ROWS = 1000,     // in a statement
    ROWS_BYTES = ROWS * 256,
    MANY_SECONDS = 240,
};

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    memory_use_release();
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    return 0;
}

// ---- the records

typedef struct Delivered {
    World *world;
    int wanted;
    int count;
    int64_t first; // offset
    int64_t last;
} Delivered;

static bool are_delivered(void *context)
{
    Delivered *delivered = context;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(delivered->world->producer);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 100);
    const rd_kafka_message_t *message = NULL;
    while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
           (message = rd_kafka_event_message_next(event)) != NULL) {
        assert_int_equal(message->err, RD_KAFKA_RESP_ERR_NO_ERROR);
        delivered->first = delivered->count == 0 ? message->offset : delivered->first;
        delivered->last = message->offset;
        delivered->count++;
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return delivered->count == delivered->wanted;
}

static void produce(World *world, Bytes value, int64_t timestamp_ms)
{
    rd_kafka_resp_err_t problem = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    while (problem == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        problem = rd_kafka_producev(world->producer, RD_KAFKA_V_TOPIC(world->topics[0]),
                                    RD_KAFKA_V_KEY(APPLICATION, strlen(APPLICATION)),
                                    RD_KAFKA_V_VALUE(unconst(value.data), value.size),
                                    RD_KAFKA_V_TIMESTAMP(timestamp_ms),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    }
    assert_int_equal(problem, RD_KAFKA_RESP_ERR_NO_ERROR);
}

// Sends `count` of them, each with an id of its own; returns the first one's offset.
static int64_t send_many(World *world, Buffer *values, int count, int64_t timestamp_ms)
{
    Delivered delivered = {.world = world, .wanted = count};
    for (int i = 0; i < count; i++) {
        produce(world, buffer_view(&values[i]), timestamp_ms);
    }
    wait_until(are_delivered, &delivered, MANY_SECONDS, "%d records to be delivered", count);
    assert_int_equal(delivered.last - delivered.first, count - 1);
    return delivered.first;
}

// ---- the rows

static void append_row(Text *rows, const char *id, Bytes value, int64_t offset)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    const Secret none = SECRET_INIT;
    Provisioning__V1__Command *message =
        provisioning__v1__command__unpack(NULL, value.size, value.data);
    assert_non_null(message);
    command_digest(APPLICATION, message, &none, digest);
    provisioning__v1__command__free_unpacked(message, NULL);
    text_printf(rows, "%s('%s'::uuid, '\\x", text_get(rows)[0] == '\0' ? "" : ", ", id);
    crypto_hex_append(rows, (Bytes){digest, sizeof(digest)});
    text_printf(rows, "'::bytea, %" PRId64 "::bigint)", offset);
}

static void insert_rows(World *world, const char *rows, int32_t partition, int64_t timestamp_ms,
                        const char *like)
{
    CLEANUP(text_clear) Text sql = TEXT_INIT(ROWS_BYTES + 1024);
    text_printf(&sql,
                "INSERT INTO provision.command (application_id, command_id, digest, action, "
                "partition, record_offset, record_timestamp_ms, epoch, status, outcome, "
                "finished_at, published_at) SELECT '" APPLICATION
                "', r.id, r.digest, c.action, %" PRId32 ", r.record_offset, %" PRId64
                ", 1, 'finished', c.outcome, now(), now() FROM (VALUES ",
                partition, timestamp_ms);
    text_append(&sql, rows);
    text_printf(&sql,
                ") AS r(id, digest, record_offset), provision.command c "
                "WHERE c.command_id = '%s'",
                like);
    assert_true(text_ok(&sql));
    PGresult *result = PQexec(world->ledger, text_get(&sql));
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s", PQerrorMessage(world->ledger));
    }
    PQclear(result);
}

// ---- all of it

typedef struct History {
    const char *ids[FINISHED];
    Buffer values[FINISHED];
    int32_t partition;
    int64_t timestamp_ms;
    int64_t stuck; // offset
    int64_t end;
} History;

static void make_commands(History *history)
{
    for (int i = 0; i < FINISHED; i++) {
        history->ids[i] = command_new_id();
        history->values[i] = command_pack(COMMAND, history->ids[i], i);
    }
}

static void write_history(World *world, History *history)
{
    int count = FINISHED - EXECUTED;
    int64_t first = send_many(world, history->values + EXECUTED, count, history->timestamp_ms);
    CLEANUP(text_clear) Text rows = TEXT_INIT(ROWS_BYTES);
    for (int i = 0; i < count; i++) {
        append_row(&rows, history->ids[EXECUTED + i], buffer_view(&history->values[EXECUTED + i]),
                   first + i);
        if ((i + 1) % ROWS == 0) {
            insert_rows(world, text_get(&rows), history->partition, history->timestamp_ms,
                        history->ids[0]);
            text_clear(&rows);
        }
    }
    history->end = first + count;
}

// While it is locked out at Neon, the stuck one holds the base, and the map tells what is behind.
static const char *run_real_part(World *world, History *history)
{
    Process *worker = worker_start(world, "before", SETTINGS);
    command_connect_main(world, APPLICATION);
    int64_t locked =
        sandbox_fault(world, "{'kind': 'locked', 'route': 'POST /projects', 'count': -1}");
    const char *stuck = command_send(world, APPLICATION, PAIR_CREATE, "live");
    pair_await_fault(world, locked, 1);
    history->stuck = pair_row_number(world, stuck, "record_offset");
    int64_t first = send_many(world, history->values, EXECUTED, history->timestamp_ms);
    offsets_await(world, history->partition, history->stuck, first + EXECUTED, MANY_SECONDS);
    worker_stop(worker);
    return stuck;
}

static size_t count_records(World *world)
{
    reader_read_to_end(world->reader);
    return reader_count(world->reader);
}

static double sum_metric(const Process *const workers[2], const char *sample)
{
    double sum = 0;
    for (int i = 0; i < 2; i++) {
        double value = probe_metric(workers[i], sample);
        sum += value < 0 ? 0 : value;
    }
    return sum;
}

// All rows as they were: nobody claimed them, and each has been told once.
static void expect_rows_untouched(World *world, const char *stuck)
{
    assert_string_equal(ledger_value(world, "SELECT count(*) || ' ' || max(epoch) FROM "
                                            "provision.command WHERE action = 'RevealCredentials'"),
                        box_text("%d 1", FINISHED));
    // once more where the second worker came late to the group
    assert_in_range(pair_row_number(world, stuck, "takeovers"), 1, 2);
}

static void map_lost_with_50000_finished_behind_one_stuck_command_repeats_nothing(void **state)
{
    World *world = *state;
    static History history;
    history.partition = murmur2_partition(bytes_of(APPLICATION), WORLD_PARTITIONS);
    history.timestamp_ms =
        strtoll(ledger_value(world, "SELECT floor(extract(epoch FROM now()) * 1000)"), NULL, 10);
    make_commands(&history);
    const char *stuck = run_real_part(world, &history);
    write_history(world, &history);
    assert_string_not_equal(offsets_read(world, history.partition).metadata, "");
    offsets_write(world, history.partition, history.stuck, "lost");
    size_t told = count_records(world);

    int64_t began_ms = wait_now_ms();
    const Process *const workers[2] = {worker_start(world, "one", SETTINGS),
                                       worker_start(world, "two", SETTINGS)};
    offsets_await(world, history.partition, history.stuck, history.end, MANY_SECONDS);
    print_message("50,000 finished commands passed over in %.1f s\n",
                  (double)(wait_now_ms() - began_ms) / 1000);
    memory_expect_bounded(workers[0]);
    memory_expect_bounded(workers[1]);
    assert_int_equal(sum_metric(workers, "provision_completion_maps_ignored_total"), 1);
    assert_int_equal(count_records(world), told);
    expect_rows_untouched(world, stuck);

    sandbox_clear_faults(world);
    (void)pair_await_once(world, stuck, "EnvironmentCreated");
    assert_int_equal(sandbox_count_projects(world, APPLICATION "-live"), 1);
    offsets_await(world, history.partition, -1, history.end, PAIR_SECONDS);
    assert_int_equal(count_records(world), told + 2); // event and state
    for (int i = 0; i < FINISHED; i++) {
        buffer_clear(&history.values[i]);
    }
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_lost_with_50000_finished_behind_one_stuck_command_repeats_nothing),
        cmocka_unit_test(pair_sequences_are_whole),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
