#include "lib/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "lib/fault.h"

static void on_error(rd_kafka_t *kafka, int code, const char *reason, void *opaque)
{
    (void)kafka;
    Broker *broker = opaque;
    pthread_mutex_lock(&broker->lock);
    // "All brokers are down" says less than what came before it.
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || broker->trouble[0] == '\0') {
        (void)snprintf(broker->trouble, sizeof(broker->trouble), "%s", reason);
    }
    pthread_mutex_unlock(&broker->lock);
}

static void broker_free(Broker *broker)
{
    pthread_mutex_destroy(&broker->lock);
    free(broker);
}

Broker *broker_open(rd_kafka_type_t type, rd_kafka_conf_t *conf, ProvisionError *err)
{
    Broker *broker = alloc_zeroed(1, sizeof(*broker));
    pthread_mutex_init(&broker->lock, NULL);
    size_t size = sizeof(broker->servers);
    if (rd_kafka_conf_get(conf, "bootstrap.servers", broker->servers, &size) != RD_KAFKA_CONF_OK) {
        (void)snprintf(broker->servers, sizeof(broker->servers), "bootstrap.servers");
    }
    rd_kafka_conf_set_opaque(conf, broker);
    rd_kafka_conf_set_error_cb(conf, on_error);
    char reason[256];
    broker->kafka = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (broker->kafka == NULL) {
        rd_kafka_conf_destroy(conf);
        broker_free(broker);
        fault_set(err, PROVISION_ERROR_INVALID, "OPTION_INVALID",
                  "librdkafka refuses its properties: %s", reason);
        return NULL;
    }
    return broker;
}

void broker_close(Broker *broker)
{
    if (broker != NULL) {
        rd_kafka_destroy(broker->kafka);
        broker_free(broker);
    }
}

static bool is_missing_topic(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

bool broker_is_passing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

bool broker_fault_now(Broker *broker, const char *topic, rd_kafka_resp_err_t code,
                      ProvisionError *err)
{
    if (is_missing_topic(code)) {
        return fault_set(err, PROVISION_ERROR_UNAVAILABLE, "TOPIC_MISSING",
                         "there is no topic %s at %s: create the topics with `provision-worker "
                         "topics create`, or name the right ones",
                         topic, broker->servers);
    }
    pthread_mutex_lock(&broker->lock);
    char trouble[sizeof(broker->trouble)];
    memcpy(trouble, broker->trouble, sizeof(trouble));
    pthread_mutex_unlock(&broker->lock);
    return fault_set(err, PROVISION_ERROR_UNAVAILABLE, "KAFKA_UNAVAILABLE",
                     "Kafka at %s: %s%s%s%s; check bootstrap.servers and that the broker runs",
                     broker->servers, rd_kafka_err2str(code), trouble[0] == '\0' ? "" : " (",
                     trouble, trouble[0] == '\0' ? "" : ")");
}

bool broker_fault(Broker *broker, const char *topic, rd_kafka_resp_err_t code, ProvisionError *err)
{
    rd_kafka_poll(broker->kafka, 0); // delivers what on_error has to know
    return broker_fault_now(broker, topic, code, err);
}

static void free_metadata(const struct rd_kafka_metadata **metadata)
{
    if (*metadata != NULL) {
        rd_kafka_metadata_destroy(*metadata);
    }
}

static void free_topic(rd_kafka_topic_t **topic)
{
    if (*topic != NULL) {
        rd_kafka_topic_destroy(*topic);
    }
}

static rd_kafka_resp_err_t ask_partitions(Broker *broker, rd_kafka_topic_t *handle, int timeout_ms,
                                          int32_t *ret_count)
{
    const struct rd_kafka_metadata *metadata CLEANUP(free_metadata) = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(broker->kafka, 0, handle, &metadata, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    if (metadata->topic_cnt != 1) {
        return RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    }
    const struct rd_kafka_metadata_topic *topic = &metadata->topics[0];
    if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt <= 0) {
        return RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    }
    *ret_count = topic->partition_cnt;
    return topic->err;
}

bool broker_count_partitions(Broker *broker, const char *topic, Deadline deadline,
                             int32_t *ret_count, ProvisionError *err)
{
    rd_kafka_topic_t *handle CLEANUP(free_topic) = rd_kafka_topic_new(broker->kafka, topic, NULL);
    if (handle == NULL) {
        return broker_fault(broker, topic, rd_kafka_last_error(), err);
    }
    for (;;) {
        int left_ms = deadline_left_ms(deadline);
        int timeout_ms = left_ms < BROKER_CONTACT_MS ? left_ms : BROKER_CONTACT_MS;
        rd_kafka_resp_err_t code = ask_partitions(broker, handle, timeout_ms, ret_count);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            return true;
        }
        bool passing = broker_is_passing(code) && !is_missing_topic(code);
        if (!passing || left_ms == 0) {
            return broker_fault(broker, topic, code, err);
        }
        rd_kafka_poll(broker->kafka, 100);
    }
}
