#include "lib/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/signature.h"
#include "lib/broker.h"
#include "lib/command.h"
#include "lib/fault.h"

enum { POLL_MS = 20, FLUSH_MS = 1000, MAX_HEADERS = 3 };

struct ProvisionClient {
    ProvisionOptions *options;
    pthread_mutex_t lock;
    Broker *producer; // under lock until it is there; NULL: nothing was sent yet
};

// Of provision_client_send: lives on the sender's stack until the report has come, which
// message.timeout.ms bounds. Of a posted command: its own, freed by the report.
typedef struct Delivery {
    rd_kafka_resp_err_t code;
    int32_t partition;
    int64_t offset;
    atomic_bool done;
    ProvisionPosted *posted; // NULL: somebody waits for `done`
    void *context;
} Delivery;

const ProvisionOptions *client_options(const ProvisionClient *client)
{
    return client->options;
}

static bool has_servers(const ProvisionOptions *options)
{
    size_t size_bytes = 0; // asked for, the NUL included
    return rd_kafka_conf_get(options->conf, "bootstrap.servers", NULL, &size_bytes) ==
               RD_KAFKA_CONF_OK &&
           size_bytes > 1;
}

ProvisionClient *provision_client_new(const ProvisionOptions *options, ProvisionError *err)
{
    if (!has_servers(options)) {
        fault_set_field(err, "OPTION_INVALID", "bootstrap.servers",
                        "bootstrap.servers is missing: set it to host:port of a Kafka broker");
        return NULL;
    }
    ProvisionClient *client = alloc_zeroed(1, sizeof(*client));
    client->options = options_copy(options);
    pthread_mutex_init(&client->lock, NULL);
    return client;
}

void provision_client_free(ProvisionClient *client)
{
    if (client == NULL) {
        return;
    }
    if (client->producer != NULL) { // what was posted and not reported is reported now
        rd_kafka_purge(client->producer->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(client->producer->kafka, FLUSH_MS);
    }
    broker_close(client->producer);
    pthread_mutex_destroy(&client->lock);
    provision_options_free(client->options);
    free(client);
}

static rd_kafka_headers_t *make_headers(const CryptoSigner *signer, const ProvisionCommand *command,
                                        const Buffer *value)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(MAX_HEADERS);
    (void)rd_kafka_header_add(headers, "content-type", -1, "application/protobuf", -1);
    if (command->traceparent[0] != '\0') {
        (void)rd_kafka_header_add(headers, "traceparent", -1, command->traceparent, -1);
    }
    if (!secret_is_empty(&signer->private_key)) {
        char signature[SIGNATURE_TEXT_BYTES];
        signature_make(signer, bytes_of(command->message->application_id), buffer_view(value),
                       signature);
        (void)rd_kafka_header_add(headers, SIGNATURE_HEADER, -1, signature, -1);
    }
    return headers;
}

// Kafka takes over the headers only where it takes the record.
static rd_kafka_resp_err_t produce(Broker *producer, const ProvisionOptions *options,
                                   const ProvisionCommand *command, const Buffer *value,
                                   Delivery *delivery)
{
    const char *topic = options->topics[OPTIONS_TOPIC_COMMANDS];
    char *key = command->message->application_id;
    rd_kafka_headers_t *headers = make_headers(&options->signer, command, value);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {key, strlen(key)}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {value->data, value->size}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = delivery},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(producer->kafka, parts, sizeof(parts) / sizeof(parts[0]));
    if (error == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return code;
}

// Any thread's poll may bring this thread's report.
static rd_kafka_resp_err_t await_delivery(Broker *producer, Delivery *delivery)
{
    while (!atomic_load(&delivery->done)) {
        rd_kafka_poll(producer->kafka, POLL_MS);
    }
    return delivery->code;
}

static bool fault_delivery(Broker *producer, const char *topic, rd_kafka_resp_err_t code,
                           ProvisionError *err)
{
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return fault_set(err, PROVISION_ERROR_INVALID, "COMMAND_TOO_LARGE",
                         "the command is larger than topic %s takes", topic);
    }
    if (code == RD_KAFKA_RESP_ERR__FATAL ||
        rd_kafka_fatal_error(producer->kafka, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fault_set(err, PROVISION_ERROR_UNAVAILABLE, "CLIENT_BROKEN",
                         "Kafka refuses this client for good: make a new one, then send again");
    }
    return broker_fault_now(producer, topic, code, err);
}

