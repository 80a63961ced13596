#include "base/unconst.h"
#include "contract/outcome_parts.h"

static const Bytes SEPARATOR = {(const uint8_t *)"", 1};

void outcome_command_id(const Outcome *outcome, const char *identity, char ret_id[UUID_TEXT_BYTES])
{
    const OutcomeContext *context = &outcome->context;
    const Bytes parts[] = {bytes_of(context->application_id), SEPARATOR,
                           bytes_of(context->command_id), SEPARATOR, bytes_of(identity)};
    uint8_t hash[CRYPTO_SHA256_BYTES];
    crypto_sha256(parts, sizeof parts / sizeof parts[0], hash);
    uuid_from_hash(hash, ret_id);
}

void outcome_add_command(Outcome *outcome, Provisioning__V1__Command *command, const char *identity)
{
    static const Framing PLAIN = {.confluent = false};
    const OutcomeContext *context = &outcome->context;
    char command_id[UUID_TEXT_BYTES];
    outcome_command_id(outcome, identity, command_id);
    command->command_id = command_id;
    if (command->requested_by[0] == '\0') {
        command->requested_by = unconst("provision-worker");
    }
    Google__Protobuf__Timestamp now;
    google__protobuf__timestamp__init(&now);
    now.seconds = context->now_ms / 1000;
    now.nanos = (int32_t)(context->now_ms % 1000) * 1000000;
    command->requested_at = &now;
    OutcomeRecord *record =
        outcome_new_record(PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_COMMANDS,
                           bytes_of(command->application_id));
    outcome_add_text_header(record, "content-type", "application/protobuf");
    if (context->traceparent[0] != '\0') {
        outcome_add_text_header(record, "traceparent", context->traceparent);
    }
    outcome_pack_value(record, &PLAIN, &command->base);
    outcome_append(outcome, &record);
    command->command_id = unconst(""); // what they were points to is gone
    command->requested_at = NULL;
}
