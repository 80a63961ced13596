#include "ctl/kafka_free.h"

#include <stddef.h>

void kafka_free_list_at(rd_kafka_topic_partition_list_t **list)
{
    rd_kafka_topic_partition_list_destroy(*list);
}

void kafka_free_event_at(rd_kafka_event_t **event)
{
    if (*event != NULL) {
        rd_kafka_event_destroy(*event);
    }
}

void kafka_free_queue_at(rd_kafka_queue_t **queue)
{
    rd_kafka_queue_destroy(*queue);
}

void kafka_free_admin_options_at(rd_kafka_AdminOptions_t **options)
{
    rd_kafka_AdminOptions_destroy(*options);
}
