/*
 * The fleet's group with one member, which has one thing to do in one partition: reads it from its
 * committed offset on, and publishes one outcome under the rules that workers publish by. Blocks.
 *
 * It is a member like any other, so that whoever joins meanwhile fences it: its transaction then
 * meets another generation and changes nothing. (A commit without membership would be taken at any
 * time: Kafka lets old producers do that, KIP-447.)
 */
#ifndef DRIVE_KAFKA_SOLO_H
#define DRIVE_KAFKA_SOLO_H

#include <librdkafka/rdkafka.h>

#include "base/error.h"
#include "base/settings.h"
#include "drive/kafka_in.h"
#include "drive/publisher.h"

typedef struct KafkaSolo KafkaSolo;

// Error codes of all of them: KAFKA_SETUP, KAFKA_UNAVAILABLE, GROUP_IN_USE (it has other members),
// PARTITION_UNKNOWN.
KafkaSolo *kafka_solo_open(const Settings *settings, int32_t partition, Error *err);
void kafka_solo_close_at(KafkaSolo **solo);
// The partition with its committed offset and metadata.
KafkaAssignment *kafka_solo_assignment(const KafkaSolo *solo);
// Offsets of the first record that is there, and behind the last one.
void kafka_solo_range(const KafkaSolo *solo, int64_t *ret_low, int64_t *ret_high);
// The next record, from the committed one on; it is valid until the next call. NULL: an error, or
// none came for a while.
const rd_kafka_message_t *kafka_solo_next(KafkaSolo *solo, Error *err);
// Records and offset in one transaction. Also: what made the transaction fail.
bool kafka_solo_publish(KafkaSolo *solo, const PublisherItem *item, Error *err);

#endif
