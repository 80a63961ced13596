#include "run/skip.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/completion.h"
#include "drive/kafka_solo.h"
#include "run/ending.h"
#include "run/intake.h"
#include "run/outbox.h"

enum { NUMBER_TEXT_BYTES = 32 };

static void finish_at(PGconn **connection)
{
    PQfinish(*connection);
}

static void clear_at(PGresult **result)
{
    PQclear(*result);
}

static void completion_free_at(Completion **completion)
{
    completion_free(*completion);
}

static bool read_number(const char *text, char end, int64_t most, const char **ret_rest,
                        int64_t *ret_number)
{
    char *rest = NULL;
    errno = 0;
    long long number = strtoll(text, &rest, 10);
    *ret_rest = rest;
    *ret_number = number;
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *rest == end && number <= most;
}

bool skip_parse(const char *text, int32_t *ret_partition, int64_t *ret_offset, Error *err)
{
    int64_t partition = 0;
    const char *rest = text;
    if (!read_number(text, ':', INT32_MAX, &rest, &partition) ||
        !read_number(rest + 1, '\0', INT64_MAX, &rest, ret_offset)) {
        return error_set(err, ERROR_INVALID, "INVALID_COORDINATES",
                         "PARTITION:OFFSET is needed, as a dead letter or a log line names them");
    }
    *ret_partition = (int32_t)partition;
    return true;
}

static bool check_range(const KafkaSolo *solo, int64_t offset, Error *err)
{
    int64_t low = 0;
    int64_t high = 0;
    kafka_solo_range(solo, &low, &high);
    if (offset < kafka_solo_assignment(solo)->committed) {
        return error_set(err, ERROR_CONFLICT, "ALREADY_FINISHED",
                         "the record is finished: the group's committed offset is %" PRId64,
                         kafka_solo_assignment(solo)->committed);
    }
    return (offset >= low && offset < high) ||
           error_set(err, ERROR_INVALID, "OFFSET_UNKNOWN",
                     "the partition holds records from %" PRId64 " to %" PRId64, low, high - 1);
}

// Takes in all records up to this one, without a look at what they hold.
static const rd_kafka_message_t *find_record(KafkaSolo *solo, Completion *completion,
                                             int64_t offset, FILE *out, Error *err)
{
    const rd_kafka_message_t *message = NULL;
    CompletionDelivery delivery = COMPLETION_FINISHED;
    do {
        const char *void_reason = NULL;
        message = kafka_solo_next(solo, err);
        if (message == NULL) {
            return NULL;
        }
        int64_t timestamp_ms = rd_kafka_message_timestamp(message, NULL);
        delivery = completion_deliver(completion, message->offset,
                                      timestamp_ms > 0 ? timestamp_ms : 0, &void_reason);
        if (void_reason != NULL) {
            fprintf(out, "the completion map is ignored: %s\n", void_reason);
        }
    } while (message->offset < offset);
    if (message->offset > offset) {
        error_set(err, ERROR_INVALID, "OFFSET_UNKNOWN",
                  "there is no record: the next one has offset %" PRId64, message->offset);
    } else if (delivery == COMPLETION_FINISHED) {
        error_set(err, ERROR_CONFLICT, "ALREADY_FINISHED",
                  "the record is finished, as the completion map says");
    } else if (completion_unfinished(completion) > COMPLETION_UNFINISHED_MAX) {
        error_set(err, ERROR_CONFLICT, "TOO_MANY_UNFINISHED",
                  "more than %d unfinished records stand before it; workers reach it later",
                  COMPLETION_UNFINISHED_MAX);
    }
    return err->kind == ERROR_NONE ? message : NULL;
}

