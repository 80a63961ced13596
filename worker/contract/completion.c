#include "contract/completion.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contract/completion_text.h"

enum { FIRST_CAPACITY = 16 };

struct Completion {
    // Unfinished offsets: first those delivered here, then those that only the restored map names.
    CompletionMap map;
    size_t capacity;
    size_t delivered;
    int64_t last; // delivered last; -1: none
    bool restored;
};

Completion *completion_new(int64_t committed_offset, const char *metadata,
                           const char **ret_void_reason)
{
    Completion *completion = alloc_zeroed(1, sizeof *completion);
    completion->map.end = committed_offset;
    completion->last = -1;
    *ret_void_reason = NULL;
    if (metadata == NULL || metadata[0] == '\0') {
        return completion;
    }
    *ret_void_reason = completion_text_read(committed_offset, metadata, &completion->map);
    if (*ret_void_reason == NULL) {
        completion->capacity = completion->map.count;
        completion->restored = true;
    }
    return completion;
}

void completion_free(Completion *completion)
{
    if (completion != NULL) {
        free(completion->map.entries);
        free(completion);
    }
}

static void remove_entries(Completion *completion, size_t from, size_t count)
{
    CompletionMap *map = &completion->map;
    memmove(map->entries + from, map->entries + from + count,
            (map->count - from - count) * sizeof map->entries[0]);
    map->count -= count;
}

static void append_entry(Completion *completion, int64_t offset, int64_t timestamp_ms)
{
    CompletionMap *map = &completion->map;
    if (map->count == completion->capacity) {
        completion->capacity =
            completion->capacity == 0 ? FIRST_CAPACITY : completion->capacity * 2;
        map->entries = alloc_resize(map->entries, completion->capacity * sizeof map->entries[0]);
    }
    map->entries[map->count++] = (CompletionEntry){offset, timestamp_ms};
}

// Why the restored map can't speak of the topic that this first record comes from.
static const char *doubt_map(const Completion *completion, int64_t offset, int64_t timestamp_ms)
{
    const CompletionEntry *base = &completion->map.entries[0];
    if (base->offset != offset) {
        return "the first record is not the one at the completion map's base";
    }
    if (base->timestamp_ms != 0 && timestamp_ms != 0 && base->timestamp_ms != timestamp_ms) {
        return "the record at the completion map's base has another timestamp";
    }
    return NULL;
}

static void forget(Completion *completion, int64_t offset)
{
    completion->map.count = 0;
    completion->map.end = offset;
    completion->delivered = 0;
    completion->restored = false;
}

// Whether what is tracked can be of the topic that the record comes from; the reason why not.
static const char *check_record(Completion *completion, int64_t offset, int64_t timestamp_ms)
{
    const char *reason = NULL;
    if (completion->last >= offset) {
        reason = "the partition's offsets went back";
    } else if (completion->last < 0 && completion->restored) {
        reason = doubt_map(completion, offset, timestamp_ms);
    }
    if (reason != NULL || (completion->last < 0 && !completion->restored)) {
        forget(completion, offset);
    }
    return reason;
}

// Forgets what the restored map names below `offset`: it doesn't exist any more.
static void skip_missing(Completion *completion, int64_t offset)
{
    const CompletionMap *map = &completion->map;
    size_t missing = 0;
    while (completion->delivered + missing < map->count &&
           map->entries[completion->delivered + missing].offset < offset) {
        missing++;
    }
    if (missing > 0) {
        remove_entries(completion, completion->delivered, missing);
    }
}

CompletionDelivery completion_deliver(Completion *completion, int64_t offset, int64_t timestamp_ms,
                                      const char **ret_void_reason)
{
    *ret_void_reason = check_record(completion, offset, timestamp_ms);
    completion->last = offset;
    skip_missing(completion, offset);
    if (offset >= completion->map.end) {
        append_entry(completion, offset, timestamp_ms);
        completion->map.end = offset + 1;
    } else if (completion->delivered == completion->map.count ||
               completion->map.entries[completion->delivered].offset != offset) {
        return COMPLETION_FINISHED;
    } else {
        completion->map.entries[completion->delivered].timestamp_ms = timestamp_ms;
    }
    completion->delivered++;
    return COMPLETION_RUN;
}

static int compare_entries(const void *a, const void *b)
{
    int64_t left = ((const CompletionEntry *)a)->offset;
    int64_t right = ((const CompletionEntry *)b)->offset;
    return (left > right) - (left < right);
}

void completion_finish(Completion *completion, int64_t offset)
{
    const CompletionEntry wanted = {.offset = offset};
    const CompletionEntry *entries = completion->map.entries;
    const CompletionEntry *found =
        completion->delivered == 0
            ? NULL
            : bsearch(&wanted, entries, completion->delivered, sizeof *entries, compare_entries);
    if (found != NULL) {
        remove_entries(completion, (size_t)(found - entries), 1);
        completion->delivered--;
    }
}

int64_t completion_offset(const Completion *completion)
{
    const CompletionMap *map = &completion->map;
    return map->count > 0 ? map->entries[0].offset : map->end;
}

// Without a hole between the base and the end there is nothing to tell.
static bool is_plain(const CompletionMap *map)
{
    return map->count == 0 || map->end - map->entries[0].offset == (int64_t)map->count;
}

void completion_metadata(const Completion *completion, Text *text)
{
    text_clear(text);
    if (!is_plain(&completion->map)) {
        completion_text_append(&completion->map, text);
    }
}

bool completion_is_full(const Completion *completion)
{
    const CompletionMap *map = &completion->map;
    return map->count >= COMPLETION_UNFINISHED_MAX ||
           (!is_plain(map) && completion_text_length(map) >= COMPLETION_TEXT_PRESSURE);
}

size_t completion_unfinished(const Completion *completion)
{
    return completion->map.count;
}

int64_t completion_position(const Completion *completion)
{
    return completion->map.end;
}
