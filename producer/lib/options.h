/*
 * Options of a client: the topics' names, and properties that pass through to librdkafka but for
 * those that the guarantees rest on.
 */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include <librdkafka/rdkafka.h>

#include "base/crypto.h"
#include "provision/provision.h"

typedef enum OptionsTopic {
    OPTIONS_TOPIC_COMMANDS,
    OPTIONS_TOPIC_EVENTS,
    OPTIONS_TOPIC_STATE,
    OPTIONS_TOPIC_DEAD_LETTERS,
    OPTIONS_TOPIC_COUNT,
} OptionsTopic;

enum { OPTIONS_TOPIC_BYTES = 250 }; // Kafka's limit is 249 characters

struct ProvisionOptions {
    char topics[OPTIONS_TOPIC_COUNT][OPTIONS_TOPIC_BYTES];
    rd_kafka_conf_t *conf;
    CryptoSigner signer; // no private key: commands go unsigned
};

ProvisionOptions *options_copy(const ProvisionOptions *options);

// A configuration that the caller hands to rd_kafka_new: the user's properties, then ours.
rd_kafka_conf_t *options_producer_conf(const ProvisionOptions *options);
rd_kafka_conf_t *options_consumer_conf(const ProvisionOptions *options);

#endif
