#include "ctl/status_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/text.h"
#include "contract/framing.h"
#include "contract/outcome.h"
#include "contract/waiting.h"

enum { SQL_MAX_BYTES = 8192 };

#define HOLE "<outcome>"

// One command as an object, and its outcome where the hole asks for it. Times are in UTC by the
// session's zone (ctl/ledger_reader.c). Workers of before write no progress_at.
static const char COMMAND[] =
    "SELECT jsonb_strip_nulls(jsonb_build_object("
    "'commandId', c.command_id, 'applicationId', c.application_id, 'action', c.action, "
    "'source', 'ledger', 'subject', c.subject, "
    "'state', CASE WHEN c.published_at IS NOT NULL THEN 'finished' "
    "WHEN c.status = 'finished' THEN 'publishing' WHEN c.digest IS NULL THEN 'stop mark' "
    "WHEN c.direction = 'undo' THEN 'undoing' ELSE 'running' END, "
    "'partition', c.partition, 'offset', c.record_offset, 'worker', c.worker, "
    "'attempts', CASE WHEN c.digest IS NOT NULL THEN c.takeovers + 1 END, "
    "'abandoned', nullif(c.abandoned, 0), "
    "'stop', c.stop, 'stoppedBy', c.stopped_by, 'firstError', c.first_error) "
    "|| jsonb_build_object("
    "'step', CASE WHEN c.status = 'running' THEN coalesce(c.waiting_step, c.open_step) END, "
    "'lastCall', c.intent_step, 'intentOpen', nullif(c.open_step IS NOT NULL, false), "
    "'intentStep', c.open_step, 'settledAt', c.settles_at::timestamptz(3), "
    "'settledInSeconds', ceil(extract(epoch FROM c.settles_at - c.seen_at))::bigint, "
    "'waitingFor', c.waiting_for, 'waitingSince', c.waiting_since::timestamptz(3), "
    "'waitingSeconds', floor(extract(epoch FROM c.seen_at - c.waiting_since))::bigint, "
    "'createdAt', c.created_at::timestamptz(3), 'claimedAt', c.claimed_at::timestamptz(3), "
    "'progressAt', c.moved_at::timestamptz(3), "
    "'idleSeconds', floor(extract(epoch FROM c.seen_at - c.moved_at))::bigint, "
    "'finishedAt', c.finished_at::timestamptz(3), "
    "'publishedAt', c.published_at::timestamptz(3), 'sequence', c.outcome_sequence))::text, " HOLE
    " FROM (SELECT *, clock_timestamp() AS seen_at, "
    "coalesce(finished_at, progress_at, claimed_at, created_at) AS moved_at, "
    "CASE WHEN status = 'running' AND intent_status = 'open' THEN intent_step END AS open_step, "
    "CASE WHEN status = 'running' AND intent_status = 'open' AND intent_settles "
    "THEN settled_at END AS settles_at FROM provision.command) c ";

static const char FIND[] =
    "WHERE c.command_id = $1::uuid AND ($2::text IS NULL OR c.application_id = $2::text) "
    "ORDER BY c.application_id";

// A stop mark is the stop of a command that no worker has seen: nothing of it can be stuck.
static const char LIST[] = "WHERE (c.status = 'running' OR c.published_at IS NULL) "
                           "AND ($1::text IS NULL OR c.application_id = $1::text) "
                           "AND ($2::bigint IS NULL OR (c.digest IS NOT NULL "
                           "AND c.moved_at <= c.seen_at - $2::bigint * interval '1 ms')) "
                           "ORDER BY c.moved_at, c.application_id, c.command_id";

static const char *header_of(const Provisioning__Internal__V1__OutcomeRecord *record,
                             const char *name, char *buffer, size_t size)
{
    buffer[0] = '\0';
    for (size_t i = 0; i < record->n_headers; i++) {
        const ProtobufCBinaryData *value = &record->headers[i]->value;
        if (strcmp(record->headers[i]->name, name) == 0 && value->len < size) {
            memcpy(buffer, value->data, value->len);
            buffer[value->len] = '\0';
        }
    }
    return buffer;
}

static bool tells_the_end(const char *type)
{
    return type[0] != '\0' && strcmp(type, "CommandAccepted") != 0 &&
           strcmp(type, "StepFinished") != 0 && strcmp(type, "DriftReported") != 0;
}

