/*
 * The completion map's text form (see completion.h): for completion.c, and for programs that only
 * look at it.
 */
#ifndef CONTRACT_COMPLETION_TEXT_H
#define CONTRACT_COMPLETION_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

typedef struct CompletionEntry {
    int64_t offset;
    int64_t timestamp_ms; // 0: not known
} CompletionEntry;

typedef struct CompletionMap {
    CompletionEntry *entries; // unfinished, rising; the first is the base; on the heap
    size_t count;
    int64_t end; // nothing at or above it was delivered
} CompletionMap;

// Characters that the whole map takes.
size_t completion_text_length(const CompletionMap *map);

// Appends as much of the map as fits; there is at least one entry.
void completion_text_append(const CompletionMap *map, Text *text);

// NULL and the map, whose entries the caller frees; else why it can't be read (static text).
const char *completion_text_read(int64_t base, const char *text, CompletionMap *ret_map);

#endif
