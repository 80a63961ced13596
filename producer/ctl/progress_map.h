/*
 * How far the workers have come with a partition: the group's committed offset and the completion
 * map beside it (contract/completion.h).
 */
#ifndef CTL_PROGRESS_MAP_H
#define CTL_PROGRESS_MAP_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "contract/completion_text.h"

typedef struct ProgressMap {
    int64_t committed; // -1: nothing
    bool has_map;
    const char *void_reason; // why there is a map that can't be read; NULL: none
    CompletionMap map;
} ProgressMap;

// Of what rd_kafka_committed answered for one partition; the caller clears it.
void progress_map_read(const rd_kafka_topic_partition_t *partition, ProgressMap *ret_map);
void progress_map_clear(ProgressMap *map);

bool progress_map_is_finished(const ProgressMap *map, int64_t offset);
// Records below `end` that aren't finished, gaps between records counted as such where no map knows
// them.
int64_t progress_map_backlog(const ProgressMap *map, int64_t low, int64_t end);

#endif