// A command with a row was decoded: its outcome is the ledger's business.
static bool check_unclaimed(const Settings *settings, const Record *record, Error *err)
{
    char partition[NUMBER_TEXT_BYTES];
    char offset[NUMBER_TEXT_BYTES];
    char timestamp[NUMBER_TEXT_BYTES];
    (void)snprintf(partition, sizeof partition, "%" PRId32, record->partition);
    (void)snprintf(offset, sizeof offset, "%" PRId64, record->offset);
    (void)snprintf(timestamp, sizeof timestamp, "%" PRId64, record->timestamp_ms);
    PGconn *connection CLEANUP(finish_at) =
        PQconnectdb(secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)));
    PGresult *result CLEANUP(clear_at) =
        PQexecParams(connection,
                     "SELECT application_id, command_id FROM provision.command"
                     " WHERE partition = $1 AND record_offset = $2 AND record_timestamp_ms = $3",
                     3, NULL, (const char *const[]){partition, offset, timestamp}, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        return error_set(err, ERROR_UNAVAILABLE, "LEDGER_UNAVAILABLE",
                         "the ledger does not answer");
    }
    return PQntuples(result) == 0 ||
           error_set(err, ERROR_CONFLICT, "ALREADY_CLAIMED",
                     "a worker has decoded and claimed it as command %s of %s: it ends by "
                     "commands.crash_limit",
                     PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 0));
}

static OutcomeMessage *make_outcome(const Worker *worker, const Record *record, const char *reason)
{
    Rejection rejection = {.action_name = ""};
    Error err = ERROR_INIT;
    error_set(&rejection.error, ERROR_INVALID, "SKIPPED", "%s",
              reason != NULL ? reason : "skipped by an operator");
    char key[NAME_APPLICATION_BYTES] = "";
    if (record->key.size < sizeof key) {
        memcpy(key, record->key.data, record->key.size);
    }
    if (strlen(key) == record->key.size && name_check_application(key, "key", &err)) {
        memcpy(rejection.application_id, key, sizeof key);
    }
    OutcomeContext context = ending_context(worker, rejection.application_id, "", "", 1);
    CLEANUP(outcome_free_at) Outcome *outcome = outcome_new(&context);
    bool added = outcome_add_rejected(outcome, &rejection, record, &err);
    assert(added); // codes and texts are bounded
    (void)added;
    // the value isn't looked into, not even for a key in clear, and so it is left out
    outcome_add_dead_letter(outcome, record, &rejection.error, worker->name, 0);
    Buffer bytes = {.data = NULL};
    outcome_pack(outcome, &bytes);
    OutcomeMessage *message = outcome_unpack(buffer_view(&bytes));
    assert(message != NULL);
    buffer_clear(&bytes);
    return message;
}

static bool publish(KafkaSolo *solo, const Settings *settings, const Completion *completion,
                    const OutcomeMessage *outcome, Error *err)
{
    CLEANUP(text_clear) Text metadata = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(completion, &metadata);
    PublisherRecord *records = alloc_zeroed(outcome->n_records + 1, sizeof(*records));
    PublisherItem item = {
        .assignment = kafka_solo_assignment(solo),
        .offset = completion_offset(completion),
        .metadata = text_get(&metadata),
        .records = records,
        .record_count = outbox_choose_records(settings, NULL, outcome, OUTBOX_FIRST, records),
    };
    bool ok = kafka_solo_publish(solo, &item, err);
    outbox_free_records(records, item.record_count);
    return ok;
}

bool skip_record(const Settings *settings, const char *installation, int32_t partition,
                 int64_t offset, const char *reason, FILE *out, Error *err)
{
    const char *void_reason = NULL;
    Worker worker = {.settings = settings};
    bool fits = text_copy(worker.installation, sizeof worker.installation, installation);
    assert(fits);
    (void)fits;
    worker_set_names(&worker);
    CLEANUP(kafka_solo_close_at) KafkaSolo *solo = kafka_solo_open(settings, partition, err);
    if (solo == NULL || !check_range(solo, offset, err)) {
        return false;
    }
    const KafkaAssignment *assignment = kafka_solo_assignment(solo);
    CLEANUP(completion_free_at)
    Completion *completion =
        completion_new(assignment->committed, assignment->metadata, &void_reason);
    const rd_kafka_message_t *message = find_record(solo, completion, offset, out, err);
    if (message == NULL) {
        return false;
    }
    CLEANUP(intake_free_headers) RecordHeader *headers = NULL;
    Record record = intake_read_record(message, &headers);
    if (!check_unclaimed(settings, &record, err)) {
        return false;
    }
    completion_finish(completion, offset);
    CLEANUP(outcome_message_free_at)
    OutcomeMessage *outcome = make_outcome(&worker, &record, reason);
    if (!publish(solo, settings, completion, outcome, err)) {
        return false;
    }
    fprintf(out, "skipped %s/%" PRId32 "@%" PRId64 ": it is a dead letter\n", record.topic,
            partition, offset);
    return true;
}
