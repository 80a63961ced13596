/*
 * The completion map: which records of a partition at or above the committed offset are finished
 * although earlier ones are not. It travels as the metadata of the committed offset.
 *
 * Text form: base64url of: version byte 1; timestamp of the record at the base (8 bytes,
 * big-endian, 0 when unknown); number of unfinished offsets (varint); distances between consecutive
 * unfinished offsets, from the base, as varints (the base itself is unfinished and not listed); the
 * offset at and above which nothing was delivered, as a varint distance from the base; CRC-32
 * (4 bytes, big-endian) of all that followed by the base (8 bytes, big-endian), so that a map is
 * void beside any other offset. At most COMPLETION_UNFINISHED_MAX unfinished offsets; the text is
 * shorter than 4,096 characters (offset.metadata.max.bytes of a broker). Gaps in offsets are normal
 * (transaction markers): an offset that never arrives counts as finished once a later one was
 * delivered.
 */
#ifndef CONTRACT_COMPLETION_H
#define CONTRACT_COMPLETION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum {
    COMPLETION_UNFINISHED_MAX = 1000,
    COMPLETION_TEXT_MAX = 4096,
    COMPLETION_TEXT_PRESSURE = 3072, // 75 %: take no new records
};

// Tracks one assignment of one partition.
typedef struct Completion Completion;

// Starts at the committed offset (-1: none, the first record delivered is the base) with its
// metadata ("" or NULL: no map). A map that can't be read, or whose base is another offset, is
// void: *ret_void_reason says why (static text), else NULL.
Completion *completion_new(int64_t committed_offset, const char *metadata,
                           const char **ret_void_reason);
void completion_free(Completion *completion);

typedef enum CompletionDelivery {
    COMPLETION_RUN,      // unfinished: run it
    COMPLETION_FINISHED, // the map says that it is finished
} CompletionDelivery;

// Every consumed record goes through here, in order. *ret_void_reason is NULL (else static text)
// unless the record shows that the topic is another one than before: a first record that isn't the
// one at the map's base, or has another timestamp, voids the map; a later one that isn't above the
// last voids all that was tracked, and what runs of it should be dropped.
CompletionDelivery completion_deliver(Completion *completion, int64_t offset, int64_t timestamp_ms,
                                      const char **ret_void_reason);
// `offset` was delivered as COMPLETION_RUN. One that isn't tracked any more is ignored.
void completion_finish(Completion *completion, int64_t offset);

// Offset to commit: the lowest unfinished, or the position behind the last record that was
// delivered (here or, by the map, in an earlier assignment); -1: nothing to commit.
int64_t completion_offset(const Completion *completion);
// Metadata to commit with it: empty when nothing above the base is finished. Always fits: where
// more is unfinished than a map holds, it ends at the offset up to which it does, and what is above
// would be delivered again as unfinished. `text` is cleared first; its limit is at least
// COMPLETION_TEXT_MAX.
void completion_metadata(const Completion *completion, Text *text);
// No more records should be taken: number of unfinished or length of the text is near its limit.
bool completion_is_full(const Completion *completion);
size_t completion_unfinished(const Completion *completion);
// Behind the last record that was delivered, here or, by the map, in an earlier assignment; -1:
// nothing was, and nothing is committed.
int64_t completion_position(const Completion *completion);

#endif
