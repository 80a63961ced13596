/*
 * How outcomes are put together; not for other layers.
 */
#ifndef CONTRACT_OUTCOME_PARTS_H
#define CONTRACT_OUTCOME_PARTS_H

#include "contract/outcome.h"

typedef Provisioning__Internal__V1__OutcomeRecord OutcomeRecord;
typedef Provisioning__Internal__V1__OutcomeTopic OutcomeTopic;

struct Outcome {
    OutcomeContext context; // its texts are owned
    OutcomeMessage *message;
};

// Records and all they hold are of the zeroing allocator, so that protobuf-c frees them.
OutcomeRecord *outcome_new_record(OutcomeTopic topic, Bytes key);
void outcome_free_record(OutcomeRecord **record);
// Takes over a value of allocator memory.
void outcome_set_value(OutcomeRecord *record, void *value, size_t size);
void outcome_add_header(OutcomeRecord *record, const char *name, Bytes value);
void outcome_add_text_header(OutcomeRecord *record, const char *name, const char *value);
void outcome_add_number_header(OutcomeRecord *record, const char *name, int64_t value);

// Packs the message behind its framing as the record's value.
void outcome_pack_value(OutcomeRecord *record, const Framing *framing,
                        const ProtobufCMessage *message);

// Appends the record, which belongs to the outcome from then on: *record becomes NULL.
void outcome_append(Outcome *outcome, OutcomeRecord **record);
// The same where the record isn't larger than the context allows. Code: OUTCOME_TOO_LARGE.
bool outcome_append_checked(Outcome *outcome, OutcomeRecord **record, Error *err);

#endif
