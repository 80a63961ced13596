/*
 * What the worker holds in memory, commands and bytes, shared out among its partitions: half of
 * each limit is divided into equal shares, which nobody else can use up; the other half goes to
 * whoever comes first. A partition is full when it has used its share and what is common is used up
 * as well. One that holds nothing never is, however large its record, so every partition goes on.
 */
#ifndef RUN_HOLDS_H
#define RUN_HOLDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Hold {
    size_t commands;
    size_t bytes;
} Hold;

typedef struct Holds {
    Hold limit;
    Hold share;  // of one partition
    Hold common; // what is left of the limit
    Hold beyond; // what partitions hold above their shares
    Hold all;
} Holds;

Holds holds_of(Hold limit);
// Shares out anew; what the partitions hold is to be counted again with holds_adopt.
void holds_divide(Holds *holds, size_t partitions);
void holds_adopt(Holds *holds, const Hold *partition);
void holds_take(Holds *holds, Hold *partition, size_t bytes);
void holds_give(Holds *holds, Hold *partition, size_t bytes);
bool holds_is_full(const Holds *holds, const Hold *partition);

#endif
