/*
 * Kafka's default partitioner (Java client): murmur2 of the key, sign bit cleared, modulo the
 * number of partitions. https://github.com/apache/kafka — clients, Utils.murmur2.
 */
#ifndef BASE_MURMUR2_H
#define BASE_MURMUR2_H

#include <stdint.h>

#include "base/bytes.h"

uint32_t murmur2_hash(Bytes key);
// `partitions` > 0.
int32_t murmur2_partition(Bytes key, int32_t partitions);

#endif