static void fill_receipt(const char *topic, const Delivery *delivery, ProvisionReceipt *ret_receipt)
{
    *ret_receipt = (ProvisionReceipt){.partition = delivery->partition, .offset = delivery->offset};
    (void)snprintf(ret_receipt->topic, sizeof(ret_receipt->topic), "%s", topic);
}

static void report_posted(Broker *producer, const char *topic, Delivery *delivery)
{
    ProvisionReceipt receipt;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    bool arrived = delivery->code == RD_KAFKA_RESP_ERR_NO_ERROR ||
                   fault_delivery(producer, topic, delivery->code, &error);
    fill_receipt(topic, delivery, &receipt);
    delivery->posted(delivery->context, arrived ? &receipt : NULL, &error);
    free(delivery);
}

// `opaque` is the Broker.
static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *record, void *opaque)
{
    (void)kafka;
    Delivery *delivery = record->_private;
    delivery->code = record->err;
    delivery->partition = record->partition;
    delivery->offset = record->offset;
    if (delivery->posted != NULL) {
        report_posted(opaque, rd_kafka_topic_name(record->rkt), delivery);
    } else {
        atomic_store(&delivery->done, true);
    }
}

// librdkafka 2.0.2 delays the first record by a second unless the topic's metadata was asked for
// before.
static Broker *open_producer(const ProvisionOptions *options, ProvisionError *err)
{
    rd_kafka_conf_t *conf = options_producer_conf(options);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    Broker *producer = broker_open(RD_KAFKA_PRODUCER, conf, err);
    int32_t partitions = 0;
    if (producer != NULL &&
        !broker_count_partitions(producer, options->topics[OPTIONS_TOPIC_COMMANDS],
                                 deadline_in(BROKER_CONTACT_MS), &partitions, err)) {
        broker_close(producer);
        return NULL;
    }
    return producer;
}

static Broker *get_producer(ProvisionClient *client, ProvisionError *err)
{
    pthread_mutex_lock(&client->lock);
    if (client->producer == NULL) {
        client->producer = open_producer(client->options, err);
    }
    Broker *producer = client->producer;
    pthread_mutex_unlock(&client->lock);
    return producer;
}

bool provision_client_send(ProvisionClient *client, const ProvisionCommand *command,
                           ProvisionReceipt *ret_receipt, ProvisionError *err)
{
    if (!draft_check(command, DRAFT_KEY_NEEDED, err)) {
        return false;
    }
    Broker *producer = get_producer(client, err);
    if (producer == NULL) {
        return false;
    }
    const char *topic = client->options->topics[OPTIONS_TOPIC_COMMANDS];
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    draft_pack(command, &value);
    Delivery delivery = {.partition = -1};
    rd_kafka_resp_err_t code = produce(producer, client->options, command, &value, &delivery);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = await_delivery(producer, &delivery);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_poll(producer->kafka, 0); // delivers what is wrong with the brokers
        return fault_delivery(producer, topic, code, err);
    }
    if (ret_receipt != NULL) {
        fill_receipt(topic, &delivery, ret_receipt);
    }
    return true;
}

bool provision_client_post(ProvisionClient *client, const ProvisionCommand *command,
                           ProvisionPosted *posted, void *context, ProvisionError *err)
{
    Broker *producer =
        draft_check(command, DRAFT_KEY_NEEDED, err) ? get_producer(client, err) : NULL;
    if (producer == NULL) {
        return false;
    }
    const char *topic = client->options->topics[OPTIONS_TOPIC_COMMANDS];
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    draft_pack(command, &value);
    Delivery *delivery = alloc_zeroed(1, sizeof(*delivery));
    delivery->posted = posted;
    delivery->context = context;
    rd_kafka_resp_err_t code = produce(producer, client->options, command, &value, delivery);
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(producer->kafka, POLL_MS);
        code = produce(producer, client->options, command, &value, delivery);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        free(delivery);
        return fault_delivery(producer, topic, code, err);
    }
    rd_kafka_poll(producer->kafka, 0);
    return true;
}

bool provision_client_flush(ProvisionClient *client, int timeout_ms, ProvisionError *err)
{
    pthread_mutex_lock(&client->lock);
    Broker *producer = client->producer;
    pthread_mutex_unlock(&client->lock);
    if (producer == NULL ||
        rd_kafka_flush(producer->kafka, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return true;
    }
    return fault_set(err, PROVISION_ERROR_TIMEOUT, "WAIT_TIMEOUT",
                     "Kafka has not taken all commands within %d ms", timeout_ms);
}
