#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/murmur2.h"
#include "base/text.h"
#include "contract/allocator.h"
#include "contract/command_parts.h"
#include "contract/command_table.h"
#include "contract/framing.h"
#include "contract/signature.h"
#include "contract/traceparent.h"
#include "contract/wire.h"

enum { COMMAND_ID_FIELD = 1 };

void command_free(Command *command)
{
    if (command == NULL) {
        return;
    }
    secret_clear(&command->api_key);
    allocator_free_message((ProtobufCMessage *)command->message);
    free(command);
}

void command_free_at(Command **command)
{
    command_free(*command);
}

bool command_never_expires(Action action)
{
    return action == PROVISIONING__V1__COMMAND__ACTION_CANCEL_COMMAND ||
           action == PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW ||
           action == PROVISIONING__V1__COMMAND__ACTION_DELETE_ENVIRONMENT ||
           action == PROVISIONING__V1__COMMAND__ACTION_DISCONNECT_ACCOUNT;
}

// The application is the record's key: the message may name another one, but then KEY_MISMATCH is
// what it gets, and the event has to go to the one under whose key it was sent.
static void name_application(const Record *record, Rejection *rejection)
{
    char name[NAME_APPLICATION_BYTES] = "";
    if (record->key.size == 0 || record->key.size >= sizeof name ||
        memchr(record->key.data, '\0', record->key.size) != NULL) {
        return;
    }
    memcpy(name, record->key.data, record->key.size);
    if (name_check_application(name, "application_id", NULL)) {
        memcpy(rejection->application_id, name, sizeof name);
    }
}

static void name_command(Bytes message, Rejection *rejection)
{
    char id[UUID_TEXT_BYTES];
    if (wire_find_text(message, COMMAND_ID_FIELD, id, sizeof id) && uuid_is_valid(id)) {
        uuid_normalise(id, rejection->command_id);
    }
}

static bool check_size(const Record *record, const CommandRules *rules, Error *err)
{
    if (record->header_count > COMMAND_HEADERS_MAX) {
        return error_set(err, ERROR_INVALID, "RECORD_TOO_LARGE",
                         "the record has %zu headers, the limit is %d", record->header_count,
                         COMMAND_HEADERS_MAX);
    }
    return record->value.size <= rules->max_bytes ||
           error_set(err, ERROR_INVALID, "RECORD_TOO_LARGE",
                     "the command has %zu bytes, the limit is %zu (commands.max_bytes)",
                     record->value.size, rules->max_bytes);
}

// The bytes of the message inside the record, once they can be unpacked.
static bool open_record(const Record *record, const CommandRules *rules, Rejection *rejection,
                        Bytes *ret_message)
{
    Error *err = &rejection->error;
    bool framed = framing_open(record->value, ret_message, err);
    if (framed) {
        name_command(*ret_message, rejection);
    }
    if (!check_size(record, rules, err)) {
        return false;
    }
    if (rules->signers != NULL && !signature_check(record, rules->signers, err)) {
        return false;
    }
    return framed && wire_scan(&provisioning__v1__command__descriptor, *ret_message, err);
}

static CommandMessage *unpack(Bytes bytes, Error *err)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    CommandMessage *message = provisioning__v1__command__unpack(&allocator, bytes.size, bytes.data);
    if (message == NULL) {
        // GCOVR_EXCL_START: the scanner lets nothing through that protobuf-c refuses (fuzzed)
        (void)error_set(err, ERROR_INVALID, "RECORD_UNREADABLE", "the value is no Command");
        // GCOVR_EXCL_STOP
    }
    return message;
}

static bool check_identity(const Record *record, const CommandMessage *message, Error *err)
{
    if (message->application_id[0] == '\0' || message->command_id[0] == '\0') {
        const char *field = message->application_id[0] == '\0' ? "application_id" : "command_id";
        return error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", field, "%s is missing: set it",
                               field);
    }
    if (!name_check_application(message->application_id, "application_id", err)) {
        return false;
    }
    if (!uuid_is_valid(message->command_id)) {
        return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", "command_id",
                               "command_id must be a UUID, other than the nil one");
    }
    return bytes_equal(record->key, bytes_of(message->application_id)) ||
           error_set_field(err, ERROR_INVALID, "KEY_MISMATCH", "application_id",
                           "the record's key must be equal to application_id");
}

