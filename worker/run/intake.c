#include "run/intake.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "run/ending.h"
#include "run/flight.h"
#include "run/outbox.h"
#include "run/press.h"
#include "run/tally.h"
#include "sys/log.h"

static Partition *partition_of(Worker *worker, const KafkaAssignment *assignment)
{
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): see list_remove
    LIST_EACH(&worker->partitions, link)
    {
        Partition *partition = LIST_ENTRY(link, Partition, link);
        if (partition->assignment->id == assignment->id) {
            return partition;
        }
    }
    return NULL;
}

static void log_void_map(const Worker *worker, const Partition *partition, const char *reason)
{
    if (reason != NULL) {
        metrics_add(worker->metrics, METRIC_MAPS_IGNORED, NULL, 1);
        log_write(LOG_LEVEL_WARNING, NULL,
                  "partition %" PRId32 ": its completion map is ignored: %s",
                  partition->assignment->partition, reason);
    }
}

static size_t read_headers(const rd_kafka_message_t *message, RecordHeader **ret_headers)
{
    rd_kafka_headers_t *list = NULL;
    *ret_headers = NULL;
    if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return 0;
    }
    size_t all = rd_kafka_header_cnt(list);
    size_t count = 0;
    const char *name;
    const void *value;
    size_t size;
    *ret_headers = alloc_zeroed(all, sizeof(**ret_headers));
    while (count < all && rd_kafka_header_get_all(list, count, &name, &value, &size) ==
                              RD_KAFKA_RESP_ERR_NO_ERROR) {
        (*ret_headers)[count++] = (RecordHeader){name, {value, size}};
    }
    return count;
}

void intake_free_headers(RecordHeader **headers)
{
    free(*headers);
}

Record intake_read_record(const rd_kafka_message_t *message, RecordHeader **ret_headers)
{
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, NULL);
    size_t header_count = read_headers(message, ret_headers);
    return (Record){.topic = rd_kafka_topic_name(message->rkt),
                    .partition = message->partition,
                    .offset = message->offset,
                    .timestamp_ms = timestamp_ms > 0 ? timestamp_ms : 0,
                    .key = {message->key, message->key_len},
                    .value = {message->payload, message->len},
                    .headers = *ret_headers,
                    .header_count = header_count};
}

static Flight *parked_flight(Worker *worker, const rd_kafka_message_t *message)
{
    char key[64];
    (void)snprintf(key, sizeof key, "%" PRId32 ":%" PRId64, message->partition, message->offset);
    return table_get(worker->parked, key);
}

static void run_record(Worker *worker, Partition *partition, const Record *record)
{
    Rejection rejection;
    worker->command_rules.partitions = kafka_in_partitions(worker->kafka_in);
    Command *command = command_decode(record, &worker->command_rules, &rejection);
    tally_record(worker, command == NULL ? "rejected" : "command");
    if (command == NULL) {
        ending_reject(worker, partition, record, &rejection);
    } else {
        flight_start(worker, partition, record, command);
    }
}

void intake_record(Worker *worker, KafkaAssignment *assignment, const rd_kafka_message_t *message)
{
    Partition *partition = partition_of(worker, assignment);
    if (partition == NULL || worker->is_draining) {
        return; // taken away, or paused, while this record was on its way: it comes again
    }
    CLEANUP(intake_free_headers) RecordHeader *headers = NULL;
    const Record record = intake_read_record(message, &headers);
    const char *void_reason = NULL;
    CompletionDelivery delivery =
        completion_deliver(partition->completion, record.offset, record.timestamp_ms, &void_reason);
    log_void_map(worker, partition, void_reason);
    Flight *parked = parked_flight(worker, message);
    if (delivery == COMPLETION_FINISHED) {
        tally_record(worker, "finished");
        if (parked != NULL) {
            flight_drop(parked); // another worker finished it
        }
        return;
    }
    if (parked != NULL) {
        tally_record(worker, "attached");
        flight_attach(parked, partition);
    } else {
        run_record(worker, partition, &record);
    }
    worker_press(worker);
}

// What the new assignment does not give back is dropped: other partitions', and what lies below the
// committed offset.
static void drop_unclaimed(void *context, const char *key, void *value)
{
    (void)key;
    Worker *worker = context;
    Flight *flight = value;
    LIST_EACH(&worker->partitions, link)
    {
        const KafkaAssignment *assignment = LIST_ENTRY(link, Partition, link)->assignment;
        if (assignment->partition == flight->record.record.partition &&
            assignment->committed <= flight->record.record.offset) {
            return;
        }
    }
    flight_drop(flight);
}

void intake_assigned(Worker *worker, KafkaAssignment *const *assignments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Partition *partition = alloc_zeroed(1, sizeof(*partition));
        const char *void_reason = NULL;
        partition->assignment = kafka_assignment_ref(assignments[i]);
        partition->completion =
            completion_new(assignments[i]->committed, assignments[i]->metadata, &void_reason);
        list_append(&worker->partitions, &partition->link);
        log_void_map(worker, partition, void_reason);
    }
    log_write(LOG_LEVEL_INFO, NULL, "assigned: %zu partitions", count);
    table_each(worker->parked, drop_unclaimed, worker);
    press_divide(worker);
    worker_press(worker);
}

static void partition_free(Partition *partition)
{
    list_remove(&partition->link);
    completion_free(partition->completion);
    kafka_assignment_unref(partition->assignment);
    free(partition);
}

static void detach_flights(Worker *worker, const Partition *partition)
{
    // first all of them, so that no lane that becomes free starts another that is about to go
    LIST_EACH(&worker->flights, mark)
    {
        Flight *flight = LIST_ENTRY(mark, Flight, link);
        if (flight->partition == partition) {
            flight->partition = NULL;
        }
    }
}

void intake_revoked(Worker *worker, KafkaAssignment *const *assignments, size_t count, bool lost)
{
    for (size_t i = 0; i < count; i++) {
        Partition *partition = partition_of(worker, assignments[i]);
        if (partition != NULL) {
            detach_flights(worker, partition);
            outbox_forget(worker, partition);
            partition_free(partition);
        }
    }
    press_divide(worker);
    LIST_EACH(&worker->flights, link)
    {
        Flight *flight = LIST_ENTRY(link, Flight, link);
        if (flight->partition == NULL && flight->lane.entered) {
            flight_detach(flight, lost);
        }
    }
    log_write(LOG_LEVEL_INFO, NULL, "revoked: %zu partitions", count);
}

void intake_clear(Worker *worker)
{
    // first all of them, so that none starts another
    LIST_EACH(&worker->flights, mark)
    {
        flight_doom(LIST_ENTRY(mark, Flight, link));
    }
    LIST_EACH(&worker->flights, link)
    {
        flight_free(LIST_ENTRY(link, Flight, link));
    }
    LIST_EACH(&worker->partitions, link)
    {
        partition_free(LIST_ENTRY(link, Partition, link));
    }
}
