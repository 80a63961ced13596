/*
 * Configuration of a Kafka client: our defaults, then the user's kafka.* settings, then what the
 * guarantees need. And librdkafka's errors as ours, its log lines as ours.
 */
#ifndef DRIVE_KAFKA_CONF_H
#define DRIVE_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"

typedef struct KafkaProperty {
    const char *name; // NULL = end of the list
    const char *value;
} KafkaProperty;

// NULL with code KAFKA_SETUP; the text never holds a secret.
rd_kafka_conf_t *kafka_conf_new(const Settings *settings, KafkaClient client,
                                const KafkaProperty *defaults, const KafkaProperty *forced,
                                Error *err);
int64_t kafka_conf_number(const rd_kafka_conf_t *conf, const char *property); // -1 = not one
// Brokers, topic or permissions are missing, and may come.
bool kafka_error_is_absence(rd_kafka_resp_err_t code);
// Code "KAFKA_" and librdkafka's name of the error: KAFKA_ALL_BROKERS_DOWN. Returns false.
bool kafka_error_set(Error *err, ErrorKind kind, rd_kafka_resp_err_t code, const char *text);

#endif
