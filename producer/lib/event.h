/*
 * Records of the event topic and of the state topic → what the public interface hands out.
 */
#ifndef LIB_EVENT_H
#define LIB_EVENT_H

#include <librdkafka/rdkafka.h>

#include "base/bytes.h"
#include "provision/provision.h"
#include "provisioning/v1/event.pb-c.h"

// Error: EVENT_UNREADABLE.
ProvisionEvent *event_decode(const rd_kafka_message_t *record, ProvisionError *err);
// What it was decoded from.
const Provisioning__V1__Event *event_message(const ProvisionEvent *event);

// How the command ended that it tells of; NONE: it goes on. Of an inventory of several pages only
// the last one ends it.
ProvisionOutcome event_outcome(const Provisioning__V1__Event *event);

// Whether the record can be an event of this command, by its header alone; true where it says
// nothing.
bool event_may_concern(const rd_kafka_message_t *record, const char *command_id);

// The last header of that name; size 0 where there is none.
Bytes event_header(const rd_kafka_message_t *record, const char *name);

// Views into the record; size 0 where there is none.
Bytes event_record_key(const rd_kafka_message_t *record);
Bytes event_record_value(const rd_kafka_message_t *record);

#endif
