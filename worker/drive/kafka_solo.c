#include "drive/kafka_solo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "drive/kafka_assignment.h"
#include "drive/kafka_conf.h"
#include "drive/kafka_consumer.h"
#include "drive/publisher_item.h"
#include "drive/publisher_txn.h"
#include "sys/clock.h"

// A dead worker's transaction holds the committed offsets back until it has timed out (10 s by
// default, 16.7 s measured).
enum { ANSWER_MS = 30000, POLL_MS = 200, RECORD_MS = 20000 };

struct KafkaSolo {
    const Settings *settings;
    const char *topic;
    KafkaConsumer consumer;
    int32_t partition;
    int32_t partitions; // of the topic
    KafkaAssignment *assignment;
    rd_kafka_event_t *event; // that holds the last record
    int64_t low;
    int64_t high;
    bool is_lost; // the group has gone on
};

static void destroy_list_at(rd_kafka_topic_partition_list_t **list)
{
    if (*list != NULL) {
        rd_kafka_topic_partition_list_destroy(*list);
    }
}

static bool fail_unavailable(Error *err, rd_kafka_resp_err_t code)
{
    return error_set(err, ERROR_UNAVAILABLE, "KAFKA_UNAVAILABLE", "Kafka does not answer: %s",
                     rd_kafka_err2str(code));
}

static bool fail_in_use(Error *err, const char *group_id)
{
    return error_set(err, ERROR_CONFLICT, "GROUP_IN_USE",
                     "group %s has members: stop the workers first (one that was killed stays a "
                     "member until its session times out)",
                     group_id);
}

static bool has_no_members(rd_kafka_t *client, const char *group_id, Error *err)
{
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(client, group_id, &list, ANSWER_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_unavailable(err, code);
    }
    bool is_empty = true;
    for (int i = 0; i < list->group_cnt; i++) {
        is_empty = is_empty && list->groups[i].member_cnt == 0;
    }
    rd_kafka_group_list_destroy(list);
    return is_empty || fail_in_use(err, group_id);
}

// Before it joins, which would take the workers' partitions away for a moment.
static bool check_empty(const Settings *settings, Error *err)
{
    static const KafkaProperty NONE[] = {{NULL, NULL}};
    char text[sizeof(err->text)] = "";
    rd_kafka_conf_t *conf = kafka_conf_new(settings, KAFKA_CLIENT_CONSUMER, NONE, NONE, err);
    if (conf == NULL) {
        return false;
    }
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (client == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, ERROR_INVALID, "KAFKA_SETUP", "%s", text);
    }
    bool is_empty = has_no_members(client, settings_text(settings, SETTING_GROUP_ID), err);
    rd_kafka_destroy(client);
    return is_empty;
}

static bool read_range(KafkaSolo *solo, Error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_t *client = solo->consumer.client;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(client, 0, solo->consumer.topic, &metadata, ANSWER_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_unavailable(err, code);
    }
    solo->partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (solo->partition >= solo->partitions) {
        return error_set(err, ERROR_INVALID, "PARTITION_UNKNOWN",
                         "topic %s has no partition %" PRId32, solo->topic, solo->partition);
    }
    code = rd_kafka_query_watermark_offsets(client, solo->topic, solo->partition, &solo->low,
                                            &solo->high, ANSWER_MS);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || fail_unavailable(err, code);
}

