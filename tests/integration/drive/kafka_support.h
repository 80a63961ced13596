/*
 * A broker seen from outside: topics of a test's own, commands written to them, what a reader that
 * sees only committed records finds, and what the group has committed.
 */
#ifndef DRIVE_TEST_KAFKA_SUPPORT_H
#define DRIVE_TEST_KAFKA_SUPPORT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"

enum { SEEN_TEXT_BYTES = 64 };

typedef struct KafkaNames {
    const char *bootstrap;
    char group[SEEN_TEXT_BYTES];
    char commands[SEEN_TEXT_BYTES];
    char events[SEEN_TEXT_BYTES];
    char state[SEEN_TEXT_BYTES];
    char dead_letters[SEEN_TEXT_BYTES];
} KafkaNames;

typedef struct KafkaSeen {
    char key[SEEN_TEXT_BYTES];
    char value[SEEN_TEXT_BYTES];
    bool tombstone;
    char header[SEEN_TEXT_BYTES]; // value of the header "test"
    char bytes[SEEN_TEXT_BYTES];  // value of the header "dlq-value-bytes"
} KafkaSeen;

// Creates the topics, with names of their own. `events_limit`: the largest record that the broker
// takes as an event, or NULL.
void kafka_make_topics(const char *bootstrap, int partitions, const char *events_limit,
                       KafkaNames *ret_names);
Settings *kafka_settings(const KafkaNames *names);
// Sets that limit later; the broker applies it a moment after this has returned.
void kafka_limit_topic(const KafkaNames *names, const char *topic, const char *max_bytes);
// Values "P-0" to "P-<count - 1>" to partition P, after what is there.
void kafka_write(const KafkaNames *names, int32_t partition, int count);
size_t kafka_read(const KafkaNames *names, const char *topic, KafkaSeen *seen, size_t size);
// The group's offset of a partition of the commands, -1 = none; and its metadata.
int64_t kafka_committed(const KafkaNames *names, int32_t partition, char *ret_metadata,
                        size_t size);
// A producer with an open transaction that holds an offset of the group; it ends by its timeout.
rd_kafka_t *kafka_open_transaction(const KafkaNames *names, const char *timeout_ms);

#endif
