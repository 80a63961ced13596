#include "ctl/status_ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "contract/framing.h"
#include "contract/outcome.h"
#include "contract/waiting.h"

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define AGE(column) "floor(extract(epoch FROM clock_timestamp() - " column "))::bigint"
// Workers of before write no progress_at.
#define PROGRESS "coalesce(c.finished_at, c.progress_at, c.claimed_at, c.created_at)"

#define COMMAND                                                                                                                                                                   \
    "SELECT jsonb_strip_nulls(json_build_object("                                                                                                                                 \
    "'commandId', c.command_id, 'applicationId', c.application_id, 'action', c.action, "                                                                                          \
    "'source', 'ledger', "                                                                                                                                                        \
    "'state', CASE WHEN c.published_at IS NOT NULL THEN 'finished' "                                                                                                              \
    "WHEN c.status = 'finished' THEN 'publishing' "                                                                                                                               \
    "WHEN c.digest IS NULL THEN 'unclaimed' "                                                                                                                                     \
    "WHEN c.direction = 'undo' THEN 'undoing' ELSE 'running' END, "                                                                                                               \
    "'subject', CASE WHEN e.environment IS NOT NULL THEN "                                                                                                                        \
    "'applications/' || c.application_id || '/environments/' || e.environment END, "                                                                                              \
    "'partition', c.partition, 'offset', c.record_offset, "                                                                                                                       \
    "'worker', c.worker, 'attempts', CASE WHEN c.digest IS NOT NULL THEN c.takeovers + 1 END, "                                                                                   \
    "'abandoned', nullif(c.abandoned, 0), "                                                                                                                                       \
    "'stop', c.stop, 'stoppedBy', c.stopped_by, 'firstError', c.first_error)::jsonb "                                                                                             \
    "|| jsonb_build_object("                                                                                                                                                      \
    "'step', CASE WHEN c.status = 'running' THEN coalesce(c.waiting_step, "                                                                                                       \
    "CASE WHEN c.intent_status = 'open' THEN c.intent_step END) END, "                                                                                                            \
    "'lastCall', c.intent_step, "                                                                                                                                                 \
    "'waitingFor', c.waiting_for, 'waitingSince', " TIME(                                                                                                                         \
        "c.waiting_since") ", "                                                                                                                                                   \
                           "'waitingSeconds', " AGE(                                                                                                                              \
                               "c.waiting_since") ", "                                                                                                                            \
                                                  "'intentOpen', CASE WHEN c.status = 'running' "                                                                                 \
                                                  "AND c.intent_status = 'open' THEN true END, "                                                                                  \
                                                  "'intentStep', CASE WHEN c.intent_status = "                                                                                    \
                                                  "'open' THEN c.intent_step END, "                                                                                               \
                                                  "'settledAt', CASE WHEN c.status = 'running' "                                                                                  \
                                                  "AND c.intent_status = 'open' AND "                                                                                             \
                                                  "c.intent_settles THEN " TIME(                                                                                                  \
                                                      "c.settled_at") " END, "                                                                                                    \
                                                                      "'settledInSeconds', CASE "                                                                                 \
                                                                      "WHEN c.status = 'running' "                                                                                \
                                                                      "AND c.intent_status = "                                                                                    \
                                                                      "'open' AND "                                                                                               \
                                                                      "c.intent_settles THEN "                                                                                    \
                                                                      "- " AGE(                                                                                                   \
                                                                          "c.settled_at") " END, "                                                                                \
                                                                                          "'creat"                                                                                \
                                                                                          "edAt',"                                                                                \
                                                                                          " " TIME("c.created_at") ", 'claimedAt', " TIME(                                        \
                                                                                              "c."                                                                                \
                                                                                              "cl"                                                                                \
                                                                                              "ai"                                                                                \
                                                                                              "me"                                                                                \
                                                                                              "d_"                                                                                \
                                                                                              "a"                                                                                 \
                                                                                              "t") ", "                                                                           \
                                                                                                   "'progressAt', " TIME(PROGRESS) ", 'idleSeconds', " AGE(                       \
                                                                                                       PROGRESS) ", "                                                             \
                                                                                                                 "'finishedAt', " TIME("c.finished_at") ", 'publishedAt', " TIME( \
                                                                                                                     "c.published_at") ", "                                       \
                                                                                                                                       "'sequence', c.outcome_sequence))::text, "

#define TABLES                                                                                     \
    "FROM provision.command c "                                                                    \
    "LEFT JOIN provision.environment e ON e.application_id = c.application_id "                    \
    "AND e.command_id = c.command_id "

static const char FIND[] =
    COMMAND "encode(c.outcome, 'hex') " TABLES
            "WHERE c.command_id = $1::uuid AND ($2::text IS NULL OR c.application_id = $2::text) "
            "ORDER BY c.application_id";

static const char LIST[] =
    COMMAND "NULL " TABLES "WHERE (c.status = 'running' OR c.published_at IS NULL) "
            "AND ($1::text IS NULL OR c.application_id = $1::text) "
            "AND " PROGRESS " <= clock_timestamp() - $2::bigint * interval '1 ms' "
            "ORDER BY " PROGRESS ", c.application_id, c.command_id";

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
    if (subject[0] != '\0') {
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

json_t *status_ledger_find(PGconn *connection, const char *command_id, const char *application_id,
                           ProvisionError *err)
{
    const char *const values[] = {command_id, application_id};
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ledger_reader_ask(connection, FIND, 2, values, err);
    return rows == NULL ? NULL : read_rows(rows);
}

json_t *status_ledger_list(PGconn *connection, const char *application_id, int64_t stuck_ms,
                           ProvisionError *err)
{
    char stuck[32];
    (void)snprintf(stuck, sizeof(stuck), "%" PRId64, stuck_ms);
    const char *const values[] = {application_id, stuck};
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ledger_reader_ask(connection, LIST, 2, values, err);
    return rows == NULL ? NULL : read_rows(rows);
}
