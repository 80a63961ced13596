/*
 * What the topics alone tell of a command: its record, its events, and, by the group's committed
 * offset and completion map, whether it is finished. Who has it and what it waits for stands in the
 * ledger only.
 */
#ifndef CTL_STATUS_TOPICS_H
#define CTL_STATUS_TOPICS_H

#include <jansson.h>

#include "provision/provision.h"

typedef struct StatusQuery {
    const char *command_id;
    const char *application_id; // NULL: looked for in every partition
    const char *group_id;       // of the workers
    int64_t since_ms;           // records and events before are not looked at
    int timeout_ms;
} StatusQuery;

// An object of the form of ctl/status_ledger.h, in an array that is empty where no record was
// found; the caller's. NULL: KAFKA_UNAVAILABLE, TOPIC_MISSING.
json_t *status_topics_find(ProvisionClient *client, const StatusQuery *query, ProvisionError *err);

#endif
