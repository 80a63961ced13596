#include "drive/publisher_txn.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/unconst.h"
#include "drive/kafka_conf.h"
#include "drive/publisher_crash.h"
#include "drive/publisher_item.h"
#include "sys/crash.h"
#include "sys/random.h"

enum { CALL_MS = 5000, POLL_MS = 100, NAME_LIMIT = 512, RECORD_HEADROOM = 1024 * 1024 };

static bool is_size_error(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *context)
{
    (void)client;
    Txn *txn = context;
    txn->too_large = txn->too_large || is_size_error(message->err);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
        txn->delivery_err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        txn->delivery_err = message->err;
    }
}

// Its errors are told by the calls.
static void on_error(rd_kafka_t *client, int code, const char *reason, void *context)
{
    (void)client, (void)code, (void)reason, (void)context;
}

static void transactional_id(const Settings *settings, Text *ret_text)
{
    const char *instance = settings_text(settings, SETTING_INSTANCE_ID);
    char uuid[UUID_TEXT_BYTES];
    random_uuid(uuid);
    text_printf(ret_text, "%s-%s", settings_text(settings, SETTING_GROUP_ID),
                instance[0] != '\0' ? instance : uuid);
}

static rd_kafka_conf_t *make_conf(const Settings *settings, Error *err)
{
    Text id = TEXT_INIT(NAME_LIMIT);
    Text size = TEXT_INIT(NAME_LIMIT);
    transactional_id(settings, &id);
    // A dead letter carries a whole command and what was wrong with it.
    text_printf(&size, "%lld",
                (long long)settings_number(settings, SETTING_COMMANDS_MAX_BYTES) + RECORD_HEADROOM);
    const KafkaProperty defaults[] = {
        {"client.id", "provision-worker"},
        {"transaction.timeout.ms", "10000"},
        {"message.max.bytes", text_get(&size)},
        {"retry.backoff.ms", "20"}, // 25-38 ms a transaction, of 73-116 with the default of 100
        {"linger.ms", "0"},
        {"reconnect.backoff.max.ms", "2000"},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {NULL, NULL},
    };
    const KafkaProperty forced[] = {
        {"transactional.id", text_get(&id)},
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = kafka_conf_new(settings, KAFKA_CLIENT_PRODUCER, defaults, forced, err);
    text_clear(&id);
    text_clear(&size);
    return conf;
}

bool txn_open(Txn *txn, const Settings *settings, TxnRetry *on_retry, void *context, Error *err)
{
    static const SettingId TOPICS[TXN_TOPICS] = {SETTING_TOPIC_EVENTS, SETTING_TOPIC_STATE,
                                                 SETTING_TOPIC_DEAD_LETTERS};
    char text[sizeof(err->text)] = "";
    *txn = (Txn){.on_retry = on_retry, .context = context};
    rd_kafka_conf_t *conf = make_conf(settings, err);
    if (conf == NULL) {
        return false;
    }
    rd_kafka_conf_set_opaque(conf, txn);
    publisher_crash_watch(conf);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    txn->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (txn->client == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, ERROR_INVALID, "KAFKA_SETUP", "%s", text);
    }
    txn->commands_topic = alloc_text(settings_text(settings, SETTING_TOPIC_COMMANDS));
    for (int i = 0; i < TXN_TOPICS; i++) {
        txn->topics[i] = rd_kafka_topic_new(txn->client, settings_text(settings, TOPICS[i]), NULL);
    }
    return true;
}

void txn_close(Txn *txn)
{
    for (int i = 0; i < TXN_TOPICS; i++) {
        rd_kafka_topic_destroy(txn->topics[i]);
    }
    rd_kafka_destroy(txn->client);
    free(txn->commands_topic);
}

