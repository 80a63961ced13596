#include "support/reader.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/json.h"
#include "provisioning/v1/event.pb-c.h"
#include "provisioning/v1/state.pb-c.h"
#include "support/cmocka.h"
#include "support/wait.h"

enum {
    METADATA_MS = 20000,
    POLL_MS = 50,
    END_SECONDS = 30,
    SEEN_MAX = 100000,
    PARTITIONS_MAX = 64,
};

struct Reader {
    rd_kafka_t *consumer;
    char topics[SEEN_TOPIC_COUNT][256];
    Seen **seen;
    size_t count;
    bool at_end[SEEN_TOPIC_COUNT][PARTITIONS_MAX];
    int64_t next[SEEN_TOPIC_COUNT][PARTITIONS_MAX]; // behind the last record that was read
    int32_t partitions[SEEN_TOPIC_COUNT];
};

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
        fail_msg("%s", reason);
    }
}

static int32_t count_partitions(Reader *reader, const char *name)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->consumer, name, NULL);
    rd_kafka_resp_err_t problem =
        rd_kafka_metadata(reader->consumer, 0, topic, &metadata, METADATA_MS);
    if (problem != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail_msg("metadata of %s: %s", name, rd_kafka_err2str(problem));
    }
    int32_t count = metadata->topics[0].partition_cnt;
    assert_in_range(count, 1, PARTITIONS_MAX);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count;
}

Reader *reader_open(const char *bootstrap, const char *const topics[SEEN_TOPIC_COUNT])
{
    char reason[256];
    Reader *reader = alloc_zeroed(1, sizeof(*reader));
    reader->seen = alloc_zeroed(SEEN_MAX, sizeof(Seen *));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "group.id", "e2e-reader");
    set(conf, "enable.auto.commit", "false");
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.partition.eof", "true");
    set(conf, "fetch.wait.max.ms", "50");
    reader->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    assert_non_null(reader->consumer);
    (void)rd_kafka_poll_set_consumer(reader->consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
    for (int i = 0; i < SEEN_TOPIC_COUNT; i++) {
        (void)snprintf(reader->topics[i], sizeof(reader->topics[i]), "%s", topics[i]);
        reader->partitions[i] = count_partitions(reader, topics[i]);
        for (int32_t p = 0; p < reader->partitions[i]; p++) {
            rd_kafka_topic_partition_list_add(list, topics[i], p)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
        }
    }
    assert_int_equal(rd_kafka_assign(reader->consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    return reader;
}

static void seen_free(Seen *seen)
{
    for (size_t i = 0; i < seen->header_count; i++) {
        free(seen->headers[i].name);
        buffer_clear(&seen->headers[i].value);
    }
    free(seen->headers);
    buffer_clear(&seen->key);
    buffer_clear(&seen->value);
    json_decref(seen->json);
    free(seen);
}

void reader_close(Reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->count; i++) {
        seen_free(reader->seen[i]);
    }
    free(reader->seen);
    (void)rd_kafka_consumer_close(reader->consumer);
    rd_kafka_destroy(reader->consumer);
    free(reader);
}

static void copy_headers(const rd_kafka_message_t *message, Seen *seen)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    seen->header_count = rd_kafka_header_cnt(headers);
    seen->headers = alloc_zeroed(seen->header_count + 1, sizeof(SeenHeader));
    for (size_t i = 0; i < seen->header_count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t size = 0;
        assert_int_equal(rd_kafka_header_get_all(headers, i, &name, &value, &size), 0);
        seen->headers[i].name = alloc_text(name);
        buffer_set(&seen->headers[i].value, (Bytes){value, size});
    }
}

static void decode(Seen *seen)
{
    const ProtobufCMessageDescriptor *descriptor = seen->topic == SEEN_EVENTS
                                                       ? &provisioning__v1__event__descriptor
                                                       : &provisioning__v1__state__descriptor;
    if (seen->topic == SEEN_DEAD_LETTERS || seen->is_tombstone) {
        return;
    }
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, NULL, seen->value.size, seen->value.data);
    assert_non_null(message);
    seen->json = json_from_message(message);
    protobuf_c_message_free_unpacked(message, NULL);
}

static SeenTopic topic_of(const Reader *reader, const char *name)
{
    for (int i = 0; i < SEEN_TOPIC_COUNT; i++) {
        if (strcmp(name, reader->topics[i]) == 0) {
            return (SeenTopic)i;
        }
    }
    fail_msg("a record of %s", name);
    return SEEN_TOPIC_COUNT;
}

static void keep(Reader *reader, const rd_kafka_message_t *message)
{
    Seen *seen = alloc_zeroed(1, sizeof(*seen));
    assert_true(reader->count < SEEN_MAX);
    seen->topic = topic_of(reader, rd_kafka_topic_name(message->rkt));
    seen->partition = message->partition;
    seen->offset = message->offset;
    seen->timestamp_ms = rd_kafka_message_timestamp(message, NULL);
    buffer_set(&seen->key, (Bytes){message->key, message->key_len});
    buffer_set(&seen->value, (Bytes){message->payload, message->len});
    seen->is_tombstone = message->payload == NULL;
    copy_headers(message, seen);
    reader->seen[reader->count++] = seen;
    decode(seen);
}

static void take(Reader *reader, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        SeenTopic topic = topic_of(reader, rd_kafka_topic_name(message->rkt));
        reader->at_end[topic][message->partition] = true;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        SeenTopic topic = topic_of(reader, rd_kafka_topic_name(message->rkt));
        reader->at_end[topic][message->partition] = false;
        reader->next[topic][message->partition] = message->offset + 1;
        keep(reader, message);
    } // else: the broker is away for now; what comes after it counts
}

void reader_poll(Reader *reader, int wait_ms)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->consumer, wait_ms);
    while (message != NULL) {
        take(reader, message);
        rd_kafka_message_destroy(message);
        message = rd_kafka_consumer_poll(reader->consumer, 0);
    }
}

static bool is_whole(void *context)
{
    Reader *reader = context;
    bool whole = true;
    reader_poll(reader, POLL_MS);
    for (int topic = 0; topic < SEEN_TOPIC_COUNT; topic++) {
        for (int32_t p = 0; p < reader->partitions[topic]; p++) {
            whole = whole && reader->at_end[topic][p];
        }
    }
    return whole;
}

void reader_read_to_end(Reader *reader)
{
    // from here on: an end told before may be older than this call
    memset(reader->at_end, 0, sizeof(reader->at_end));
    rd_kafka_topic_partition_list_t *list = NULL;
    assert_int_equal(rd_kafka_assignment(reader->consumer, &list), RD_KAFKA_RESP_ERR_NO_ERROR);
    // an assignment from the same positions makes librdkafka tell each end anew; it forgets its own
    // of partitions from which nothing came since the last one
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *one = &list->elems[i];
        int64_t next = reader->next[topic_of(reader, one->topic)][one->partition];
        one->offset = next > 0 ? next : RD_KAFKA_OFFSET_BEGINNING;
    }
    assert_int_equal(rd_kafka_assign(reader->consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    wait_until(is_whole, reader, END_SECONDS, "the end of every topic");
}

size_t reader_count(const Reader *reader)
{
    return reader->count;
}

const Seen *reader_at(const Reader *reader, size_t index)
{
    assert_true(index < reader->count);
    return reader->seen[index];
}