static bool check_partition(const Record *record, const CommandRules *rules, Error *err)
{
    if (!rules->check_partition || rules->partitions <= 0) {
        return true;
    }
    int32_t wanted = murmur2_partition(record->key, rules->partitions);
    return record->partition == wanted ||
           error_set(err, ERROR_INVALID, "WRONG_PARTITION",
                     "the record is on partition %d, its key belongs on %d: set the producer's "
                     "partitioner to murmur2_random (or the workers' commands.partitioner to "
                     "unchecked)",
                     (int)record->partition, (int)wanted);
}

// Else a signed command could be sent again for ever.
static bool check_age_is_told(const CommandRules *rules, const CommandMessage *message, Error *err)
{
    return rules->signers == NULL || message->requested_at != NULL ||
           error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", "requested_at",
                           "requested_at is missing: set it, since commands are signed here");
}

static int64_t instant_ms(const Google__Protobuf__Timestamp *timestamp)
{
    if (timestamp == NULL) {
        return 0;
    }
    int64_t ms = timestamp->seconds * 1000 + timestamp->nanos / 1000000;
    return ms == 0 ? 1 : ms; // 0 would mean none
}

// Takes over the message, which has been checked up to the action.
static Command *new_command(const Record *record, const CommandRules *rules,
                            CommandMessage *message)
{
    Command *command = alloc_zeroed(1, sizeof *command);
    command->message = message;
    bool fits =
        text_copy(command->application_id, sizeof command->application_id, message->application_id);
    (void)fits; // a checked name
    uuid_normalise(message->command_id, command->command_id);
    command->action = message->action_case;
    const ProtobufCMessageDescriptor *action = command_action_field(message)->descriptor;
    command->action_name = action->short_name;
    command->partition = record->partition;
    command->offset = record->offset;
    command->timestamp_ms = record->timestamp_ms;
    command->deadline_ms = instant_ms(message->deadline);
    command->signed_ms = rules->signers != NULL ? instant_ms(message->requested_at) : 0;
    traceparent_find(record->headers, record->header_count, command->traceparent);
    command_name_subjects(command);
    return command;
}

static void free_message(CommandMessage **message)
{
    allocator_free_message((ProtobufCMessage *)*message);
}

static bool check_message(const Record *record, const CommandRules *rules,
                          const CommandMessage *message, Rejection *rejection)
{
    Error *err = &rejection->error;
    if (!check_identity(record, message, err) || !check_partition(record, rules, err)) {
        return false;
    }
    return command_check_supported(message, err) && command_check_envelope(message, err) &&
           check_age_is_told(rules, message, err) &&
           command_row(message->action_case)->check(message, err);
}

Command *command_decode(const Record *record, const CommandRules *rules, Rejection *ret_rejection)
{
    *ret_rejection = (Rejection){.action_name = ""};
    name_application(record, ret_rejection);
    Bytes bytes = {NULL, 0};
    if (!open_record(record, rules, ret_rejection, &bytes)) {
        return NULL;
    }
    CommandMessage *message CLEANUP(free_message) = unpack(bytes, &ret_rejection->error);
    if (message == NULL) {
        return NULL; // GCOVR_EXCL_LINE: as in unpack
    }
    if (message->action_case != PROVISIONING__V1__COMMAND__ACTION__NOT_SET) {
        const ProtobufCMessageDescriptor *action = command_action_field(message)->descriptor;
        ret_rejection->action_name = action->short_name;
    }
    if (!check_message(record, rules, message, ret_rejection)) {
        return NULL;
    }
    Command *command CLEANUP(command_free_at) = new_command(record, rules, message);
    message = NULL;
    if (!command_take_key(command, rules, &ret_rejection->error)) {
        return NULL;
    }
    command_digest(command->application_id, command->message, &command->api_key, command->digest);
    Command *decoded = command;
    command = NULL;
    return decoded;
}