static bool is_generation_error(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

// Classes as librdkafka's INTRODUCTION.md has them; what is in none of them can't go on either.
static TxnResult classify(const rd_kafka_error_t *failed, Error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(failed);
    const char *text = rd_kafka_error_string(failed);
    if (rd_kafka_error_is_fatal(failed) == 0 && rd_kafka_error_is_retriable(failed) != 0) {
        kafka_error_set(err, ERROR_UNAVAILABLE, code, text);
        return TXN_ABORTED;
    }
    if (rd_kafka_error_is_fatal(failed) == 0 && rd_kafka_error_txn_requires_abort(failed) != 0) {
        kafka_error_set(err, ERROR_UNAVAILABLE, code, text);
        return is_generation_error(code) ? TXN_STALE : TXN_ABORTED;
    }
    kafka_error_set(err, ERROR_INTERNAL, code, text);
    return TXN_FATAL;
}

// Whether the same call is to be made again; one that timed out is resumed by that (2.0.0). If so,
// the trouble is told and a moment has passed. The error is destroyed.
static bool is_to_repeat(const Txn *txn, rd_kafka_error_t *failed, TxnResult *ret_result,
                         Error *err)
{
    if (failed == NULL) {
        *ret_result = TXN_DONE;
        return false;
    }
    bool again = rd_kafka_error_is_fatal(failed) == 0 && rd_kafka_error_is_retriable(failed) != 0;
    *ret_result = classify(failed, err);
    rd_kafka_error_destroy(failed);
    if (again) {
        txn->on_retry(txn->context, err);
        rd_kafka_poll(txn->client, POLL_MS);
    }
    return again;
}

typedef rd_kafka_error_t *TxnCall(rd_kafka_t *client, int timeout_ms);

static TxnResult call(const Txn *txn, TxnCall *function, Error *err)
{
    TxnResult result = TXN_DONE;
    while (is_to_repeat(txn, function(txn->client, CALL_MS), &result, err)) {
    }
    return result;
}

static TxnResult prime(const Txn *txn, rd_kafka_topic_t *topic, Error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(txn->client, 0, topic, &metadata, CALL_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code =
            metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
        rd_kafka_metadata_destroy(metadata);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return TXN_DONE;
    }
    kafka_error_set(err, ERROR_UNAVAILABLE, code, NULL);
    error_context(err, "topic %s", rd_kafka_topic_name(topic));
    return TXN_ABORTED;
}

TxnResult txn_prepare(Txn *txn, Error *err)
{
    if (!txn->initialised) {
        rd_kafka_error_t *failed = rd_kafka_init_transactions(txn->client, CALL_MS);
        if (failed != NULL) {
            TxnResult result = classify(failed, err);
            rd_kafka_error_destroy(failed);
            return result;
        }
        txn->initialised = true;
    }
    for (int i = 0; i < TXN_TOPICS; i++) {
        TxnResult result = prime(txn, txn->topics[i], err);
        if (result != TXN_DONE) {
            return result;
        }
    }
    return TXN_DONE;
}

static rd_kafka_headers_t *headers_of(const ItemRecord *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const PublisherHeader *header = &record->headers[i];
        rd_kafka_header_add(headers, header->name, -1, header->value.data,
                            (ssize_t)header->value.size);
    }
    return headers;
}

static rd_kafka_resp_err_t produce_once(const Txn *txn, const ItemRecord *record)
{
    rd_kafka_headers_t *headers = headers_of(record);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        txn->client, RD_KAFKA_V_TOPIC(record->topic),
        RD_KAFKA_V_KEY(unconst(record->key.data), record->key.size),
        RD_KAFKA_V_VALUE(record->tombstone ? NULL : unconst(record->value.data),
                         record->tombstone ? 0 : record->value.size),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(headers); // else librdkafka has them
    }
    return code;
}

static bool produce(Txn *txn, const ItemRecord *record, Error *err)
{
    rd_kafka_resp_err_t code = produce_once(txn, record);
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(txn->client, POLL_MS);
        code = produce_once(txn, record);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return true;
    }
    txn->too_large = txn->too_large || is_size_error(code);
    kafka_error_set(err, ERROR_UNAVAILABLE, code, NULL);
    return error_context(err, "topic %s", record->topic);
}

