/*
 * Consumers that read a topic without joining the group or committing anything: for a look before
 * the worker starts, and for tasks beside it. Blocks.
 */
#ifndef DRIVE_KAFKA_READER_H
#define DRIVE_KAFKA_READER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"

// Sees committed records only, and the end of each partition. NULL: KAFKA_SETUP.
rd_kafka_t *kafka_reader_open(const Settings *settings, Error *err);
void kafka_reader_close_at(rd_kafka_t **reader); // for CLEANUP
// 0: there is no such topic. Codes: KAFKA_ and librdkafka's.
bool kafka_reader_count(rd_kafka_t *reader, const char *topic, int32_t *ret_partitions, Error *err);

typedef void KafkaReaderVisitor(void *context, const rd_kafka_message_t *message);

// All records that a topic has now, each partition in its order. Codes: as above, and
// KAFKA__TIMED_OUT where nothing came for half a minute.
bool kafka_reader_read(rd_kafka_t *reader, const char *topic, KafkaReaderVisitor *visit,
                       void *context, Error *err);

#endif
