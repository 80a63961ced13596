#include "lib/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/murmur2.h"
#include "lib/broker.h"
#include "lib/fault.h"

enum { POLL_MS = 100 };

typedef struct ReaderPartition {
    int32_t id;
    int64_t start;
    int64_t end; // where it ended at the opening
    bool started;
    bool at_end;
} ReaderPartition;

struct Reader {
    Broker *broker;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    ReaderPartition *partitions;
    size_t count;
    size_t behind_count; // partitions that are not at their end
    bool end_told;
};

static const char *topic_name(const Reader *reader)
{
    return rd_kafka_topic_name(reader->topic);
}

static void choose_partitions(Reader *reader, const char *key, int32_t partition_count)
{
    reader->count = key == NULL ? (size_t)partition_count : 1;
    reader->partitions = alloc_zeroed(reader->count, sizeof(*reader->partitions));
    for (size_t i = 0; i < reader->count; i++) {
        reader->partitions[i].id =
            key == NULL ? (int32_t)i : murmur2_partition(bytes_of(key), partition_count);
    }
}

static void free_list(rd_kafka_topic_partition_list_t **list)
{
    rd_kafka_topic_partition_list_destroy(*list);
}

// The first offset with a timestamp of at least since_ms; the end where there is none.
static rd_kafka_resp_err_t find_since(Reader *reader, ReaderPartition *partition, int64_t since_ms,
                                      int timeout_ms)
{
    rd_kafka_topic_partition_list_t *list CLEANUP(free_list) = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *asked =
        rd_kafka_topic_partition_list_add(list, topic_name(reader), partition->id);
    asked->offset = since_ms;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(reader->broker->kafka, list, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    partition->start = asked->offset >= 0 ? asked->offset : partition->end;
    return asked->err;
}

static rd_kafka_resp_err_t fix_offsets(Reader *reader, ReaderPartition *partition,
                                       ReaderStart start, int timeout_ms)
{
    int64_t low = 0;
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(reader->broker->kafka, topic_name(reader), partition->id,
                                         &low, &partition->end, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    switch (start.kind) {
    case PROVISION_START_BEGINNING:
        partition->start = low;
        break;
    case PROVISION_START_SINCE:
        code = find_since(reader, partition, start.since_ms, timeout_ms);
        break;
    case PROVISION_START_NOW:
    default:
        partition->start = partition->end;
        break;
    }
    partition->at_end = partition->start >= partition->end;
    return code;
}

// The topic was found before, so what is missing or moving will be there soon.
static rd_kafka_resp_err_t await_offsets(Reader *reader, ReaderPartition *partition,
                                         ReaderStart start, Deadline deadline)
{
    for (;;) {
        int left_ms = deadline_left_ms(deadline);
        rd_kafka_resp_err_t code = fix_offsets(
            reader, partition, start, left_ms < BROKER_CONTACT_MS ? left_ms : BROKER_CONTACT_MS);
        if (!broker_is_passing(code) || left_ms == 0) {
            return code;
        }
        rd_kafka_poll(reader->broker->kafka, POLL_MS);
    }
}

static bool find_start(Reader *reader, ReaderPartition *partition, ReaderStart start,
                       Deadline deadline, ProvisionError *err)
{
    rd_kafka_resp_err_t code = await_offsets(reader, partition, start, deadline);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return broker_fault(reader->broker, topic_name(reader), code, err);
    }
    return true;
}

static bool start_partition(Reader *reader, ReaderPartition *partition, ProvisionError *err)
{
    if (rd_kafka_consume_start_queue(reader->topic, partition->id, partition->start,
                                     reader->queue) != 0) {
        return broker_fault(reader->broker, topic_name(reader), rd_kafka_last_error(), err);
    }
    partition->started = true;
    reader->behind_count += partition->at_end ? 0 : 1;
    return true;
}

// All starts are found before the first fetch: a broker answers a connection's requests one after
// another, so each question for offsets would wait behind a fetch that waits for records.
static bool start_all(Reader *reader, const char *key, ReaderStart start, Deadline deadline,
                      ProvisionError *err)
{
    int32_t partition_count = 0;
    if (!broker_count_partitions(reader->broker, topic_name(reader), deadline, &partition_count,
                                 err)) {
        return false;
    }
    choose_partitions(reader, key, partition_count);
    for (size_t i = 0; i < reader->count; i++) {
        if (!find_start(reader, &reader->partitions[i], start, deadline, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < reader->count; i++) {
        if (!start_partition(reader, &reader->partitions[i], err)) {
            return false;
        }
    }
    return true;
}

Reader *reader_open(const ProvisionOptions *options, OptionsTopic topic, const char *key,
                    ReaderStart start, Deadline deadline, ProvisionError *err)
{
    Reader *reader = alloc_zeroed(1, sizeof(*reader));
    reader->broker = broker_open(RD_KAFKA_CONSUMER, options_consumer_conf(options), err);
    if (reader->broker == NULL) {
        free(reader);
        return NULL;
    }
    reader->topic = rd_kafka_topic_new(reader->broker->kafka, options->topics[topic], NULL);
    if (reader->topic == NULL) {
        broker_fault(reader->broker, options->topics[topic], rd_kafka_last_error(), err);
        reader_close(reader);
        return NULL;
    }
    reader->queue = rd_kafka_queue_new(reader->broker->kafka);
    if (!start_all(reader, key, start, deadline, err)) {
        reader_close(reader);
        return NULL;
    }
    return reader;
}

void reader_close(Reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->partitions[i].started) {
            (void)rd_kafka_consume_stop(reader->topic, reader->partitions[i].id);
        }
    }
    if (reader->queue != NULL) {
        rd_kafka_queue_destroy(reader->queue);
    }
    if (reader->topic != NULL) {
        rd_kafka_topic_destroy(reader->topic);
    }
    broker_close(reader->broker);
    free(reader->partitions);
    free(reader);
}

static ReaderPartition *find_partition(Reader *reader, int32_t id)
{
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->partitions[i].id == id) {
            return &reader->partitions[i];
        }
    }
    return NULL;
}

