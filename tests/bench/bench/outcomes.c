#include "bench/outcomes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bench/load.h"
#include "bench/meter.h"
#include "support/cmocka.h"
#include "support/wait.h"

enum { PARTITIONS_MAX = 64, METADATA_MS = 20000, POLL_MS = 100 };

struct Outcomes {
    rd_kafka_t *consumer;
    pthread_t thread;
    atomic_bool is_closing;
    atomic_size_t count;
    atomic_size_t failures;
    pthread_mutex_t lock; // of the callback
    OutcomesCallback *callback;
    void *context;
    atomic_llong seen_us[LOAD_APPLICATIONS_MAX];
};

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
        fail_msg("%s", reason);
    }
}

static const char *const FAILURES[] = {"CommandRejected", "CommandFailed", "CommandCancelled",
                                       "CommandSuperseded"};

static bool is_failure(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const void *type = NULL;
    size_t size = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, "ce_type", &type, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return true;
    }
    for (size_t i = 0; i < sizeof(FAILURES) / sizeof(FAILURES[0]); i++) {
        size_t length = strlen(FAILURES[i]);
        if (size >= length &&
            memcmp((const char *)type + size - length, FAILURES[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static void take(Outcomes *outcomes, const rd_kafka_message_t *message, int64_t now_us)
{
    char key[64] = "";
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->key_len >= sizeof(key)) {
        return;
    }
    memcpy(key, message->key, message->key_len);
    size_t application = load_application_number(key);
    if (application < LOAD_APPLICATIONS_MAX) {
        atomic_store(&outcomes->seen_us[application], now_us);
    }
    if (is_failure(message)) {
        atomic_fetch_add(&outcomes->failures, 1);
    }
    atomic_fetch_add(&outcomes->count, 1);
}

static void tell(Outcomes *outcomes)
{
    (void)pthread_mutex_lock(&outcomes->lock);
    if (outcomes->callback != NULL) {
        outcomes->callback(outcomes->context, atomic_load(&outcomes->count));
    }
    (void)pthread_mutex_unlock(&outcomes->lock);
}

static void *read_all(void *context)
{
    Outcomes *outcomes = context;
    while (!atomic_load(&outcomes->is_closing)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(outcomes->consumer, POLL_MS);
        int64_t now_us = meter_now_us();
        while (message != NULL) {
            take(outcomes, message, now_us);
            rd_kafka_message_destroy(message);
            message = rd_kafka_consumer_poll(outcomes->consumer, 0);
        }
        tell(outcomes);
    }
    return NULL;
}

static void assign_ends(rd_kafka_t *consumer, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    assert_int_equal(rd_kafka_metadata(consumer, 0, handle, &metadata, METADATA_MS), 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
    for (int32_t p = 0; p < metadata->topics[0].partition_cnt; p++) {
        int64_t low = 0;
        int64_t high = 0;
        assert_int_equal(
            rd_kafka_query_watermark_offsets(consumer, topic, p, &low, &high, METADATA_MS), 0);
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = high;
    }
    assert_int_equal(rd_kafka_assign(consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
}

Outcomes *outcomes_open(const World *world)
{
    char reason[256];
    Outcomes *outcomes = alloc_zeroed(1, sizeof(*outcomes));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", world->bootstrap);
    set(conf, "group.id", "bench-reader");
    set(conf, "enable.auto.commit", "false");
    set(conf, "isolation.level", "read_committed");
    set(conf, "socket.nagle.disable", "true");
    outcomes->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    assert_non_null(outcomes->consumer);
    (void)rd_kafka_poll_set_consumer(outcomes->consumer);
    assign_ends(outcomes->consumer, world->topics[1]);
    assert_int_equal(pthread_mutex_init(&outcomes->lock, NULL), 0);
    assert_int_equal(pthread_create(&outcomes->thread, NULL, read_all, outcomes), 0);
    return outcomes;
}

void outcomes_close(Outcomes *outcomes)
{
    atomic_store(&outcomes->is_closing, true);
    assert_int_equal(pthread_join(outcomes->thread, NULL), 0);
    (void)pthread_mutex_destroy(&outcomes->lock);
    (void)rd_kafka_consumer_close(outcomes->consumer);
    rd_kafka_destroy(outcomes->consumer);
    free(outcomes);
}

void outcomes_expect(Outcomes *outcomes, OutcomesCallback *callback, void *context)
{
    (void)pthread_mutex_lock(&outcomes->lock);
    atomic_store(&outcomes->count, 0);
    outcomes->callback = callback;
    outcomes->context = context;
    (void)pthread_mutex_unlock(&outcomes->lock);
}

size_t outcomes_count(const Outcomes *outcomes)
{
    return atomic_load(&outcomes->count);
}

size_t outcomes_failures(const Outcomes *outcomes)
{
    return atomic_load(&outcomes->failures);
}

int64_t outcomes_seen_us(const Outcomes *outcomes, size_t application)
{
    return atomic_load(&outcomes->seen_us[application]);
}

typedef struct Wanted {
    const Outcomes *outcomes;
    size_t count;
} Wanted;

static bool are_there(void *context)
{
    const Wanted *wanted = context;
    return outcomes_count(wanted->outcomes) >= wanted->count;
}

void outcomes_await(Outcomes *outcomes, size_t count, int seconds)
{
    Wanted wanted = {outcomes, count};
    wait_until(are_there, &wanted, seconds, "%zu outcomes", count);
}
