#include "support/topic_bytes.h"

#include <librdkafka/rdkafka.h>

#include "support/cmocka.h"
#include "support/wait.h"

enum { CALL_MS = 20000, END_SECONDS = 30, POLL_MS = 50 };

typedef struct TopicBytes {
    rd_kafka_t *consumer;
    const char *topic;
    TopicBytesVisitor *visit;
    void *context;
    int32_t partitions;
    int32_t ended;
} TopicBytes;

static rd_kafka_t *open_consumer(const char *bootstrap)
{
    const char *const properties[][2] = {
        {"bootstrap.servers", bootstrap}, {"group.id", "e2e-bytes"},
        {"enable.auto.commit", "false"},  {"isolation.level", "read_uncommitted"},
        {"enable.partition.eof", "true"}, {"fetch.wait.max.ms", "50"}};
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        assert_int_equal(
            rd_kafka_conf_set(conf, properties[i][0], properties[i][1], reason, sizeof(reason)),
            RD_KAFKA_CONF_OK);
    }
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    assert_non_null(consumer);
    (void)rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

static void visit_headers(const TopicBytes *bytes, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++) {
        bytes->visit(bytes->context, (Bytes){value, size}, bytes->topic);
        bytes->visit(bytes->context, bytes_of(name), bytes->topic);
    }
}

static bool is_read(void *context)
{
    TopicBytes *bytes = context;
    rd_kafka_message_t *message = rd_kafka_consumer_poll(bytes->consumer, POLL_MS);
    while (message != NULL) {
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            bytes->ended++;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            bytes->visit(bytes->context, (Bytes){message->key, message->key_len}, bytes->topic);
            bytes->visit(bytes->context, (Bytes){message->payload, message->len}, bytes->topic);
            visit_headers(bytes, message);
        }
        rd_kafka_message_destroy(message);
        message = rd_kafka_consumer_poll(bytes->consumer, 0);
    }
    return bytes->ended >= bytes->partitions;
}

void topic_bytes_read(const char *bootstrap, const char *topic, TopicBytesVisitor *visit,
                      void *context)
{
    TopicBytes bytes = {
        .consumer = open_consumer(bootstrap), .topic = topic, .visit = visit, .context = context};
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(bytes.consumer, topic, NULL);
    assert_int_equal(rd_kafka_metadata(bytes.consumer, 0, handle, &metadata, CALL_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    bytes.partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(bytes.partitions);
    for (int32_t p = 0; p < bytes.partitions; p++) {
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    assert_int_equal(rd_kafka_assign(bytes.consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    wait_until(is_read, &bytes, END_SECONDS, "every record of %s", topic);
    (void)rd_kafka_consumer_close(bytes.consumer);
    rd_kafka_destroy(bytes.consumer);
}
