#include "lib/event.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/framing.h"
#include "lib/fault.h"
#include "lib/form.h"
#include "provisioning/v1/event.pb-c.h"

enum { TYPE_BYTES = 64, MS_PER_SECOND = 1000, NS_PER_MS = 1000000 };

static const char TYPE_PREFIX[] = "provisioning.v1.";

// What a ProvisionEvent's texts point into.
typedef struct EventBox {
    ProvisionEvent event; // first: provision_event_free gets its address
    Provisioning__V1__Event *message;
    char *json;
    char type[TYPE_BYTES];
} EventBox;

Bytes event_record_key(const rd_kafka_message_t *record)
{
    return (Bytes){.data = record->key, .size = record->key == NULL ? 0 : record->key_len};
}

Bytes event_record_value(const rd_kafka_message_t *record)
{
    return (Bytes){.data = record->payload, .size = record->payload == NULL ? 0 : record->len};
}

Bytes event_header(const rd_kafka_message_t *record, const char *name)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    if (rd_kafka_message_headers(record, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return (Bytes){.data = NULL, .size = 0};
    }
    return (Bytes){.data = value, .size = size};
}

static bool equals_any_case(Bytes bytes, const char *text)
{
    return bytes.size == strlen(text) &&
           strncasecmp((const char *)bytes.data, text, bytes.size) == 0;
}

bool event_may_concern(const rd_kafka_message_t *record, const char *command_id)
{
    Bytes correlation = event_header(record, "ce_correlationid");
    return correlation.size == 0 || equals_any_case(correlation, command_id);
}

// Of several pages the last one.
static bool is_last_page(const Provisioning__V1__AccountInventory *inventory)
{
    return inventory->page >= inventory->pages;
}

ProvisionOutcome event_outcome(const Provisioning__V1__Event *event)
{
    switch ((int)event->body_case) {
    case PROVISIONING__V1__EVENT__BODY_ACCOUNT_INVENTORY:
        return is_last_page(event->account_inventory) ? PROVISION_OUTCOME_SUCCEEDED
                                                      : PROVISION_OUTCOME_NONE;
    case PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED:
        return PROVISION_OUTCOME_REJECTED;
    case PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED:
        return PROVISION_OUTCOME_FAILED;
    case PROVISIONING__V1__EVENT__BODY_COMMAND_CANCELLED:
        return PROVISION_OUTCOME_CANCELLED;
    case PROVISIONING__V1__EVENT__BODY_COMMAND_SUPERSEDED:
        return PROVISION_OUTCOME_SUPERSEDED;
    case PROVISIONING__V1__EVENT__BODY_COMMAND_ACCEPTED:
    case PROVISIONING__V1__EVENT__BODY_STEP_FINISHED:
    case PROVISIONING__V1__EVENT__BODY_DRIFT_REPORTED:
    case PROVISIONING__V1__EVENT__BODY__NOT_SET:
        return PROVISION_OUTCOME_NONE;
    default:
        return PROVISION_OUTCOME_SUCCEEDED;
    }
}

const char *provision_outcome_name(ProvisionOutcome outcome)
{
    static const char *const NAMES[] = {
        [PROVISION_OUTCOME_NONE] = "none",           [PROVISION_OUTCOME_SUCCEEDED] = "succeeded",
        [PROVISION_OUTCOME_REJECTED] = "rejected",   [PROVISION_OUTCOME_FAILED] = "failed",
        [PROVISION_OUTCOME_CANCELLED] = "cancelled", [PROVISION_OUTCOME_SUPERSEDED] = "superseded",
    };
    return NAMES[outcome];
}

// The type of an event that is newer than this library stands in its header only.
static void copy_header_type(const rd_kafka_message_t *record, char ret_type[TYPE_BYTES])
{
    Bytes type = event_header(record, "ce_type");
    size_t prefix = sizeof(TYPE_PREFIX) - 1;
    if (type.size > prefix && memcmp(type.data, TYPE_PREFIX, prefix) == 0) {
        type.data += prefix;
        type.size -= prefix;
    }
    if (type.size > 0 && type.size < TYPE_BYTES) {
        memcpy(ret_type, type.data, type.size);
    }
}

static const char *type_of(const rd_kafka_message_t *record, EventBox *box)
{
    const Provisioning__V1__Event *message = box->message;
    if (message->body_case != PROVISIONING__V1__EVENT__BODY__NOT_SET) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
            &provisioning__v1__event__descriptor, (unsigned)message->body_case);
        const ProtobufCMessageDescriptor *body = field->descriptor;
        return body->short_name;
    }
    copy_header_type(record, box->type);
    return box->type;
}

static void name_reason(ProvisionEvent *event, const Provisioning__V1__Event *message)
{
    event->code = "";
    event->message = "";
    switch ((int)message->body_case) {
    case PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED:
        event->code = message->command_rejected->code;
        event->message = message->command_rejected->message;
        break;
    case PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED:
        event->code = message->command_failed->code;
        event->message = message->command_failed->message;
        break;
    case PROVISIONING__V1__EVENT__BODY_DRIFT_REPORTED:
        event->code = message->drift_reported->code;
        event->message = message->drift_reported->message;
        break;
    default:
        break;
    }
}

static int64_t instant_of(const Google__Protobuf__Timestamp *timestamp)
{
    return timestamp == NULL ? 0
                             : timestamp->seconds * MS_PER_SECOND + timestamp->nanos / NS_PER_MS;
}

static ProvisionEvent *fill(EventBox *box, const rd_kafka_message_t *record)
{
    const Provisioning__V1__Event *message = box->message;
    box->json = form_of(&message->base);
    box->event = (ProvisionEvent){
        .event_id = message->event_id,
        .command_id = message->command_id,
        .application_id = message->application_id,
        .subject = message->subject,
        .type = type_of(record, box),
        .json = box->json,
        .sequence = message->sequence,
        .occurred_at_ms = instant_of(message->occurred_at),
        .outcome = event_outcome(message),
        .replayed = event_header(record, "replayed").data != NULL,
        .partition = record->partition,
        .offset = record->offset,
    };
    name_reason(&box->event, message);
    return &box->event;
}

ProvisionEvent *event_decode(const rd_kafka_message_t *record, ProvisionError *err)
{
    Bytes bytes = {.data = NULL, .size = 0};
    Provisioning__V1__Event *message = NULL;
    if (framing_open(event_record_value(record), &bytes, NULL) && bytes.size > 0) {
        message = provisioning__v1__event__unpack(NULL, bytes.size, bytes.data);
    }
    if (message == NULL) {
        fault_set(err, PROVISION_ERROR_INVALID, "EVENT_UNREADABLE",
                  "the record at partition %d, offset %lld is no event: is this the event topic?",
                  (int)record->partition, (long long)record->offset);
        return NULL;
    }
    EventBox *box = alloc_zeroed(1, sizeof(*box));
    box->message = message;
    return fill(box, record);
}

const Provisioning__V1__Event *event_message(const ProvisionEvent *event)
{
    return ((const EventBox *)event)->message;
}

void provision_event_free(ProvisionEvent *event)
{
    if (event == NULL) {
        return;
    }
    EventBox *box = (EventBox *)event;
    provisioning__v1__event__free_unpacked(box->message, NULL);
    free(box->json);
    free(box);
}
