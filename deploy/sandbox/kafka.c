#include "kafka.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct Kafka {
    rd_kafka_t *client; /* the mock cluster lives on its threads */
    rd_kafka_mock_cluster_t *cluster;
};

static bool parse_topic(const char *text, char *ret_name, size_t name_bytes, int *ret_partitions)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || !text_copy(ret_name, name_bytes, text)) {
        return false;
    }
    ret_name[colon - text] = '\0';
    char *end = NULL;
    errno = 0;
    long partitions = strtol(colon + 1, &end, 10);
    *ret_partitions = (int)partitions;
    return errno == 0 && *end == '\0' && partitions >= 1 && partitions <= 1000;
}

static bool create_topics(const Kafka *kafka, const Options *options, char *ret_error,
                          size_t error_bytes)
{
    for (int i = 0; i < options->kafka_topic_count; i++) {
        char name[256];
        int partitions = 0;
        if (!parse_topic(options->kafka_topics[i], name, sizeof(name), &partitions)) {
            text_format(ret_error, error_bytes, "--kafka-topic '%s' is not NAME:PARTITIONS",
                        options->kafka_topics[i]);
            return false;
        }
        rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(kafka->cluster, name, partitions, 1);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            text_format(ret_error, error_bytes, "topic %s: %s", name, rd_kafka_err2str(error));
            return false;
        }
    }
    return true;
}

Kafka *kafka_open(const Options *options, char *ret_error, size_t error_bytes)
{
    Kafka *kafka = calloc(1, sizeof(*kafka));
    if (kafka == NULL) {
        abort();
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    /* The client only carries the mock; that it has no brokers of its own is no news. */
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
    rd_kafka_conf_set(conf, "socket.nagle.disable", "true", NULL, 0);
    /* It connects to nobody, which librdkafka would remark upon. */
    rd_kafka_conf_set(conf, "log_level", "4", NULL, 0);
    kafka->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, ret_error, error_bytes);
    if (kafka->client == NULL) {
        rd_kafka_conf_destroy(conf);
        free(kafka);
        return NULL;
    }
    kafka->cluster = rd_kafka_mock_cluster_new(kafka->client, options->kafka_brokers);
    if (kafka->cluster == NULL) {
        text_format(ret_error, error_bytes, "librdkafka's mock cluster can't be opened");
        kafka_close(kafka);
        return NULL;
    }
    if (!create_topics(kafka, options, ret_error, error_bytes)) {
        kafka_close(kafka);
        return NULL;
    }
    return kafka;
}

void kafka_close(Kafka *kafka)
{
    if (kafka->cluster != NULL) {
        rd_kafka_mock_cluster_destroy(kafka->cluster);
    }
    rd_kafka_destroy(kafka->client);
    free(kafka);
}

const char *kafka_bootstrap(const Kafka *kafka)
{
    return rd_kafka_mock_cluster_bootstraps(kafka->cluster);
}
