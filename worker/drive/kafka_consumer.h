/*
 * A consumer client as the guarantees need it, subscribed to the command topic. Used by
 * drive/kafka_in only.
 */
#ifndef DRIVE_KAFKA_CONSUMER_H
#define DRIVE_KAFKA_CONSUMER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"

typedef struct KafkaConsumer {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;         // rebalances and errors
    rd_kafka_queue_t *closing_queue; // in its place from kafka_consumer_leave on; NULL before
    int64_t session_timeout_ms;
    int64_t memory_bytes; // that it takes at most, as configured
} KafkaConsumer;

// Code KAFKA_SETUP.
bool kafka_consumer_open(KafkaConsumer *consumer, const Settings *settings, Error *err);
// `event_fd` is written to when events come in after there were none.
void kafka_consumer_signal(const KafkaConsumer *consumer, int event_fd);
// The next event without waiting, or NULL.
rd_kafka_event_t *kafka_consumer_poll(const KafkaConsumer *consumer);
// Starts to leave the group; rd_kafka_consumer_closed tells when that is done. False: there is
// nothing to wait for.
bool kafka_consumer_leave(KafkaConsumer *consumer, int event_fd);
// All but the client itself, whose end may block.
void kafka_consumer_release(KafkaConsumer *consumer);

#endif
