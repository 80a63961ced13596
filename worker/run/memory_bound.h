/*
 * How much memory a worker takes at most, computed from its configuration, so that a container's
 * limit can be chosen by it. The terms stand in memory_bound.c; they are bounds, not sizes in use:
 * an idle worker takes its base. Not counted: JSON that is larger in memory than Neon's ever was,
 * and records that were compressed to less than a quarter.
 */
#ifndef RUN_MEMORY_BOUND_H
#define RUN_MEMORY_BOUND_H

#include <stdint.h>

#include "base/settings.h"

// Inventories of accounts that a worker collects at once; whoever wants another one waits.
// Likewise of runs over environments' roles, each of which has up to ROLES_RUN_SESSIONS
// connections; and the answers of all of them.
enum {
    MEMORY_BOUND_INVENTORIES = 4,
    MEMORY_BOUND_ROLE_RUNS = 64,
    MEMORY_BOUND_ROLE_ANSWERS_BYTES = 16 * 1024 * 1024,
};

// What the drivers say of themselves.
typedef struct MemoryFacts {
    int64_t consumer_bytes; // what the consumer prefetches and receives
    int64_t batch_bytes;    // of one Kafka transaction
    int64_t connections;    // to Neon at once
    int64_t partitions;     // of the command topic
} MemoryFacts;

int64_t memory_bound_bytes(const Settings *settings, const MemoryFacts *facts);

#endif
