#include "support/offsets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/cmocka.h"
#include "support/wait.h"

enum { CALL_MS = 10000 };

static rd_kafka_t *open_group(const World *world)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", world->bootstrap, reason, sizeof(reason)),
        RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "group.id", world->name, reason, sizeof(reason)),
                     RD_KAFKA_CONF_OK);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    assert_non_null(client);
    return client;
}

// Opened once; ends with the program.
static rd_kafka_t *group_of(const World *world)
{
    static rd_kafka_t *client;
    client = client == NULL ? open_group(world) : client;
    return client;
}

Committed offsets_read(World *world, int32_t partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, world->topics[0], partition);
    assert_int_equal(rd_kafka_committed(group_of(world), list, CALL_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    const rd_kafka_topic_partition_t *found = &list->elems[0];
    Committed committed = {
        .offset = found->offset < 0 ? -1 : found->offset,
        .metadata = box_text("%.*s", (int)found->metadata_size,
                             found->metadata == NULL ? "" : (const char *)found->metadata)};
    rd_kafka_topic_partition_list_destroy(list);
    return committed;
}

void offsets_write(World *world, int32_t partition, int64_t offset, const char *metadata)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *one =
        rd_kafka_topic_partition_list_add(list, world->topics[0], partition);
    one->offset = offset;
    one->metadata = alloc_text(metadata);
    one->metadata_size = strlen(metadata);
    assert_int_equal(rd_kafka_commit(group_of(world), list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
}

int64_t offsets_end(World *world, int32_t partition)
{
    int64_t low = 0;
    int64_t high = 0;
    assert_int_equal(rd_kafka_query_watermark_offsets(group_of(world), world->topics[0], partition,
                                                      &low, &high, CALL_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    return high;
}

typedef struct Awaited {
    World *world;
    int32_t partition;
    int64_t stuck;
    int64_t end;
} Awaited;

static bool is_there(void *context)
{
    const Awaited *awaited = context;
    CompletionMap map = {.count = 0};
    Committed now = offsets_read(awaited->world, awaited->partition);
    if (awaited->stuck < 0) {
        return now.offset == awaited->end;
    }
    bool there = now.offset == awaited->stuck && now.metadata[0] != '\0' &&
                 completion_text_read(now.offset, now.metadata, &map) == NULL && map.count == 1 &&
                 map.end == awaited->end;
    free(map.entries);
    return there;
}

void offsets_await(World *world, int32_t partition, int64_t stuck, int64_t end, int seconds)
{
    Awaited awaited = {world, partition, stuck, end};
    wait_until(is_there, &awaited, seconds, "all below %" PRId64 " to be finished", end);
}