static void mark_end(Reader *reader, int32_t id)
{
    ReaderPartition *partition = find_partition(reader, id);
    if (partition != NULL && !partition->at_end) {
        partition->at_end = true;
        reader->behind_count--;
    }
}

// Behind the last record may stand transaction markers, which are never delivered: then only the
// event "end of partition" tells. On a topic that is written all the time the offset tells earlier.
static void mark_offset(Reader *reader, const rd_kafka_message_t *record)
{
    ReaderPartition *partition = find_partition(reader, record->partition);
    if (partition != NULL && record->offset + 1 >= partition->end) {
        mark_end(reader, record->partition);
    }
}

// Takes what the queue gave. READER_TIMEOUT: nothing for the caller.
static ReaderResult take(Reader *reader, rd_kafka_message_t *record,
                         rd_kafka_message_t **ret_record, ProvisionError *err)
{
    rd_kafka_resp_err_t code = record->err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        mark_offset(reader, record);
        *ret_record = record;
        return READER_RECORD;
    }
    int32_t partition = record->partition;
    rd_kafka_message_destroy(record);
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        mark_end(reader, partition);
        return READER_TIMEOUT;
    }
    broker_fault(reader->broker, topic_name(reader), code, err);
    return READER_FAILED;
}

ReaderResult reader_next(Reader *reader, Deadline deadline, rd_kafka_message_t **ret_record,
                         ProvisionError *err)
{
    *ret_record = NULL;
    for (;;) {
        if (reader->behind_count == 0 && !reader->end_told) {
            reader->end_told = true;
            return READER_END;
        }
        rd_kafka_poll(reader->broker->kafka, 0);
        int left_ms = deadline_left_ms(deadline);
        rd_kafka_message_t *record =
            rd_kafka_consume_queue(reader->queue, left_ms < POLL_MS ? left_ms : POLL_MS);
        if (record == NULL) {
            if (left_ms == 0) {
                return READER_TIMEOUT;
            }
            continue;
        }
        ReaderResult result = take(reader, record, ret_record, err);
        if (result != READER_TIMEOUT) {
            return result;
        }
    }
}

bool reader_fault_timeout(Reader *reader, ProvisionError *err)
{
    return broker_fault(reader->broker, topic_name(reader), RD_KAFKA_RESP_ERR__TIMED_OUT, err);
}
