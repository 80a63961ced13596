#include "run/rebuild_subjects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/allocator.h"
#include "contract/framing.h"
#include "contract/wire.h"
#include "drive/kafka_reader.h"
#include "run/intake.h"

enum { SOURCE_BYTES = 128, NUMBER_BYTES = 24 };

static const char SOURCE_BEGIN[] = "/neon-provisioner/"; // events.source by default

// The text up to the next '/', which *text is moved behind.
static bool take_part(const char **text, char *ret_part, size_t part_bytes)
{
    size_t length = strcspn(*text, "/");
    if (length == 0 || length >= part_bytes) {
        return false;
    }
    memcpy(ret_part, *text, length);
    ret_part[length] = '\0';
    *text += length + ((*text)[length] == '/');
    return true;
}

bool rebuild_parse_subject(const char *text, char ret_application_id[NAME_APPLICATION_BYTES],
                           Subject *ret_subject)
{
    char kind[16];
    *ret_subject = (Subject){.kind = SUBJECT_APPLICATION};
    if (!take_part(&text, kind, sizeof kind) || strcmp(kind, "applications") != 0 ||
        !take_part(&text, ret_application_id, NAME_APPLICATION_BYTES) ||
        !name_check_application(ret_application_id, "", NULL)) {
        return false;
    }
    if (*text == '\0') {
        return true;
    }
    if (!take_part(&text, kind, sizeof kind) ||
        !take_part(&text, ret_subject->name, sizeof ret_subject->name)) {
        return false;
    }
    ret_subject->kind = strcmp(kind, "environments") == 0 ? SUBJECT_ENVIRONMENT
                        : strcmp(kind, "accounts") == 0   ? SUBJECT_ACCOUNT
                                                          : SUBJECT_NONE;
    return *text == '\0' && ret_subject->kind != SUBJECT_NONE;
}

static void free_state(Provisioning__V1__State **state)
{
    allocator_free_message((ProtobufCMessage *)*state);
    *state = NULL;
}

// NULL: the text names no subject.
static RebuildSubject *find(RebuildSubjects *subjects, Bytes name)
{
    char text[SUBJECT_TEXT_BYTES];
    RebuildSubject parsed = {.sequence = 0};
    if (name.size == 0 || name.size >= sizeof text) {
        return NULL;
    }
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    RebuildSubject *found = table_get(subjects->by_name, text);
    if (found == NULL && rebuild_parse_subject(text, parsed.application_id, &parsed.subject)) {
        found = alloc_zeroed(1, sizeof(*found));
        *found = parsed;
        (void)table_put(subjects->by_name, text, found);
    }
    return found;
}

static Bytes header(const Record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0) {
            return record->headers[i].value;
        }
    }
    return (Bytes){NULL, 0};
}

static void take_source(RebuildSubjects *subjects, const Record *record)
{
    char text[SOURCE_BYTES] = "";
    Bytes source = header(record, "ce_source");
    if (source.size < sizeof text && source.size > 0) {
        memcpy(text, source.data, source.size);
    }
    size_t begin = strlen(SOURCE_BEGIN);
    if (strncmp(text, SOURCE_BEGIN, begin) == 0 && uuid_is_valid(text + begin)) {
        uuid_normalise(text + begin, subjects->installation_id);
    }
}

static Provisioning__V1__State *unpack(Bytes value, Error *err)
{
    Bytes message = {NULL, 0};
    ProtobufCAllocator allocator = allocator_zeroing();
    return framing_open(value, &message, err)
               ? provisioning__v1__state__unpack(&allocator, message.size, message.data)
               : NULL;
}

static void take_state(void *context, const rd_kafka_message_t *message)
{
    RebuildSubjects *subjects = context;
    CLEANUP(intake_free_headers) RecordHeader *headers = NULL;
    const Record record = intake_read_record(message, &headers);
    RebuildSubject *subject = find(subjects, record.key);
    if (subject == NULL) {
        return; // of a later version
    }
    free_state(&subject->state);
    if (record.value.data == NULL) {
        return;
    }
    subject->state = unpack(record.value, NULL);
    if (subject->state == NULL && subjects->error.kind == ERROR_NONE) {
        error_set(&subjects->error, ERROR_INVALID, "STATE_UNREADABLE",
                  "the record %s/%" PRId32 "@%" PRId64 " holds no State", record.topic,
                  record.partition, record.offset);
    } else if (subject->state != NULL && subject->state->sequence > subject->sequence) {
        subject->sequence = subject->state->sequence;
    }
    take_source(subjects, &record);
}

// Of what is gone, the state topic tells no sequence.
static void take_event(void *context, const rd_kafka_message_t *message)
{
    RebuildSubjects *subjects = context;
    CLEANUP(intake_free_headers) RecordHeader *headers = NULL;
    char number[NUMBER_BYTES] = "";
    const Record record = intake_read_record(message, &headers);
    Bytes sequence = header(&record, "ce_sequence");
    RebuildSubject *subject = find(subjects, header(&record, "ce_subject"));
    if (subject == NULL || sequence.size == 0 || sequence.size >= sizeof number) {
        return;
    }
    memcpy(number, sequence.data, sequence.size);
    int64_t value = strtoll(number, NULL, 10);
    subject->sequence = value > subject->sequence ? value : subject->sequence;
    take_source(subjects, &record);
}

bool rebuild_subjects_read(const Settings *settings, RebuildSubjects *ret_subjects, Error *err)
{
    *ret_subjects = (RebuildSubjects){.by_name = table_new()};
    rd_kafka_t *reader CLEANUP(kafka_reader_close_at) = kafka_reader_open(settings, err);
    if (reader == NULL ||
        !kafka_reader_read(reader, settings_text(settings, SETTING_TOPIC_STATE), take_state,
                           ret_subjects, err) ||
        !kafka_reader_read(reader, settings_text(settings, SETTING_TOPIC_EVENTS), take_event,
                           ret_subjects, err)) {
        return false;
    }
    *err = ret_subjects->error;
    return err->kind == ERROR_NONE;
}

static void free_subject(void *context, const char *name, void *value)
{
    (void)context;
    (void)name;
    RebuildSubject *subject = value;
    free_state(&subject->state);
    free(subject);
}

void rebuild_subjects_clear(RebuildSubjects *subjects)
{
    if (subjects->by_name != NULL) {
        table_each(subjects->by_name, free_subject, NULL);
        table_free(subjects->by_name);
    }
}