static bool produce_all(Txn *txn, const List *items, Error *err)
{
    LIST_EACH(items, link)
    {
        const Item *item = LIST_ENTRY(link, Item, link);
        for (size_t i = 0; i < item->record_count; i++) {
            if (!produce(txn, &item->records[i], err)) {
                return false;
            }
        }
    }
    return true;
}

static void set_offset(rd_kafka_topic_partition_t *partition, const Item *item)
{
    partition->offset = item->offset;
    free(partition->metadata);
    partition->metadata = NULL;
    partition->metadata_size = strlen(item->metadata);
    if (partition->metadata_size > 0) {
        partition->metadata = alloc_text(item->metadata);
    }
}

static rd_kafka_topic_partition_list_t *offsets_of(const Txn *txn, const List *items)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    LIST_EACH(items, link)
    {
        const Item *item = LIST_ENTRY(link, Item, link);
        int32_t number = item->assignment->partition;
        rd_kafka_topic_partition_t *partition =
            rd_kafka_topic_partition_list_find(offsets, txn->commands_topic, number);
        if (partition == NULL) {
            partition = rd_kafka_topic_partition_list_add(offsets, txn->commands_topic, number);
        }
        set_offset(partition, item);
    }
    return offsets;
}

static TxnResult send_offsets(const Txn *txn, const List *items, Error *err)
{
    const Item *first = LIST_ENTRY(list_first(items), Item, link);
    rd_kafka_topic_partition_list_t *offsets = offsets_of(txn, items);
    TxnResult result = TXN_DONE;
    while (is_to_repeat(txn,
                        rd_kafka_send_offsets_to_transaction(txn->client, offsets,
                                                             first->assignment->group, CALL_MS),
                        &result, err)) {
    }
    rd_kafka_topic_partition_list_destroy(offsets);
    return result;
}

static TxnResult fill(Txn *txn, const List *items, Error *err)
{
    if (!produce_all(txn, items, err)) {
        return TXN_ABORTED;
    }
    crash_point(CRASH_OFFSETS_BEFORE, NULL, NULL);
    TxnResult result = send_offsets(txn, items, err);
    crash_point(CRASH_OFFSETS_AFTER, NULL, NULL);
    return result;
}

static TxnResult abort_after(const Txn *txn, TxnResult result, Error *err)
{
    Error failure = ERROR_INIT;
    if (result != TXN_FATAL && call(txn, rd_kafka_abort_transaction, &failure) != TXN_DONE) {
        *err = failure;
        err->kind = ERROR_INTERNAL;
        return TXN_FATAL;
    }
    return result;
}

TxnResult txn_run(Txn *txn, const List *items, Error *err)
{
    txn->delivery_err = RD_KAFKA_RESP_ERR_NO_ERROR;
    txn->too_large = false;
    crash_point(CRASH_BEGIN_BEFORE, NULL, NULL);
    rd_kafka_error_t *failed = rd_kafka_begin_transaction(txn->client);
    if (failed != NULL) { // it only refuses after fatal errors
        classify(failed, err);
        rd_kafka_error_destroy(failed);
        return TXN_FATAL;
    }
    crash_point(CRASH_BEGIN_AFTER, NULL, NULL);
    TxnResult result = fill(txn, items, err);
    if (result == TXN_DONE) {
        crash_point(CRASH_END_BEFORE, NULL, NULL);
        result = call(txn, rd_kafka_commit_transaction, err);
        crash_point(CRASH_END_AFTER, NULL, NULL);
    }
    if (result == TXN_DONE) {
        return TXN_DONE;
    }
    if (txn->delivery_err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_context(err, "%s", rd_kafka_err2name(txn->delivery_err));
    }
    result = abort_after(txn, result, err); // more deliveries are told by it
    return result == TXN_ABORTED && txn->too_large ? TXN_TOO_LARGE : result;
}
