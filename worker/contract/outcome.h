/*
 * What becomes of a command, as the Kafka records that tell of it: events (CloudEvents 1.0 in
 * binary mode), states, tombstones, dead letters. Packed once, kept by the ledger, published from
 * there, so that each publication has the same bytes.
 * https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
 */
#ifndef CONTRACT_OUTCOME_H
#define CONTRACT_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "contract/command.h"
#include "contract/framing.h"
#include "provisioning/internal/v1/outcome.pb-c.h"
#include "provisioning/v1/event.pb-c.h"
#include "provisioning/v1/state.pb-c.h"

typedef Provisioning__Internal__V1__Outcome OutcomeMessage;
typedef struct Outcome Outcome;

// What all records of one outcome share; copied.
typedef struct OutcomeContext {
    const char *source;         // ce_source
    const char *application_id; // Kafka key of the events; may be empty (then the dead letter only)
    const char *command_id;     // may be empty: undecodable
    const char *traceparent;    // may be empty
    int64_t now_ms;
    int32_t attempts;
    Framing event_framing;
    Framing state_framing;
    size_t max_record_bytes; // larger ones: OUTCOME_TOO_LARGE
} OutcomeContext;

Outcome *outcome_new(const OutcomeContext *context);
void outcome_free(Outcome *outcome);
void outcome_free_at(Outcome **outcome);

// Adds an event. `event`: body set by the caller, everything else is filled in here; its ce_id
// derives from application, command id and `transition` ("accepted", "outcome", …), or from
// `identity` when that is not NULL (undecodable records and reused ids: topic/partition/offset).
// `sequence` 0 = none. Code: OUTCOME_TOO_LARGE.
bool outcome_add_event(Outcome *outcome, Provisioning__V1__Event *event, const Subject *subject,
                       int64_t sequence, const char *transition, const char *identity, Error *err);
// Adds the state of a subject; body set by the caller. Code: OUTCOME_TOO_LARGE.
bool outcome_add_state(Outcome *outcome, Provisioning__V1__State *state, const Subject *subject,
                       int64_t sequence, Error *err);
void outcome_add_tombstone(Outcome *outcome, const Subject *subject);

// Adds a command that follows from this one: application and action set by the caller, and
// requested_by where it isn't just the worker. Its id derives from this command's and `identity`,
// so that the same again is a repeat.
void outcome_add_command(Outcome *outcome, Provisioning__V1__Command *command,
                         const char *identity);
void outcome_command_id(const Outcome *outcome, const char *identity, char ret_id[UUID_TEXT_BYTES]);

// The record as it was, with failure headers added behind its own (dlq-topic, -partition, -offset,
// -timestamp, -reason, -detail, -worker). Left out is a value larger than `max_value_bytes` or with
// an API key in clear (command_holds_plaintext), which no second topic has to keep; a key over
// 1 KiB; all headers where they are more than 64 or over 16 KiB with their names. dlq-value-sha256
// and -bytes, dlq-key-…, dlq-headers-… (names and values in a row) say what it was.
void outcome_add_dead_letter(Outcome *outcome, const Record *record, const Error *reason,
                             const char *worker, size_t max_value_bytes);

// The CommandRejected event of a record that was refused before its claim, about the rejection's
// application and command (not the context's); nothing when no application id could be read. Its
// ce_id derives from the record's coordinates: a corrected command may use the same id again.
bool outcome_add_rejected(Outcome *outcome, const Rejection *rejection, const Record *record,
                          Error *err);

const OutcomeMessage *outcome_message(const Outcome *outcome); // belongs to it
void outcome_pack(const Outcome *outcome, Buffer *ret_bytes);
// NULL when the bytes aren't an outcome. Freed with outcome_message_free.
OutcomeMessage *outcome_unpack(Bytes bytes);
void outcome_message_free(OutcomeMessage *message);
void outcome_message_free_at(OutcomeMessage **message);

#endif
