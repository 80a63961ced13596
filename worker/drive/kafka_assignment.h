/*
 * Making an assignment from what the group decided and what was committed. Used by drive/kafka_in.
 */
#ifndef DRIVE_KAFKA_ASSIGNMENT_H
#define DRIVE_KAFKA_ASSIGNMENT_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "drive/kafka_in.h"

// `group` is copied. One reference belongs to the caller.
KafkaAssignment *kafka_assignment_new(uint64_t id, uint64_t rebalance,
                                      const rd_kafka_topic_partition_t *committed,
                                      const rd_kafka_consumer_group_metadata_t *group);

#endif
