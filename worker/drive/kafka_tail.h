/*
 * The last records of the command topic that the group has finished: those right below its
 * committed offsets. For a look before the worker starts; nothing is joined or committed. Blocks.
 */
#ifndef DRIVE_KAFKA_TAIL_H
#define DRIVE_KAFKA_TAIL_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"

enum { KAFKA_TAIL_RECORDS = 20 }; // of each partition, transaction markers counted

// `partitions`: how many the topic has.
typedef void KafkaTailVisitor(void *context, int32_t partitions, const rd_kafka_message_t *message);

// False where not all of them could be read in some seconds (committed offsets are held back by a
// dead worker's transaction until it has timed out). Codes: KAFKA_SETUP, KAFKA_ and librdkafka's.
bool kafka_tail_read(const Settings *settings, KafkaTailVisitor *visit, void *context, Error *err);

#endif
