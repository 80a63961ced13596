#include "base/murmur2.h"

#include <assert.h>

// Constants, seed and mixing as in Kafka's Utils.murmur2.
static const uint32_t SEED = 0x9747b28c;
static const uint32_t MULTIPLIER = 0x5bd1e995;

static uint32_t little_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

uint32_t murmur2_hash(Bytes key)
{
    uint32_t hash = SEED ^ (uint32_t)key.size;
    size_t whole = key.size & ~(size_t)3;
    for (size_t i = 0; i < whole; i += 4) {
        uint32_t word = little_endian(key.data + i) * MULTIPLIER;
        word = (word ^ word >> 24) * MULTIPLIER;
        hash = hash * MULTIPLIER ^ word;
    }
    if (key.size > whole) {
        for (size_t i = key.size; i > whole; i--) {
            hash ^= (uint32_t)key.data[i - 1] << 8 * (i - 1 - whole);
        }
        hash *= MULTIPLIER;
    }
    hash = (hash ^ hash >> 13) * MULTIPLIER;
    return hash ^ hash >> 15;
}

int32_t murmur2_partition(Bytes key, int32_t partitions)
{
    assert(partitions > 0);
    return (int32_t)(murmur2_hash(key) & 0x7fffffff) % partitions;
}
