#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/crypto.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "contract/allocator.h"
#include "contract/framing.h"
#include "contract/wire.h"
#include "lib/client.h"
#include "lib/command.h"
#include "lib/event.h"
#include "lib/fault.h"
#include "lib/form.h"
#include "lib/reader.h"

enum { TEXT_BYTES = 600, RECORD_BYTES = 320 };

// What a ProvisionDeadLetter's texts point into.
typedef struct LetterBox {
    ProvisionDeadLetter letter; // first: its address is the box's
    char application_id[TEXT_BYTES];
    char reason[TEXT_BYTES];
    char detail[TEXT_BYTES];
    char worker[TEXT_BYTES];
    char record[RECORD_BYTES];
    Bytes message; // of the command, inside of the record; size 0: none that can be read
} LetterBox;

typedef struct Visit {
    const char *application_id; // NULL: all
    ProvisionDeadLetterVisitor *visit;
    void *context;
} Visit;

static void free_reader(Reader **reader)
{
    reader_close(*reader);
}

static void free_record(rd_kafka_message_t **record)
{
    rd_kafka_message_destroy(*record);
}

static void free_text(char **text)
{
    free(*text);
}

static void free_command(Provisioning__V1__Command **message)
{
    if (*message != NULL) {
        allocator_free_message(&(*message)->base);
    }
}

// Anybody may have written the topic: what is no text stays empty, what is too long is cut.
static const char *copy_text(Bytes bytes, char *field, size_t field_bytes)
{
    size_t size = bytes.size < field_bytes ? bytes.size : field_bytes - 1;
    Bytes whole = {bytes.data, size};
    whole.size = utf8_whole_bytes(whole);
    if (whole.size > 0 && utf8_is_valid(whole) && memchr(whole.data, '\0', whole.size) == NULL) {
        memcpy(field, whole.data, whole.size);
        field[whole.size] = '\0';
    }
    return field;
}

static Provisioning__V1__Command *unpack(Bytes message)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    return message.size == 0
               ? NULL
               : provisioning__v1__command__unpack(&allocator, message.size, message.data);
}

static const char *action_of(const Provisioning__V1__Command *message)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &provisioning__v1__command__descriptor, (unsigned)message->action_case);
    const ProtobufCMessageDescriptor *action = field != NULL ? field->descriptor : NULL;
    return action != NULL ? action->short_name : "";
}

static void name_record(LetterBox *box, const rd_kafka_message_t *record)
{
    char topic[TEXT_BYTES] = "";
    char partition[24] = "";
    char offset[24] = "";
    (void)copy_text(event_header(record, "dlq-topic"), topic, sizeof topic);
    (void)copy_text(event_header(record, "dlq-partition"), partition, sizeof partition);
    (void)copy_text(event_header(record, "dlq-offset"), offset, sizeof offset);
    (void)snprintf(box->record, sizeof box->record, "%.250s/%s@%s", topic, partition, offset);
}

static bool visit_letter(const Visit *visit, const rd_kafka_message_t *record)
{
    LetterBox box = {.message = {NULL, 0}};
    Bytes value = event_record_value(record);
    Bytes message = {NULL, 0};
    if (framing_open(value, &message, NULL) &&
        wire_scan(&provisioning__v1__command__descriptor, message, NULL)) {
        box.message = message;
    }
    Provisioning__V1__Command *command CLEANUP(free_command) = unpack(box.message);
    char *json CLEANUP(free_text) = command != NULL ? form_of_command(command) : NULL;
    int64_t timestamp_ms = rd_kafka_message_timestamp(record, NULL);
    name_record(&box, record);
    box.letter = (ProvisionDeadLetter){
        .partition = record->partition,
        .offset = record->offset,
        .failed_at_ms = timestamp_ms > 0 ? timestamp_ms : 0,
        .application_id =
            copy_text(event_record_key(record), box.application_id, sizeof box.application_id),
        .reason = copy_text(event_header(record, "dlq-reason"), box.reason, sizeof box.reason),
        .detail = copy_text(event_header(record, "dlq-detail"), box.detail, sizeof box.detail),
        .worker = copy_text(event_header(record, "dlq-worker"), box.worker, sizeof box.worker),
        .record = box.record,
        .action = command != NULL ? action_of(command) : "",
        .command_id = command != NULL ? command->command_id : "",
        .json = json != NULL ? json : "",
        .value_bytes = value.size,
    };
    bool wanted =
        visit->application_id == NULL || strcmp(visit->application_id, box.application_id) == 0;
    return !wanted || visit->visit(visit->context, &box.letter);
}

bool provision_client_read_dead_letters(ProvisionClient *client,
                                        const ProvisionWatchOptions *options, int timeout_ms,
                                        ProvisionDeadLetterVisitor *visit, void *context,
                                        ProvisionError *err)
{
    Deadline deadline = deadline_in(timeout_ms);
    ReaderStart start = {.kind = options->start, .since_ms = options->since_ms};
    Reader *reader CLEANUP(free_reader) =
        reader_open(client_options(client), OPTIONS_TOPIC_DEAD_LETTERS, NULL, start, deadline, err);
    Visit visiting = {options->application_id, visit, context};
    while (reader != NULL) {
        rd_kafka_message_t *record = NULL;
        switch (reader_next(reader, deadline, &record, err)) {
        case READER_RECORD: {
            rd_kafka_message_t *owned CLEANUP(free_record) = record;
            if (!visit_letter(&visiting, owned)) {
                return true;
            }
            break;
        }
        case READER_END:
            return true;
        case READER_TIMEOUT:
            return reader_fault_timeout(reader, err);
        case READER_FAILED:
        default:
            return false;
        }
    }
    return false;
}

// The same for the same record that failed, whichever letter tells of it.
static void replay_id(const ProvisionDeadLetter *letter, char ret_id[UUID_TEXT_BYTES])
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    const Bytes pieces[] = {bytes_of("replay "), bytes_of(letter->record),
                            bytes_of(letter->command_id)};
    crypto_sha256(pieces, sizeof pieces / sizeof pieces[0], hash);
    uuid_from_hash(hash, ret_id);
}

static void fault_unreadable(const ProvisionDeadLetter *letter, ProvisionError *err)
{
    const char *why = "holds no command that can be read: send a right one";
    if (letter->value_bytes == 0) {
        why = strcmp(letter->reason, "SKIPPED") == 0
                  ? "has no value (the record was skipped and never looked into): read the record, "
                    "and send its command again from where it came"
                  : "has no value (too large, or it held a key in clear): send the command again "
                    "from where it came";
    }
    fault_set(err, PROVISION_ERROR_INVALID, "LETTER_UNREADABLE", "the letter %d:%lld, of %s, %s",
              (int)letter->partition, (long long)letter->offset, letter->record, why);
}

ProvisionCommand *provision_dead_letter_replay(const ProvisionDeadLetter *letter,
                                               ProvisionError *err)
{
    const LetterBox *box = (const LetterBox *)letter;
    Provisioning__V1__Command *message = unpack(box->message);
    if (message == NULL) {
        fault_unreadable(letter, err);
        return NULL;
    }
    char id[UUID_TEXT_BYTES];
    replay_id(letter, id);
    draft_set_text(&message->replay_of, message->command_id);
    draft_set_text(&message->command_id, id);
    draft_drop_times(message);
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_new(message);
    return draft_check(command, DRAFT_KEY_NEEDED, err) ? draft_take(&command) : NULL;
}
