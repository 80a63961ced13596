/*
 * Calls of librdkafka that block, on libuv's threads: reading committed offsets (16.7 s measured
 * after a crash, until the dead worker's transaction had timed out), counting a topic's partitions,
 * asking where partitions begin and end, destroying a client. They can't be cancelled: the client
 * must outlive them.
 */
#ifndef DRIVE_KAFKA_TASK_H
#define DRIVE_KAFKA_TASK_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "drive/loop.h"

enum { KAFKA_TASK_TIMEOUT_MS = 5000 };

// `list` (offsets and metadata filled in) becomes the callback's. Without an error each of its
// partitions was answered.
typedef void KafkaCommittedCallback(void *context, rd_kafka_topic_partition_list_t *list,
                                    rd_kafka_resp_err_t err);
typedef void KafkaPartitionsCallback(void *context, int32_t partitions, rd_kafka_resp_err_t err);
// Both lists become the callback's; the offsets are filled in: of the first record that is kept,
// and where read_committed ends.
typedef void KafkaEndsCallback(void *context, rd_kafka_topic_partition_list_t *starts,
                               rd_kafka_topic_partition_list_t *ends, rd_kafka_resp_err_t err);
typedef void KafkaDestroyedCallback(void *context);

// `list` becomes the task's.
void kafka_task_read_committed(Loop *loop, rd_kafka_t *client,
                               rd_kafka_topic_partition_list_t *list,
                               KafkaCommittedCallback *callback, void *context);
void kafka_task_count_partitions(Loop *loop, rd_kafka_t *client, rd_kafka_topic_t *topic,
                                 KafkaPartitionsCallback *callback, void *context);
// `list` becomes the task's.
void kafka_task_read_ends(Loop *loop, rd_kafka_t *client, rd_kafka_topic_partition_list_t *list,
                          KafkaEndsCallback *callback, void *context);
void kafka_task_destroy(Loop *loop, rd_kafka_t *client, KafkaDestroyedCallback *callback,
                        void *context);

#endif
