#include "drive/kafka_consumer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "drive/kafka_conf.h"

static const uint64_t ONE = 1; // what an eventfd takes
enum { FETCH_BYTES = 4 * 1024 * 1024 };

static rd_kafka_conf_t *make_conf(const Settings *settings, Error *err)
{
    static const KafkaProperty DEFAULTS[] = {
        {"client.id", "provision-worker"},
        {"session.timeout.ms", "10000"},
        {"heartbeat.interval.ms", "500"}, // who stays hears of a rebalance by it
        {"fetch.wait.max.ms", "100"},
        // For each partition (of 100,000, 64 MiB and 1 MiB): what is not started is not fetched.
        // A partition with so many is asked for no more for a second
        // (rd_kafka_broker_fetch_toppars), which what comes behind them may wait; with 1,000 of
        // them, large records that compress well took more memory than the worker says it needs
        // (e2e_pressure_ledger).
        {"queued.min.messages", "200"},
        {"queued.max.messages.kbytes", "256"},
        {"fetch.message.max.bytes", "131072"},
        {"fetch.max.bytes", "4194304"}, // FETCH_BYTES, of 50 MiB: a reply is received whole
        {"reconnect.backoff.max.ms", "2000"},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {NULL, NULL},
    };
    bool is_static = settings_flag(settings, SETTING_GROUP_STATIC);
    const KafkaProperty forced[] = {
        {"group.id", settings_text(settings, SETTING_GROUP_ID)},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "earliest"},
        {"partition.assignment.strategy", "range"},
        {"enable.partition.eof", "false"},
        {is_static ? "group.instance.id" : NULL, settings_text(settings, SETTING_INSTANCE_ID)},
        {NULL, NULL},
    };
    return kafka_conf_new(settings, KAFKA_CLIENT_CONSUMER, DEFAULTS, forced, err);
}

// librdkafka refuses less than one record's worth.
static void fit_fetches(rd_kafka_conf_t *conf)
{
    char size[32];
    int64_t record_bytes = kafka_conf_number(conf, "message.max.bytes");
    if (record_bytes > FETCH_BYTES && kafka_conf_number(conf, "fetch.max.bytes") == FETCH_BYTES) {
        (void)snprintf(size, sizeof(size), "%" PRId64, record_bytes);
        rd_kafka_conf_set(conf, "fetch.max.bytes", size, NULL, 0);
    }
}

static void subscribe(rd_kafka_t *client, const char *topic)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t failed = rd_kafka_subscribe(client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    assert(failed == RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)failed;
}

// Prefetched records of each partition, its last one as large as may be, and a reply of a broker or
// two as received and unpacked.
static int64_t memory_of(const rd_kafka_conf_t *conf, const Settings *settings)
{
    enum { REPLIES = 2, PACKING = 4 };
    int64_t partition_bytes = kafka_conf_number(conf, "queued.max.messages.kbytes") * 1024 +
                              kafka_conf_number(conf, "fetch.message.max.bytes") +
                              settings_number(settings, SETTING_COMMANDS_MAX_BYTES);
    return partition_bytes * settings_number(settings, SETTING_TOPICS_PARTITIONS) +
           kafka_conf_number(conf, "fetch.max.bytes") * REPLIES * (1 + PACKING);
}

bool kafka_consumer_open(KafkaConsumer *consumer, const Settings *settings, Error *err)
{
    char text[sizeof(err->text)] = "";
    const char *topic = settings_text(settings, SETTING_TOPIC_COMMANDS);
    *consumer = (KafkaConsumer){.client = NULL};
    rd_kafka_conf_t *conf = make_conf(settings, err);
    if (conf == NULL) {
        return false;
    }
    fit_fetches(conf);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE |
                                       RD_KAFKA_EVENT_ERROR);
    consumer->session_timeout_ms = kafka_conf_number(conf, "session.timeout.ms");
    consumer->memory_bytes = memory_of(conf, settings);
    consumer->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (consumer->client == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, ERROR_INVALID, "KAFKA_SETUP", "%s", text);
    }
    rd_kafka_poll_set_consumer(consumer->client);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->client);
    consumer->topic = rd_kafka_topic_new(consumer->client, topic, NULL);
    subscribe(consumer->client, topic);
    return true;
}

void kafka_consumer_signal(const KafkaConsumer *consumer, int event_fd)
{
    rd_kafka_queue_io_event_enable(consumer->queue, event_fd, &ONE, sizeof(ONE));
}

rd_kafka_event_t *kafka_consumer_poll(const KafkaConsumer *consumer)
{
    bool closing = consumer->closing_queue != NULL;
    return rd_kafka_queue_poll(closing ? consumer->closing_queue : consumer->queue, 0);
}

// A queue of its own: librdkafka forwards the group's queue to it, so it can't be the same one.
bool kafka_consumer_leave(KafkaConsumer *consumer, int event_fd)
{
    consumer->closing_queue = rd_kafka_queue_new(consumer->client);
    rd_kafka_queue_io_event_enable(consumer->closing_queue, event_fd, &ONE, sizeof(ONE));
    rd_kafka_error_t *failed =
        rd_kafka_consumer_close_queue(consumer->client, consumer->closing_queue);
    if (failed == NULL) {
        return true;
    }
    rd_kafka_error_destroy(failed); // there was a fatal error before
    return false;
}

void kafka_consumer_release(KafkaConsumer *consumer)
{
    rd_kafka_queue_io_event_enable(consumer->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(consumer->queue);
    if (consumer->closing_queue != NULL) {
        rd_kafka_queue_io_event_enable(consumer->closing_queue, -1, NULL, 0);
        rd_kafka_queue_destroy(consumer->closing_queue);
    }
    rd_kafka_topic_destroy(consumer->topic);
}
