#include "run/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "contract/signature.h"
#include "run/press.h"
#include "sys/crash.h"

// What may wait to be told of commands on their way, for each that may be in flight: while Kafka is
// away they go on, and an outcome must not wait behind a heap of steps.
enum { PROGRESS_PER_COMMAND = 4 };

// An outcome in the publisher without its records' contents.
enum { PARCEL_BYTES = 2048 };

// An outcome that the publisher has; afterwards, its row's published_at.
typedef struct Parcel {
    ListLink link;
    Worker *worker;
    uint64_t id;
    bool has_row;
    bool is_progress;     // of a command that isn't finished
    Partition *partition; // that it counts for; NULL: taken away
    size_t held_bytes;
    char application_id[NAME_APPLICATION_BYTES];
    char command_id[UUID_TEXT_BYTES];
    LedgerOp op;
} Parcel;

static const char *topic_of(const Settings *settings,
                            Provisioning__Internal__V1__OutcomeTopic topic)
{
    switch (topic) {
    case PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS:
        return settings_text(settings, SETTING_TOPIC_EVENTS);
    case PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_STATE:
        return settings_text(settings, SETTING_TOPIC_STATE);
    case PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_DEAD_LETTERS:
        return settings_text(settings, SETTING_TOPIC_DEAD_LETTERS);
    case PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_COMMANDS:
        return settings_text(settings, SETTING_TOPIC_COMMANDS);
    case PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_UNSPECIFIED:
    case _PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC_IS_INT_SIZE:
        break;
    }
    return NULL; // of a newer version: left out
}

static bool goes_out(const Provisioning__Internal__V1__OutcomeRecord *record, OutboxMode mode)
{
    bool is_event =
        record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS;
    bool is_state = record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_STATE;
    switch (mode) {
    case OUTBOX_FIRST:
        return true;
    case OUTBOX_NO_STATE:
        return !is_state;
    case OUTBOX_REPLAYED:
        return is_event;
    case OUTBOX_SILENT:
        break;
    }
    return false;
}

// The headers, and behind them the text of one that is made here.
typedef struct Headers {
    char signature[SIGNATURE_TEXT_BYTES];
    PublisherHeader list[];
} Headers;

enum { HEADERS_MORE = 2 };

static const PublisherHeader *copy_headers(const Provisioning__Internal__V1__OutcomeRecord *record,
                                           const CryptoSigner *signer, OutboxMode mode,
                                           size_t *ret_count)
{
    size_t room = record->n_headers + HEADERS_MORE;
    Headers *headers = alloc_zeroed(1, sizeof(*headers) + room * sizeof(headers->list[0]));
    for (size_t i = 0; i < record->n_headers; i++) {
        const Provisioning__Internal__V1__OutcomeHeader *header = record->headers[i];
        headers->list[i] = (PublisherHeader){header->name, {header->value.data, header->value.len}};
    }
    *ret_count = record->n_headers;
    if (mode == OUTBOX_REPLAYED) {
        headers->list[(*ret_count)++] = (PublisherHeader){"replayed", bytes_of("true")};
    }
    if (record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_COMMANDS &&
        signer != NULL) {
        signature_make(signer, (Bytes){record->key.data, record->key.len},
                       (Bytes){record->value.data, record->value.len}, headers->signature);
        headers->list[(*ret_count)++] =
            (PublisherHeader){SIGNATURE_HEADER, bytes_of(headers->signature)};
    }
    return headers->list;
}

static void free_headers(const PublisherHeader *list)
{
    free((char *)unconst(list) - offsetof(Headers, list));
}

size_t outbox_choose_records(const Settings *settings, const CryptoSigner *signer,
                             const OutcomeMessage *outcome, OutboxMode mode,
                             PublisherRecord *records)
{
    size_t count = 0;
    for (size_t i = 0; outcome != NULL && i < outcome->n_records; i++) {
        const Provisioning__Internal__V1__OutcomeRecord *record = outcome->records[i];
        const char *topic = topic_of(settings, record->topic);
        if (topic == NULL || !goes_out(record, mode)) {
            continue;
        }
        PublisherRecord *out = &records[count++];
        *out = (PublisherRecord){.topic = topic,
                                 .key = {record->key.data, record->key.len},
                                 .value = {record->value.data, record->value.len},
                                 .tombstone = record->tombstone};
        out->headers = copy_headers(record, signer, mode, &out->header_count);
    }
    return count;
}

void outbox_free_records(PublisherRecord *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free_headers(records[i].headers);
    }
    free(records);
}

static Parcel *parcel_new(Worker *worker, const char *application_id, const char *command_id)
{
    Parcel *parcel = alloc_zeroed(1, sizeof(*parcel));
    parcel->worker = worker;
    parcel->id = ++worker->next_parcel;
    parcel->has_row = application_id != NULL;
    if (parcel->has_row) {
        bool fits =
            text_copy(parcel->application_id, sizeof parcel->application_id, application_id);
        fits = text_copy(parcel->command_id, sizeof parcel->command_id, command_id) && fits;
        assert(fits);
        (void)fits;
    }
    list_append(&worker->parcels, &parcel->link);
    worker->parcel_count++;
    return parcel;
}

