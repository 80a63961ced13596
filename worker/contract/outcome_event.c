#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/text.h"
#include "base/uuid.h"
#include "contract/allocator.h"
#include "contract/outcome_parts.h"

#define CONTENT_TYPE "application/protobuf"

enum { IDENTITY_MAX_BYTES = 512 };

typedef Provisioning__V1__Event Event;
typedef Provisioning__V1__State State;

// Whom an event is about.
typedef struct About {
    const char *application_id;
    const char *command_id;
    const char *subject;
    int64_t sequence;
} About;

static const Bytes SEPARATOR = {(const uint8_t *)"", 1};

// The same for each publication of the same transition.
static void make_event_id(const About *about, const char *transition, const char *identity,
                          char ret_id[UUID_TEXT_BYTES])
{
    const Bytes parts[] = {bytes_of(about->application_id), SEPARATOR,
                           bytes_of(identity != NULL ? identity : about->command_id), SEPARATOR,
                           bytes_of(transition)};
    uint8_t hash[CRYPTO_SHA256_BYTES];
    crypto_sha256(parts, sizeof parts / sizeof parts[0], hash);
    uuid_from_hash(hash, ret_id);
}

static const char *event_type(const Event *event)
{
    const ProtobufCFieldDescriptor *body =
        protobuf_c_message_descriptor_get_field(event->base.descriptor, (unsigned)event->body_case);
    assert(body != NULL && "the caller sets a body");
    const ProtobufCMessageDescriptor *descriptor = body->descriptor;
    return descriptor->name;
}

// https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md#32-binary-content-mode
static void add_event_headers(OutcomeRecord *record, const OutcomeContext *context,
                              const About *about, const char *event_id, const char *type)
{
    char time[INSTANT_TEXT_BYTES];
    instant_format(context->now_ms, time);
    outcome_add_text_header(record, "content-type", CONTENT_TYPE);
    outcome_add_text_header(record, "ce_specversion", "1.0");
    outcome_add_text_header(record, "ce_id", event_id);
    outcome_add_text_header(record, "ce_type", type);
    outcome_add_text_header(record, "ce_source", context->source);
    outcome_add_text_header(record, "ce_subject", about->subject);
    outcome_add_text_header(record, "ce_time", time);
    if (about->command_id[0] != '\0') {
        outcome_add_text_header(record, "ce_correlationid", about->command_id);
    }
    if (about->sequence > 0) {
        outcome_add_number_header(record, "ce_sequence", about->sequence);
    }
    if (context->traceparent[0] != '\0') {
        outcome_add_text_header(record, "traceparent", context->traceparent);
    }
}

static Google__Protobuf__Timestamp timestamp_of(int64_t instant_ms)
{
    Google__Protobuf__Timestamp timestamp;
    google__protobuf__timestamp__init(&timestamp);
    int64_t rest_ms = instant_ms % 1000 < 0 ? instant_ms % 1000 + 1000 : instant_ms % 1000;
    timestamp.seconds = (instant_ms - rest_ms) / 1000;
    timestamp.nanos = (int32_t)(rest_ms * 1000000);
    return timestamp;
}

// protobuf-c's texts are not const, though packing only reads them.
static char *borrow(const char *text)
{
    char *borrowed = NULL;
    memcpy(&borrowed, &text, sizeof borrowed);
    return borrowed;
}

static void pack_event(OutcomeRecord *record, const OutcomeContext *context, const Event *body,
                       const About *about, char *event_id)
{
    Event event = *body;
    Google__Protobuf__Timestamp occurred_at = timestamp_of(context->now_ms);
    event.event_id = event_id;
    event.command_id = borrow(about->command_id);
    event.application_id = borrow(about->application_id);
    event.subject = borrow(about->subject);
    event.sequence = about->sequence;
    event.occurred_at = &occurred_at;
    event.attempts = context->attempts;
    outcome_pack_value(record, &context->event_framing, &event.base);
}

static bool add_event(Outcome *outcome, const Event *body, const About *about,
                      const char *transition, const char *identity, Error *err)
{
    assert(about->application_id[0] != '\0');
    char event_id[UUID_TEXT_BYTES];
    make_event_id(about, transition, identity, event_id);
    OutcomeRecord *record CLEANUP(outcome_free_record) =
        outcome_new_record(PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS,
                           bytes_of(about->application_id));
    add_event_headers(record, &outcome->context, about, event_id, event_type(body));
    pack_event(record, &outcome->context, body, about, event_id);
    return outcome_append_checked(outcome, &record, err);
}

bool outcome_add_event(Outcome *outcome, Event *event, const Subject *subject, int64_t sequence,
                       const char *transition, const char *identity, Error *err)
{
    const OutcomeContext *context = &outcome->context;
    char subject_text[SUBJECT_TEXT_BYTES];
    subject_format(context->application_id, subject, subject_text);
    const About about = {context->application_id, context->command_id, subject_text, sequence};
    return add_event(outcome, event, &about, transition, identity, err);
}

bool outcome_add_state(Outcome *outcome, State *state, const Subject *subject, int64_t sequence,
                       Error *err)
{
    const OutcomeContext *context = &outcome->context;
    char subject_text[SUBJECT_TEXT_BYTES];
    subject_format(context->application_id, subject, subject_text);
    State whole = *state;
    Google__Protobuf__Timestamp changed_at = timestamp_of(context->now_ms);
    whole.application_id = borrow(context->application_id);
    whole.subject = subject_text;
    whole.sequence = sequence;
    whole.changed_at = &changed_at;
    OutcomeRecord *record CLEANUP(outcome_free_record) = outcome_new_record(
        PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_STATE, bytes_of(subject_text));
    outcome_add_text_header(record, "content-type", CONTENT_TYPE);
    outcome_pack_value(record, &context->state_framing, &whole.base);
    return outcome_append_checked(outcome, &record, err);
}

void outcome_add_tombstone(Outcome *outcome, const Subject *subject)
{
    char subject_text[SUBJECT_TEXT_BYTES];
    subject_format(outcome->context.application_id, subject, subject_text);
    OutcomeRecord *record = outcome_new_record(
        PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_STATE, bytes_of(subject_text));
    record->tombstone = true;
    outcome_append(outcome, &record);
}

bool outcome_add_rejected(Outcome *outcome, const Rejection *rejection, const Record *record,
                          Error *err)
{
    if (rejection->application_id[0] == '\0') {
        return true;
    }
    Error error = rejection->error;
    Provisioning__V1__CommandRejected rejected;
    provisioning__v1__command_rejected__init(&rejected);
    rejected.code = error.code;
    rejected.message = error.text;
    rejected.field = error.field;
    rejected.action = borrow(rejection->action_name);
    Event event;
    provisioning__v1__event__init(&event);
    event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED;
    event.command_rejected = &rejected;
    Text identity CLEANUP(text_clear) = TEXT_INIT(IDENTITY_MAX_BYTES);
    text_printf(&identity, "%s/%" PRId32 "/%" PRId64, record->topic, record->partition,
                record->offset);
    char subject[SUBJECT_TEXT_BYTES];
    subject_format(rejection->application_id, &(Subject){.kind = SUBJECT_APPLICATION}, subject);
    const About about = {rejection->application_id, rejection->command_id, subject, 0};
    return add_event(outcome, &event, &about, "rejected", text_get(&identity), err);
}
