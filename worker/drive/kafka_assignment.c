#include "drive/kafka_assignment.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

KafkaAssignment *kafka_assignment_ref(KafkaAssignment *assignment)
{
    __atomic_add_fetch(&assignment->references, 1, __ATOMIC_RELAXED);
    return assignment;
}

void kafka_assignment_unref(KafkaAssignment *assignment)
{
    if (assignment == NULL ||
        __atomic_sub_fetch(&assignment->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    rd_kafka_consumer_group_metadata_destroy(assignment->group);
    free(assignment->metadata);
    free(assignment);
}

// librdkafka has no public copy of group metadata but through bytes.
static rd_kafka_consumer_group_metadata_t *copy_group(
    const rd_kafka_consumer_group_metadata_t *from)
{
    void *bytes = NULL;
    size_t size = 0;
    rd_kafka_consumer_group_metadata_t *copy = NULL;
    rd_kafka_error_t *failed = rd_kafka_consumer_group_metadata_write(from, &bytes, &size);
    if (failed == NULL) {
        failed = rd_kafka_consumer_group_metadata_read(&copy, bytes, size);
    }
    if (failed != NULL) {
        abort(); // only memory can fail here
    }
    rd_kafka_mem_free(NULL, bytes);
    return copy;
}

KafkaAssignment *kafka_assignment_new(uint64_t id, uint64_t rebalance,
                                      const rd_kafka_topic_partition_t *committed,
                                      const rd_kafka_consumer_group_metadata_t *group)
{
    KafkaAssignment *assignment = alloc_zeroed(1, sizeof(*assignment));
    assignment->id = id;
    assignment->rebalance = rebalance;
    assignment->partition = committed->partition;
    assignment->committed = committed->offset >= 0 ? committed->offset : -1;
    if (committed->metadata_size > 0) {
        assignment->metadata = alloc_zeroed(1, committed->metadata_size + 1);
        memcpy(assignment->metadata, committed->metadata, committed->metadata_size);
    }
    assignment->group = copy_group(group);
    assignment->references = 1;
    return assignment;
}
