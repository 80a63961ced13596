#include "ctl/status_topics.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/instant.h"
#include "contract/command.h"
#include "contract/framing.h"
#include "contract/wire.h"
#include "ctl/progress_map.h"
#include "lib/broker.h"
#include "lib/client.h"
#include "lib/event.h"
#include "lib/reader.h"

enum { FIELD_COMMAND_ID = 1, COMMAND_MAX_BYTES = 16 * 1024 * 1024, SIGHTINGS_MAX = 1000000 };

// A record of the command topic that was read before, or behind, the one that is looked for.
typedef struct Sighting {
    uint64_t key_hash;
    int64_t offset;
    int32_t partition;
} Sighting;

typedef struct Search {
    const StatusQuery *query;
    const ProvisionOptions *options;
    json_t *command; // NULL: not found
    char application_id[NAME_APPLICATION_BYTES];
    uint64_t key_hash;
    int32_t partition;
    int64_t offset;
    Sighting *sightings;
    size_t sighting_count;
} Search;

static void clear_search(Search *search)
{
    json_decref(search->command);
    free(search->sightings);
}

static void close_reader(Reader **reader)
{
    reader_close(*reader);
}

static void free_record(rd_kafka_message_t **record)
{
    if (*record != NULL) {
        rd_kafka_message_destroy(*record);
    }
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        json_object_set_new(object, key, json_string(text));
    }
}

static void set_time(json_t *object, const char *key, int64_t instant_ms)
{
    char text[INSTANT_TEXT_BYTES];
    if (instant_ms > 0) { // else it says none
        instant_format(instant_ms, text);
        json_object_set_new(object, key, json_string(text));
    }
}

// FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
static uint64_t hash_of(Bytes key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void note_sighting(Search *search, const rd_kafka_message_t *record)
{
    size_t count = search->sighting_count;
    if (count == SIGHTINGS_MAX) {
        return;
    }
    if ((count & (count - 1)) == 0) { // a power of two: full
        size_t room = count == 0 ? 1 : 2 * count;
        Sighting *grown = alloc_zeroed(room, sizeof(*grown));
        if (count > 0) {
            memcpy(grown, search->sightings, count * sizeof(*grown));
        }
        free(search->sightings);
        search->sightings = grown;
    }
    search->sightings[search->sighting_count++] =
        (Sighting){hash_of(event_record_key(record)), record->offset, record->partition};
}

static bool is_wanted(const Search *search, const rd_kafka_message_t *record)
{
    char id[UUID_TEXT_BYTES];
    Bytes message = {.data = NULL};
    return framing_open(event_record_value(record), &message, NULL) &&
           wire_find_text(message, FIELD_COMMAND_ID, id, sizeof(id)) &&
           strcasecmp(id, search->query->command_id) == 0 &&
           (search->query->application_id == NULL ||
            bytes_equal(event_record_key(record), bytes_of(search->query->application_id)));
}

static int64_t timestamp_of(const rd_kafka_message_t *record)
{
    int64_t timestamp_ms = rd_kafka_message_timestamp(record, NULL);
    return timestamp_ms > 0 ? timestamp_ms : 0;
}

static void describe(json_t *command, const rd_kafka_message_t *record)
{
    const CommandRules rules = {.max_bytes = COMMAND_MAX_BYTES, .allow_plaintext_key = true};
    const Record raw = {.topic = "",
                        .partition = record->partition,
                        .offset = record->offset,
                        .key = event_record_key(record),
                        .value = event_record_value(record)};
    Rejection rejection = {.action_name = ""};
    Command *decoded CLEANUP(command_free_at) = command_decode(&raw, &rules, &rejection);
    if (decoded == NULL) {
        set_text(command, "action", rejection.action_name); // a sealed key opens only for workers
        return;
    }
    char subject[SUBJECT_TEXT_BYTES];
    Subject about = command_subject(decoded);
    subject_format(decoded->application_id, &about, subject);
    set_text(command, "action", decoded->action_name);
    set_text(command, "subject", subject);
}

static void take_record(Search *search, const rd_kafka_message_t *record)
{
    Bytes key = event_record_key(record);
    if (key.size >= sizeof(search->application_id)) {
        return;
    }
    memcpy(search->application_id, key.data, key.size);
    search->key_hash = hash_of(key);
    search->partition = record->partition;
    search->offset = record->offset;
    search->command =
        json_pack("{s:s, s:s, s:s, s:i, s:I}", "commandId", search->query->command_id,
                  "applicationId", search->application_id, "source", "topics", "partition",
                  (int)record->partition, "offset", (json_int_t)record->offset);
    if (search->command == NULL) {
        abort(); // a key that is no UTF-8 is none of a command that was found by its id
    }
    set_time(search->command, "sentAt", timestamp_of(record));
    describe(search->command, record);
}

typedef void Visitor(Search *search, const rd_kafka_message_t *record);

static bool read_topic(Search *search, OptionsTopic topic, const char *key, Visitor *visit,
                       ProvisionError *err)
{
    Deadline deadline = deadline_in(search->query->timeout_ms);
    ReaderStart start = {.kind = PROVISION_START_SINCE, .since_ms = search->query->since_ms};
    Reader *reader CLEANUP(close_reader) =
        reader_open(search->options, topic, key, start, deadline, err);
    while (reader != NULL) {
        rd_kafka_message_t *record CLEANUP(free_record) = NULL;
        switch (reader_next(reader, deadline, &record, err)) {
        case READER_RECORD:
            visit(search, record);
            break;
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

static void visit_command(Search *search, const rd_kafka_message_t *record)
{
    note_sighting(search, record);
    if (search->command == NULL && is_wanted(search, record)) {
        take_record(search, record);
    }
}

static void take_event(json_t *command, const ProvisionEvent *event)
{
    set_text(command, "subject", event->subject);
    if (event->outcome != PROVISION_OUTCOME_NONE) {
        set_text(command, "outcome", event->type);
        set_text(command, "code", event->code);
        set_text(command, "message", event->message);
        set_time(command, "finishedAt", event->occurred_at_ms);
    } else if (strcmp(event->type, "StepFinished") == 0) {
        json_t *form = json_loads(event->json, 0, NULL);
        const json_t *body = json_object_get(form, "stepFinished");
        set_text(command, "lastCall", json_string_value(json_object_get(body, "step")));
        set_time(command, "progressAt", event->occurred_at_ms);
        json_decref(form);
    } else if (strcmp(event->type, "CommandAccepted") == 0) {
        set_time(command, "claimedAt", event->occurred_at_ms);
    }
}

static void visit_event(Search *search, const rd_kafka_message_t *record)
{
    ProvisionEvent *event =
        event_may_concern(record, search->query->command_id) ? event_decode(record, NULL) : NULL;
    if (event != NULL && strcasecmp(event->command_id, search->query->command_id) == 0 &&
        strcmp(event->application_id, search->application_id) == 0) {
        take_event(search->command, event);
    }
    provision_event_free(event);
}

static void free_list(rd_kafka_topic_partition_list_t **list)
{
    rd_kafka_topic_partition_list_destroy(*list);
}

static void close_broker(Broker **broker)
{
    broker_close(*broker);
}

static bool read_progress(const Search *search, ProgressMap *ret_map, ProvisionError *err)
{
    char reason[256];
    const char *topic = search->options->topics[OPTIONS_TOPIC_COMMANDS];
    rd_kafka_conf_t *conf = options_consumer_conf(search->options);
    (void)rd_kafka_conf_set(conf, "group.id", search->query->group_id, reason, sizeof(reason));
    Broker *broker CLEANUP(close_broker) = broker_open(RD_KAFKA_CONSUMER, conf, err);
    if (broker == NULL) {
        return false;
    }
    rd_kafka_topic_partition_list_t *list CLEANUP(free_list) = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *partition =
        rd_kafka_topic_partition_list_add(list, topic, search->partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(broker->kafka, list, search->query->timeout_ms);
    code = code == RD_KAFKA_RESP_ERR_NO_ERROR ? partition->err : code;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return broker_fault(broker, topic, code, err);
    }
    progress_map_read(partition, ret_map);
    return true;
}

static json_int_t count_ahead(const Search *search, const ProgressMap *map)
{
    json_int_t ahead = 0;
    for (size_t i = 0; i < search->sighting_count; i++) {
        const Sighting *one = &search->sightings[i];
        bool is_ahead = one->partition == search->partition && one->offset < search->offset &&
                        one->key_hash == search->key_hash;
        ahead += is_ahead && !progress_map_is_finished(map, one->offset);
    }
    return ahead;
}

static void judge(Search *search, const ProgressMap *map)
{
    json_t *command = search->command;
    const char *unknown = "";
    bool has_outcome = json_object_get(command, "outcome") != NULL;
    if (has_outcome || progress_map_is_finished(map, search->offset)) {
        set_text(command, "state", "finished");
        unknown = has_outcome ? "" : "its outcome: none among the events that were looked at";
    } else {
        set_text(command, "state", "unfinished");
        json_object_set_new(command, "aheadOfIt", json_integer(count_ahead(search, map)));
        unknown = map->committed < 0
                      ? "whether a worker has it: the group has committed nothing of the partition"
                      : "who has it and what it waits for: that stands in the ledger "
                        "(--ledger-uri-file)";
    }
    set_text(command, "unknown", unknown);
}

json_t *status_topics_find(ProvisionClient *client, const StatusQuery *query, ProvisionError *err)
{
    Search search CLEANUP(clear_search) = {.query = query, .options = client_options(client)};
    if (!read_topic(&search, OPTIONS_TOPIC_COMMANDS, query->application_id, visit_command, err)) {
        return NULL;
    }
    if (search.command == NULL) {
        return json_array();
    }
    ProgressMap map CLEANUP(progress_map_clear) = {.committed = -1};
    if (!read_topic(&search, OPTIONS_TOPIC_EVENTS, search.application_id, visit_event, err) ||
        !read_progress(&search, &map, err)) {
        return NULL;
    }
    judge(&search, &map);
    json_t *list = json_array();
    json_array_append(list, search.command);
    return list;
}
