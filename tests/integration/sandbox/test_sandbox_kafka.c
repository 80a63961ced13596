/* The embedded Kafka: its topics are there and take records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

#include "box.h"

static Box box;

static const char *const ARGUMENTS[] = {
    "--no-compute", "--kafka",       "--kafka-brokers", "2", "--kafka-topic",
    "commands:6",   "--kafka-topic", "events:3",        NULL};

static int start(void **state)
{
    (void)state;
    box_start(&box, ARGUMENTS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void count_delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *argument)
{
    (void)client;
    *(int *)argument += message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : 0;
}

static rd_kafka_t *open_producer(int *delivered)
{
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", box.kafka, error, sizeof(error)),
                     RD_KAFKA_CONF_OK);
    rd_kafka_conf_set_opaque(conf, delivered);
    rd_kafka_conf_set_dr_msg_cb(conf, count_delivered);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    assert_non_null(client);
    return client;
}

static int find_partitions(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, name) == 0) {
            return metadata->topics[i].partition_cnt;
        }
    }
    return 0;
}

static void topics_have_their_partitions_and_take_records(void **state)
{
    (void)state;
    int delivered = 0;
    rd_kafka_t *client = open_producer(&delivered);
    const struct rd_kafka_metadata *metadata = NULL;
    assert_int_equal(rd_kafka_metadata(client, 1, NULL, &metadata, 10000),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(metadata->broker_cnt, 2);
    assert_int_equal(find_partitions(metadata, "commands"), 6);
    assert_int_equal(find_partitions(metadata, "events"), 3);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_resp_err_t error =
        rd_kafka_producev(client, RD_KAFKA_V_TOPIC("commands"), RD_KAFKA_V_PARTITION(5),
                          RD_KAFKA_V_VALUE("x", 1), RD_KAFKA_V_END);
    assert_int_equal(error, RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(client, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(delivered, 1);
    rd_kafka_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_have_their_partitions_and_take_records),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
