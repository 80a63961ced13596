/*
 * What the consumer group has given to this member, each partition with a queue of its own, so that
 * none waits behind another's records and pausing costs nothing (rd_kafka_pause_partitions throws
 * away what was fetched). A rebalance event only starts something:
 * committed offsets are read on a thread, then the partitions are assigned; on revoke the owner is
 * told, and when it has let go they are unassigned. Used by drive/kafka_in only.
 */
#ifndef DRIVE_KAFKA_GROUP_H
#define DRIVE_KAFKA_GROUP_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "drive/kafka_in.h"
#include "drive/loop.h"

typedef struct KafkaGroup KafkaGroup;

typedef struct KafkaGroupHandler {
    void (*on_assigned)(void *context, KafkaAssignment *const *assignments, size_t count);
    void (*on_revoked)(void *context, KafkaAssignment *const *assignments, size_t count, bool lost);
    void (*on_left)(void *context);    // kafka_group_leave is done
    void (*on_success)(void *context); // a broker answered
} KafkaGroupHandler;

typedef struct KafkaGroupClient {
    rd_kafka_t *client;
    const char *topic; // stays the caller's
    int event_fd;      // written to when records come in after there were none
} KafkaGroupClient;

KafkaGroup *kafka_group_new(Loop *loop, const KafkaGroupClient *client,
                            const KafkaGroupHandler *handler, void *context);
void kafka_group_free(KafkaGroup *group); // nothing of it is on a thread any more
void kafka_group_take(KafkaGroup *group, rd_kafka_event_t *event); // a rebalance
void kafka_group_revoke_done(KafkaGroup *group);
// Lets go of what is assigned, as on revoke, and takes nothing any more.
void kafka_group_leave(KafkaGroup *group);
bool kafka_group_is_reading(const KafkaGroup *group); // a thread uses the client
// Partitions were announced and are still ours.
bool kafka_group_is_assigned(const KafkaGroup *group);
// NULL = not ours now.
KafkaAssignment *kafka_group_find(const KafkaGroup *group, int32_t partition);
// The next record (or error) of those partitions that aren't paused, each in its turn; NULL: there
// is none now. What is paused stays in its queue, which librdkafka keeps short.
rd_kafka_event_t *kafka_group_poll(KafkaGroup *group);
void kafka_group_set_paused(KafkaGroup *group, const KafkaAssignment *assignment, bool paused);
// What is assigned, for kafka_task_read_ends, and its answer. The lists are the caller's; NULL:
// nothing.
rd_kafka_topic_partition_list_t *kafka_group_list(const KafkaGroup *group);
void kafka_group_set_ends(KafkaGroup *group, const rd_kafka_topic_partition_list_t *starts,
                          const rd_kafka_topic_partition_list_t *ends);
// Behind the partition's last record, as last heard; -1: not yet.
int64_t kafka_group_end(const KafkaGroup *group, int32_t partition);
// The first one that is still kept, as last asked for; -1: not yet.
int64_t kafka_group_first(const KafkaGroup *group, int32_t partition);

#endif