// What the publisher holds of it.
static size_t size_of(const PublisherItem *item)
{
    size_t size = PARCEL_BYTES + strlen(item->metadata);
    for (size_t i = 0; i < item->record_count; i++) {
        const PublisherRecord *record = &item->records[i];
        size += record->key.size + record->value.size;
        for (size_t h = 0; h < record->header_count; h++) {
            size += record->headers[h].value.size;
        }
    }
    return size;
}

// With the partition's offset and map as they are now.
static void put_parcel(Parcel *parcel, Partition *partition, const OutcomeMessage *outcome,
                       OutboxMode mode)
{
    Worker *worker = parcel->worker;
    size_t room = outcome != NULL ? outcome->n_records : 0;
    PublisherRecord *records = alloc_zeroed(room + 1, sizeof(*records));
    CLEANUP(text_clear) Text metadata = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(partition->completion, &metadata);
    PublisherItem item = {
        .id = parcel->id,
        .assignment = partition->assignment,
        .offset = completion_offset(partition->completion),
        .metadata = text_get(&metadata),
        .records = records,
        .record_count = outbox_choose_records(worker->settings, keys_signer(&worker->keys), outcome,
                                              mode, records),
    };
    parcel->partition = partition;
    parcel->held_bytes = size_of(&item);
    press_take(worker, partition, parcel->held_bytes);
    publisher_put(worker->publisher, &item);
    outbox_free_records(records, item.record_count);
}

void outbox_put(Worker *worker, Partition *partition, int64_t offset, const OutcomeMessage *outcome,
                OutboxMode mode, const char *application_id, const char *command_id)
{
    bool marks = mode == OUTBOX_FIRST || mode == OUTBOX_NO_STATE;
    Parcel *parcel = parcel_new(worker, marks ? application_id : NULL, command_id);
    completion_finish(partition->completion, offset);
    put_parcel(parcel, partition, outcome, mode);
}

bool outbox_tell(Worker *worker, Partition *partition, const OutcomeMessage *progress)
{
    size_t commands = (size_t)settings_number(worker->settings, SETTING_COMMANDS_IN_FLIGHT);
    if (worker->progress_count >= commands * PROGRESS_PER_COMMAND) {
        return false;
    }
    Parcel *parcel = parcel_new(worker, NULL, NULL);
    parcel->is_progress = true;
    worker->progress_count++;
    put_parcel(parcel, partition, progress, OUTBOX_FIRST);
    return true;
}

static void on_marked(LedgerOp *op)
{
    Parcel *parcel = LIST_ENTRY(op, Parcel, op);
    Worker *worker = parcel->worker;
    crash_point(CRASH_PUBLISHED_AFTER, NULL, NULL);
    list_remove(&parcel->link);
    free(parcel);
    worker->marking_count--;
}

// The publisher is first-in first-out, so the parcel stands at the front, but for those it dropped.
static Parcel *take_parcel(Worker *worker, uint64_t id)
{
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): see list_remove
    LIST_EACH(&worker->parcels, link)
    {
        Parcel *parcel = LIST_ENTRY(link, Parcel, link);
        if (parcel->id == id) {
            list_remove(link);
            worker->parcel_count--;
            worker->progress_count -= parcel->is_progress ? 1 : 0;
            if (parcel->partition != NULL) {
                press_give(worker, parcel->partition, parcel->held_bytes);
            }
            return parcel;
        }
    }
    return NULL;
}

void outbox_published(Worker *worker, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Parcel *parcel = take_parcel(worker, ids[i]);
        assert(parcel != NULL);
        if (!parcel->has_row) {
            free(parcel);
            continue;
        }
        list_append(&worker->marking, &parcel->link);
        worker->marking_count++;
        parcel->op = (LedgerOp){.kind = LEDGER_OP_PUBLISHED,
                                .ask.published = {parcel->application_id, parcel->command_id},
                                .done = on_marked};
        crash_point(CRASH_PUBLISHED_BEFORE, NULL, NULL);
        ledger_queue_put(worker->ledger, &parcel->op);
    }
}

void outbox_dropped(Worker *worker, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(take_parcel(worker, ids[i]));
    }
}

void outbox_forget(Worker *worker, const Partition *partition)
{
    LIST_EACH(&worker->parcels, link)
    {
        Parcel *parcel = LIST_ENTRY(link, Parcel, link);
        if (parcel->partition == partition) {
            parcel->partition = NULL;
        }
    }
}

static void clear_list(List *list)
{
    LIST_EACH(list, link)
    {
        list_remove(link);
        free(LIST_ENTRY(link, Parcel, link));
    }
}

void outbox_clear(Worker *worker)
{
    clear_list(&worker->parcels);
    clear_list(&worker->marking);
    worker->parcel_count = 0;
    worker->progress_count = 0;
    worker->marking_count = 0;
}
