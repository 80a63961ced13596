/*
 * For CLEANUP of librdkafka's objects.
 */
#ifndef CTL_KAFKA_FREE_H
#define CTL_KAFKA_FREE_H

#include <librdkafka/rdkafka.h>

void kafka_free_list_at(rd_kafka_topic_partition_list_t **list);
void kafka_free_event_at(rd_kafka_event_t **event); // NULL is ignored
void kafka_free_queue_at(rd_kafka_queue_t **queue);
void kafka_free_admin_options_at(rd_kafka_AdminOptions_t **options);

#endif
