#include "contract/outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contract/allocator.h"
#include "contract/outcome_parts.h"

// More than a record batch of one and the lengths of each part take (KIP-98).
enum { RECORD_OVERHEAD_BYTES = 128, HEADER_OVERHEAD_BYTES = 10 };

static char *copy_text(const char *text)
{
    return alloc_text(text == NULL ? "" : text);
}

Outcome *outcome_new(const OutcomeContext *context)
{
    Outcome *outcome = alloc_zeroed(1, sizeof *outcome);
    outcome->context = *context;
    outcome->context.source = copy_text(context->source);
    outcome->context.application_id = copy_text(context->application_id);
    outcome->context.command_id = copy_text(context->command_id);
    outcome->context.traceparent = copy_text(context->traceparent);
    outcome->message = allocator_zeroed(sizeof *outcome->message);
    provisioning__internal__v1__outcome__init(outcome->message);
    return outcome;
}

// What copy_text made, behind a pointer that promises its readers not to change it.
static void free_text(const char *const *text)
{
    char *owned = NULL;
    memcpy(&owned, text, sizeof owned);
    free(owned);
}

void outcome_free(Outcome *outcome)
{
    if (outcome == NULL) {
        return;
    }
    free_text(&outcome->context.source);
    free_text(&outcome->context.application_id);
    free_text(&outcome->context.command_id);
    free_text(&outcome->context.traceparent);
    outcome_message_free(outcome->message);
    free(outcome);
}

void outcome_free_at(Outcome **outcome)
{
    outcome_free(*outcome);
}

static ProtobufCBinaryData copy_bytes(Bytes bytes)
{
    return (ProtobufCBinaryData){bytes.size, allocator_copy(bytes.data, bytes.size)};
}

OutcomeRecord *outcome_new_record(OutcomeTopic topic, Bytes key)
{
    OutcomeRecord *record = allocator_zeroed(sizeof *record);
    provisioning__internal__v1__outcome_record__init(record);
    record->topic = topic;
    record->key = copy_bytes(key);
    return record;
}

void outcome_free_record(OutcomeRecord **record)
{
    allocator_free_message((ProtobufCMessage *)*record);
}

void outcome_set_value(OutcomeRecord *record, void *value, size_t size)
{
    record->value = (ProtobufCBinaryData){size, value};
}

// A list of pointers with room for one more; the old list is freed.
static void *grow(void *list, size_t count)
{
    void **grown = allocator_zeroed((count + 1) * sizeof(void *));
    if (count > 0) {
        memcpy(grown, list, count * sizeof(void *));
    }
    ProtobufCAllocator allocator = allocator_zeroing();
    allocator.free(allocator.allocator_data, list);
    return grown;
}

void outcome_add_header(OutcomeRecord *record, const char *name, Bytes value)
{
    Provisioning__Internal__V1__OutcomeHeader *header = allocator_zeroed(sizeof *header);
    provisioning__internal__v1__outcome_header__init(header);
    header->name = allocator_copy(name, strlen(name));
    header->value = copy_bytes(value);
    record->headers = grow(record->headers, record->n_headers);
    record->headers[record->n_headers++] = header;
}

void outcome_add_text_header(OutcomeRecord *record, const char *name, const char *value)
{
    outcome_add_header(record, name, bytes_of(value));
}

void outcome_add_number_header(OutcomeRecord *record, const char *name, int64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    outcome_add_text_header(record, name, text);
}

void outcome_pack_value(OutcomeRecord *record, const Framing *framing,
                        const ProtobufCMessage *message)
{
    uint8_t header[6];
    size_t header_bytes = framing_header(framing, header);
    size_t size = header_bytes + protobuf_c_message_get_packed_size(message);
    uint8_t *value = allocator_zeroed(size);
    memcpy(value, header, header_bytes);
    protobuf_c_message_pack(message, value + header_bytes);
    outcome_set_value(record, value, size);
}

void outcome_append(Outcome *outcome, OutcomeRecord **record)
{
    OutcomeMessage *message = outcome->message;
    message->records = grow(message->records, message->n_records);
    message->records[message->n_records++] = *record;
    *record = NULL;
}

static size_t record_bytes(const OutcomeRecord *record)
{
    size_t bytes = RECORD_OVERHEAD_BYTES + record->key.len + record->value.len;
    for (size_t i = 0; i < record->n_headers; i++) {
        bytes += HEADER_OVERHEAD_BYTES + strlen(record->headers[i]->name) +
                 record->headers[i]->value.len;
    }
    return bytes;
}

bool outcome_append_checked(Outcome *outcome, OutcomeRecord **record, Error *err)
{
    size_t bytes = record_bytes(*record);
    if (bytes > outcome->context.max_record_bytes) {
        return error_set(err, ERROR_INTERNAL, "OUTCOME_TOO_LARGE",
                         "what has to be told takes a record of %zu bytes, the limit is %zu", bytes,
                         outcome->context.max_record_bytes);
    }
    outcome_append(outcome, record);
    return true;
}

const OutcomeMessage *outcome_message(const Outcome *outcome)
{
    return outcome->message;
}

void outcome_pack(const Outcome *outcome, Buffer *ret_bytes)
{
    const ProtobufCMessage *message = &outcome->message->base;
    Buffer packed = {NULL, protobuf_c_message_get_packed_size(message)};
    packed.data = alloc_bytes(packed.size);
    protobuf_c_message_pack(message, packed.data);
    buffer_clear(ret_bytes);
    *ret_bytes = packed;
}

static bool is_record(const OutcomeRecord *record)
{
    return record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS ||
           record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_STATE ||
           record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_DEAD_LETTERS ||
           record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_COMMANDS;
}

OutcomeMessage *outcome_unpack(Bytes bytes)
{
    // Not scanned: header names of dead letters are whatever their producers made them.
    ProtobufCAllocator allocator = allocator_zeroing();
    OutcomeMessage *message =
        provisioning__internal__v1__outcome__unpack(&allocator, bytes.size, bytes.data);
    for (size_t i = 0; message != NULL && i < message->n_records; i++) {
        if (!is_record(message->records[i])) {
            outcome_message_free(message);
            return NULL;
        }
    }
    return message;
}

void outcome_message_free(OutcomeMessage *message)
{
    allocator_free_message((ProtobufCMessage *)message);
}

void outcome_message_free_at(OutcomeMessage **message)
{
    outcome_message_free(*message);
}
