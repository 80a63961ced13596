#include "run/sweep_send.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/unconst.h"
#include "contract/signature.h"
#include "drive/kafka_conf.h"
#include "provisioning/v1/command.pb-c.h"
#include "run/keys.h"
#include "sys/clock.h"
#include "sys/random.h"

enum { DELIVERY_MS = 15000, POLL_MS = 100, MS_PER_S = 1000, NS_PER_MS = 1000000 };

typedef struct Sender {
    rd_kafka_t *producer;
    const char *topic;
    Keys keys;
    rd_kafka_resp_err_t failure; // of the first record that didn't arrive
} Sender;

void sweep_targets_add(SweepTargets *targets, const char *application_id, const char *account)
{
    targets->list = alloc_resize(targets->list, (targets->count + 1) * sizeof(*targets->list));
    SweepTarget *target = &targets->list[targets->count++];
    *target = (SweepTarget){.command_id = ""};
    bool fits = text_copy(target->application_id, sizeof target->application_id, application_id);
    fits = text_copy(target->account, sizeof target->account, account) && fits;
    assert(fits);
    (void)fits;
}

void sweep_targets_clear_at(SweepTargets *targets)
{
    free(targets->list);
    *targets = (SweepTargets){.list = NULL};
}

static void destroy_at(Sender *sender)
{
    if (sender->producer != NULL) {
        rd_kafka_destroy(sender->producer);
    }
    keys_clear(&sender->keys);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *context)
{
    (void)client;
    Sender *sender = context;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        sender->failure = message->err;
    }
}

// What matters of it the deliveries tell.
static void on_error(rd_kafka_t *client, int code, const char *reason, void *context)
{
    (void)client, (void)code, (void)reason, (void)context;
}

static bool open_producer(Sender *sender, const Settings *settings, Error *err)
{
    static const KafkaProperty DEFAULTS[] = {
        {"client.id", "provision-worker-sweep"},
        {"message.timeout.ms", "10000"},
        {NULL, NULL},
    };
    static const KafkaProperty FORCED[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"},
        {NULL, NULL},
    };
    char text[sizeof(err->text)] = "";
    rd_kafka_conf_t *conf = kafka_conf_new(settings, KAFKA_CLIENT_PRODUCER, DEFAULTS, FORCED, err);
    if (conf == NULL) {
        return false;
    }
    rd_kafka_conf_set_opaque(conf, sender);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    sender->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (sender->producer == NULL) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, ERROR_INVALID, "KAFKA_SETUP", "%s", text);
    }
    return true;
}

static void pack(SweepTarget *target, bool deletes, Buffer *ret_value)
{
    Provisioning__V1__SweepAccount sweep;
    Provisioning__V1__Command command;
    Google__Protobuf__Timestamp now;
    int64_t now_ms = clock_wall_ms();
    provisioning__v1__sweep_account__init(&sweep);
    provisioning__v1__command__init(&command);
    google__protobuf__timestamp__init(&now);
    now.seconds = now_ms / MS_PER_S;
    now.nanos = (int32_t)(now_ms % MS_PER_S) * NS_PER_MS;
    random_uuid(target->command_id);
    sweep.account = target->account;
    sweep.delete_orphans = deletes;
    command.command_id = target->command_id;
    command.application_id = target->application_id;
    command.requested_at = &now;
    command.requested_by = unconst("sweep");
    command.action_case = PROVISIONING__V1__COMMAND__ACTION_SWEEP_ACCOUNT;
    command.sweep_account = &sweep;
    ret_value->data = alloc_bytes(provisioning__v1__command__get_packed_size(&command));
    ret_value->size = provisioning__v1__command__pack(&command, ret_value->data);
}

// Commands are signed where the workers have a key for it.
static rd_kafka_headers_t *new_headers(const Sender *sender, const SweepTarget *target,
                                       const Buffer *value)
{
    char signature[SIGNATURE_TEXT_BYTES];
    const CryptoSigner *signer = keys_signer(&sender->keys);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    (void)rd_kafka_header_add(headers, "content-type", -1, "application/protobuf", -1);
    if (signer != NULL) {
        signature_make(signer, bytes_of(target->application_id), buffer_view(value), signature);
        (void)rd_kafka_header_add(headers, SIGNATURE_HEADER, -1, signature, -1);
    }
    return headers;
}

static rd_kafka_resp_err_t produce(const Sender *sender, SweepTarget *target, bool deletes)
{
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    pack(target, deletes, &value);
    rd_kafka_headers_t *headers = new_headers(sender, target, &value);
    rd_kafka_resp_err_t code;
    do {
        code = rd_kafka_producev(
            sender->producer, RD_KAFKA_V_TOPIC(sender->topic),
            RD_KAFKA_V_KEY(target->application_id, strlen(target->application_id)),
            RD_KAFKA_V_VALUE(value.data, value.size), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        // room comes with deliveries, and with those that time out
        (void)rd_kafka_poll(sender->producer, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? POLL_MS : 0);
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(headers); // else they are the record's
    }
    return code;
}

bool sweep_send(const Settings *settings, SweepTargets *targets, bool deletes, Error *err)
{
    Sender sender CLEANUP(destroy_at) = {.topic = settings_text(settings, SETTING_TOPIC_COMMANDS)};
    if (!keys_load(settings, &sender.keys, err) || !open_producer(&sender, settings, err)) {
        return false;
    }
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (size_t i = 0; i < targets->count && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = produce(&sender, &targets->list[i], deletes);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = rd_kafka_flush(sender.producer, DELIVERY_MS);
    }
    code = code == RD_KAFKA_RESP_ERR_NO_ERROR ? sender.failure : code;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           kafka_error_set(err, ERROR_UNAVAILABLE, code, NULL);
}
