#include "drive/kafka_reader.h"

#include "base/attr.h"
#include "drive/kafka_conf.h"
#include "sys/clock.h"

enum { REACH_MS = 15000, POLL_MS = 100, SILENCE_MS = 30000 };

void kafka_reader_close_at(rd_kafka_t **reader)
{
    if (*reader != NULL) {
        rd_kafka_destroy(*reader);
    }
}

rd_kafka_t *kafka_reader_open(const Settings *settings, Error *err)
{
    static const KafkaProperty DEFAULTS[] = {
        {"client.id", "provision-worker"},
        {"fetch.wait.max.ms", "50"},
        {NULL, NULL},
    };
    const KafkaProperty forced[] = {
        {"group.id", settings_text(settings, SETTING_GROUP_ID)},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "earliest"},
        {"enable.partition.eof", "true"},
        {"max.partition.fetch.bytes", "65536"}, // a larger record comes alone
        {NULL, NULL},
    };
    char text[sizeof(err->text)] = "";
    rd_kafka_conf_t *conf = kafka_conf_new(settings, KAFKA_CLIENT_CONSUMER, DEFAULTS, forced, err);
    if (conf == NULL) {
        return NULL;
    }
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (client == NULL) {
        rd_kafka_conf_destroy(conf);
        error_set(err, ERROR_INVALID, "KAFKA_SETUP", "%s", text);
    } else {
        rd_kafka_poll_set_consumer(client);
    }
    return client;
}

bool kafka_reader_count(rd_kafka_t *reader, const char *topic, int32_t *ret_partitions, Error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(reader, topic, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(reader, 0, handle, &metadata, REACH_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *ret_partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_error_set(err, ERROR_UNAVAILABLE, code, NULL);
}

static void start_reading(rd_kafka_t *reader, const char *topic, int32_t partitions)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t partition = 0; partition < partitions; partition++) {
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    }
    (void)rd_kafka_assign(reader, list); // only fails after a fatal error
    rd_kafka_topic_partition_list_destroy(list);
}

// Reading stops at each partition's end as it is met first.
static int take(rd_kafka_t *reader, const rd_kafka_message_t *message, KafkaReaderVisitor *visit,
                void *context)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        visit(context, message);
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        rd_kafka_topic_partition_list_t *ended = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(ended, rd_kafka_topic_name(message->rkt),
                                          message->partition);
        (void)rd_kafka_pause_partitions(reader, ended);
        rd_kafka_topic_partition_list_destroy(ended);
        return 1;
    }
    return 0;
}

bool kafka_reader_read(rd_kafka_t *reader, const char *topic, KafkaReaderVisitor *visit,
                       void *context, Error *err)
{
    int32_t partitions = 0;
    if (!kafka_reader_count(reader, topic, &partitions, err)) {
        return false;
    }
    int32_t left = partitions;
    start_reading(reader, topic, partitions);
    int64_t until_boot_ms = clock_boot_ms() + SILENCE_MS;
    while (left > 0 && clock_boot_ms() < until_boot_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, POLL_MS);
        if (message != NULL) {
            left -= take(reader, message, visit, context);
            until_boot_ms = clock_boot_ms() + SILENCE_MS;
            rd_kafka_message_destroy(message);
        }
    }
    (void)rd_kafka_assign(reader, NULL);
    return left == 0 || kafka_error_set(err, ERROR_UNAVAILABLE, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
}