// All partitions are ours, but only one is read.
static bool take_assignment(KafkaSolo *solo, rd_kafka_event_t *event, Error *err)
{
    rd_kafka_t *client = solo->consumer.client;
    const rd_kafka_topic_partition_list_t *given = rd_kafka_event_topic_partition_list(event);
    if (given->cnt != solo->partitions) {
        return fail_in_use(err, settings_text(solo->settings, SETTING_GROUP_ID));
    }
    rd_kafka_topic_partition_list_t *list CLEANUP(destroy_list_at) =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, solo->topic, solo->partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(client, list, ANSWER_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = list->elems[0].err;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_unavailable(err, code);
    }
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(client);
    solo->assignment = kafka_assignment_new(1, 1, &list->elems[0], group);
    rd_kafka_consumer_group_metadata_destroy(group);
    code = rd_kafka_assign(client, list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || fail_unavailable(err, code);
}

static bool take_rebalance(KafkaSolo *solo, rd_kafka_event_t *event, Error *err)
{
    bool is_given = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (is_given && solo->assignment == NULL && !solo->is_lost) {
        return take_assignment(solo, event, err);
    }
    solo->is_lost = true;
    (void)rd_kafka_assign(solo->consumer.client, NULL);
    return fail_in_use(err, settings_text(solo->settings, SETTING_GROUP_ID));
}

// The next record, or NULL with an error, or NULL when there was something else.
static const rd_kafka_message_t *poll_once(KafkaSolo *solo, Error *err)
{
    if (solo->event != NULL) {
        rd_kafka_event_destroy(solo->event);
    }
    solo->event = rd_kafka_queue_poll(solo->consumer.queue, POLL_MS);
    rd_kafka_event_type_t type = rd_kafka_event_type(solo->event);
    if (type == RD_KAFKA_EVENT_REBALANCE) {
        (void)take_rebalance(solo, solo->event, err);
    } else if (type == RD_KAFKA_EVENT_ERROR && rd_kafka_event_error_is_fatal(solo->event) != 0) {
        kafka_error_set(err, ERROR_UNAVAILABLE, rd_kafka_event_error(solo->event), NULL);
    } else if (type == RD_KAFKA_EVENT_FETCH) {
        const rd_kafka_message_t *message = rd_kafka_event_message_next(solo->event);
        bool is_record = message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        return is_record ? message : NULL;
    }
    return NULL;
}

static bool join(KafkaSolo *solo, Error *err)
{
    int64_t until_boot_ms = clock_boot_ms() + ANSWER_MS;
    while (solo->assignment == NULL && err->kind == ERROR_NONE) {
        (void)poll_once(solo, err);
        if (clock_boot_ms() > until_boot_ms) {
            return fail_unavailable(err, RD_KAFKA_RESP_ERR__TIMED_OUT);
        }
    }
    return err->kind == ERROR_NONE;
}

KafkaSolo *kafka_solo_open(const Settings *settings, int32_t partition, Error *err)
{
    if (!check_empty(settings, err)) {
        return NULL;
    }
    KafkaSolo *solo = alloc_zeroed(1, sizeof(*solo));
    solo->settings = settings;
    solo->topic = settings_text(settings, SETTING_TOPIC_COMMANDS);
    solo->partition = partition;
    if (!kafka_consumer_open(&solo->consumer, settings, err)) {
        free(solo);
        return NULL;
    }
    if (!read_range(solo, err) || !join(solo, err)) {
        kafka_solo_close_at(&solo);
    }
    return solo;
}

void kafka_solo_close_at(KafkaSolo **solo)
{
    if (*solo == NULL) {
        return;
    }
    if ((*solo)->event != NULL) {
        rd_kafka_event_destroy((*solo)->event);
    }
    rd_kafka_consumer_close((*solo)->consumer.client);
    kafka_consumer_release(&(*solo)->consumer);
    rd_kafka_destroy((*solo)->consumer.client);
    kafka_assignment_unref((*solo)->assignment);
    free(*solo);
    *solo = NULL;
}

KafkaAssignment *kafka_solo_assignment(const KafkaSolo *solo)
{
    return solo->assignment;
}

void kafka_solo_range(const KafkaSolo *solo, int64_t *ret_low, int64_t *ret_high)
{
    *ret_low = solo->low;
    *ret_high = solo->high;
}

const rd_kafka_message_t *kafka_solo_next(KafkaSolo *solo, Error *err)
{
    int64_t until_boot_ms = clock_boot_ms() + RECORD_MS;
    const rd_kafka_message_t *message = NULL;
    while (message == NULL && err->kind == ERROR_NONE) {
        message = poll_once(solo, err);
        if (message == NULL && clock_boot_ms() > until_boot_ms) {
            (void)fail_unavailable(err, RD_KAFKA_RESP_ERR__TIMED_OUT);
        }
    }
    return message;
}

static void on_retry(void *context, const Error *err)
{
    (void)context;
    (void)err;
}

static TxnResult prepare(Txn *txn, Error *err)
{
    int64_t until_boot_ms = clock_boot_ms() + ANSWER_MS;
    TxnResult result = TXN_ABORTED;
    while (result == TXN_ABORTED && clock_boot_ms() < until_boot_ms) {
        result = txn_prepare(txn, err);
    }
    return result;
}

bool kafka_solo_publish(KafkaSolo *solo, const PublisherItem *from, Error *err)
{
    Txn txn;
    List items;
    if (!txn_open(&txn, solo->settings, on_retry, NULL, err)) {
        return false;
    }
    Error failure = ERROR_INIT;
    Item *item = item_new(from);
    list_init(&items);
    list_append(&items, &item->link);
    TxnResult result = prepare(&txn, &failure);
    if (result == TXN_DONE) {
        result = txn_run(&txn, &items, &failure);
    }
    list_remove(&item->link);
    item_free(item);
    txn_close(&txn);
    if (result == TXN_STALE) {
        return fail_in_use(err, settings_text(solo->settings, SETTING_GROUP_ID));
    }
    if (result != TXN_DONE) {
        *err = failure;
    }
    return result == TXN_DONE;
}
