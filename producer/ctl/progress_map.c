#include "ctl/progress_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void progress_map_read(const rd_kafka_topic_partition_t *partition, ProgressMap *ret_map)
{
    *ret_map = (ProgressMap){.committed = partition->offset >= 0 ? partition->offset : -1};
    if (ret_map->committed < 0 || partition->metadata == NULL || partition->metadata_size == 0) {
        return;
    }
    char *text = alloc_bytes(partition->metadata_size + 1);
    memcpy(text, partition->metadata, partition->metadata_size);
    text[partition->metadata_size] = '\0';
    ret_map->void_reason = completion_text_read(ret_map->committed, text, &ret_map->map);
    ret_map->has_map = ret_map->void_reason == NULL;
    free(text);
}

void progress_map_clear(ProgressMap *map)
{
    if (map->has_map) {
        free(map->map.entries);
    }
    *map = (ProgressMap){.committed = -1};
}

bool progress_map_is_finished(const ProgressMap *map, int64_t offset)
{
    if (offset < map->committed) {
        return true;
    }
    if (!map->has_map || offset >= map->map.end) {
        return false;
    }
    for (size_t i = 0; i < map->map.count; i++) {
        if (map->map.entries[i].offset == offset) {
            return false;
        }
    }
    return true;
}

int64_t progress_map_backlog(const ProgressMap *map, int64_t low, int64_t end)
{
    int64_t from = map->committed > low ? map->committed : low;
    int64_t known = 0;
    if (map->has_map) {
        known = (int64_t)map->map.count;
        from = map->map.end > from ? map->map.end : from;
    }
    return known + (end > from ? end - from : 0);
}
