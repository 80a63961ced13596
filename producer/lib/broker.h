/*
 * A connection to the cluster that knows the last trouble with it, so that errors can say more than
 * "timed out".
 */
#ifndef LIB_BROKER_H
#define LIB_BROKER_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "lib/deadline.h"
#include "provision/provision.h"

enum { BROKER_CONTACT_MS = 10000 }; // how long a cluster may take for its first answer

typedef struct Broker {
    rd_kafka_t *kafka;
    pthread_mutex_t lock;
    char trouble[200]; // under lock; empty: none
    char servers[200];
} Broker;

// Takes over `conf`. NULL with OPTION_INVALID when librdkafka refuses it.
Broker *broker_open(rd_kafka_type_t type, rd_kafka_conf_t *conf, ProvisionError *err);
void broker_close(Broker *broker);

// Number of partitions of a topic. Errors: KAFKA_UNAVAILABLE, TOPIC_MISSING.
bool broker_count_partitions(Broker *broker, const char *topic, Deadline deadline,
                             int32_t *ret_count, ProvisionError *err);

// Whether it passes by itself: leadership of a partition is moving, or a new topic is not known
// everywhere yet.
bool broker_is_passing(rd_kafka_resp_err_t code);

// Fills *err for what librdkafka answered: KAFKA_UNAVAILABLE or TOPIC_MISSING. Returns false.
bool broker_fault(Broker *broker, const char *topic, rd_kafka_resp_err_t code, ProvisionError *err);
// The same within a callback of librdkafka, where nothing may be polled.
bool broker_fault_now(Broker *broker, const char *topic, rd_kafka_resp_err_t code,
                      ProvisionError *err);

#endif
