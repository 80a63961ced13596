/*
 * What the group has committed for the command topic, read and written as an operator's tools do
 * it: writing needs a group without members.
 */
#ifndef E2E_OFFSETS_H
#define E2E_OFFSETS_H

#include "contract/completion_text.h"
#include "support/world.h"

typedef struct Committed {
    int64_t offset;       // -1: none
    const char *metadata; // kept until the program ends
} Committed;

Committed offsets_read(World *world, int32_t partition);
void offsets_write(World *world, int32_t partition, int64_t offset, const char *metadata);
// Behind the partition's last record.
int64_t offsets_end(World *world, int32_t partition);
// Waits until all below `end` is finished but for one record at `stuck` (-1: nothing).
void offsets_await(World *world, int32_t partition, int64_t stuck, int64_t end, int seconds);

#endif