static Provisioning__V1__Event *unpack_event(
    const Provisioning__Internal__V1__OutcomeRecord *record)
{
    Bytes message = {.data = NULL};
    Bytes value = {record->value.data, record->value.len};
    return framing_open(value, &message, NULL)
               ? provisioning__v1__event__unpack(NULL, message.size, message.data)
               : NULL;
}

static void add_reason(json_t *command, const Provisioning__V1__Event *event)
{
    if (event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED) {
        json_object_set_new(command, "code", json_string(event->command_failed->code));
        json_object_set_new(command, "message", json_string(event->command_failed->message));
    } else if (event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED) {
        json_object_set_new(command, "code", json_string(event->command_rejected->code));
        json_object_set_new(command, "message", json_string(event->command_rejected->message));
    }
}

static void add_record(json_t *command, const Provisioning__Internal__V1__OutcomeRecord *record)
{
    static const char PREFIX[] = "provisioning.v1.";
    char buffer[512] = "";
    const char *type = header_of(record, "ce_type", buffer, sizeof(buffer));
    type += strncmp(type, PREFIX, sizeof(PREFIX) - 1) == 0 ? sizeof(PREFIX) - 1 : 0;
    if (record->topic != PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS ||
        !tells_the_end(type)) {
        return;
    }
    json_object_set_new(command, "outcome", json_string(type));
    const char *subject = header_of(record, "ce_subject", buffer, sizeof(buffer));
    if (subject[0] != '\0') { // claimed by a worker of before, it has none
        json_object_set_new(command, "subject", json_string(subject));
    }
    Provisioning__V1__Event *event = unpack_event(record);
    if (event != NULL) {
        add_reason(command, event);
        provisioning__v1__event__free_unpacked(event, NULL);
    }
}

static void add_outcome(json_t *command, const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL) {
        abort();
    }
    OutcomeMessage *outcome = crypto_hex_decode(hex, bytes, size)
                                  ? outcome_unpack((Bytes){.data = bytes, .size = size})
                                  : NULL;
    for (size_t i = 0; outcome != NULL && i < outcome->n_records; i++) {
        add_record(command, outcome->records[i]);
    }
    outcome_message_free(outcome);
    free(bytes);
}

static json_t *read_rows(const PGresult *rows)
{
    json_t *list = json_array();
    for (int row = 0; row < PQntuples(rows); row++) {
        json_t *command = json_loads(PQgetvalue(rows, row, 0), 0, NULL);
        if (command == NULL) {
            abort();
        }
        const char *waiting = json_string_value(json_object_get(command, "waitingFor"));
        if (waiting != NULL) {
            json_object_set_new(command, "waitingText", json_string(waiting_text(waiting)));
        }
        if (!PQgetisnull(rows, row, 1)) {
            add_outcome(command, PQgetvalue(rows, row, 1));
        }
        json_array_append_new(list, command);
    }
    return list;
}

static json_t *ask(PGconn *connection, const char *outcome, const char *where,
                   const char *const values[2], ProvisionError *err)
{
    CLEANUP(text_clear) Text sql = TEXT_INIT(SQL_MAX_BYTES);
    const char *hole = strstr(COMMAND, HOLE);
    text_append_bytes(&sql, COMMAND, (size_t)(hole - COMMAND));
    text_append(&sql, outcome);
    text_append(&sql, hole + strlen(HOLE));
    text_append(&sql, where);
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ledger_reader_ask(connection, text_get(&sql), 2, values, err);
    return rows == NULL ? NULL : read_rows(rows);
}

json_t *status_ledger_find(PGconn *connection, const char *command_id, const char *application_id,
                           ProvisionError *err)
{
    const char *const values[] = {command_id, application_id};
    return ask(connection, "encode(c.outcome, 'hex')", FIND, values, err);
}

json_t *status_ledger_list(PGconn *connection, const char *application_id, int64_t stuck_ms,
                           ProvisionError *err)
{
    char stuck[32];
    (void)snprintf(stuck, sizeof(stuck), "%" PRId64, stuck_ms);
    const char *const values[] = {application_id, stuck_ms < 0 ? NULL : stuck};
    return ask(connection, "NULL", LIST, values, err);
}
