#include "drive/kafka_tail.h"

#include "base/attr.h"
#include "drive/kafka_conf.h"
#include "drive/kafka_reader.h"
#include "sys/clock.h"

enum { ANSWER_MS = 5000, POLL_MS = 100, READ_MS = 5000 };

typedef struct Tail {
    rd_kafka_t *client;
    const char *topic;
    int32_t partitions;
    KafkaTailVisitor *visit;
    void *context;
} Tail;

static void destroy_list_at(rd_kafka_topic_partition_list_t **list)
{
    if (*list != NULL) {
        rd_kafka_topic_partition_list_destroy(*list);
    }
}

// With their committed offsets; those that have none are left out.
static rd_kafka_topic_partition_list_t *read_committed(const Tail *tail, Error *err)
{
    rd_kafka_topic_partition_list_t *list CLEANUP(destroy_list_at) =
        rd_kafka_topic_partition_list_new(tail->partitions);
    rd_kafka_topic_partition_list_add_range(list, tail->topic, 0, tail->partitions - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(tail->client, list, ANSWER_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_error_set(err, ERROR_UNAVAILABLE, code, NULL);
        return NULL;
    }
    rd_kafka_topic_partition_list_t *found = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[i];
        if (one->err == RD_KAFKA_RESP_ERR_NO_ERROR && one->offset > 0) {
            rd_kafka_topic_partition_list_add(found, tail->topic, one->partition)->offset =
                one->offset;
        }
    }
    return found;
}

static void start_reading(const Tail *tail, const rd_kafka_topic_partition_list_t *committed)
{
    rd_kafka_topic_partition_list_t *list CLEANUP(destroy_list_at) =
        rd_kafka_topic_partition_list_copy(committed);
    for (int i = 0; i < list->cnt; i++) {
        int64_t offset = list->elems[i].offset - KAFKA_TAIL_RECORDS;
        list->elems[i].offset = offset > 0 ? offset : 0;
    }
    (void)rd_kafka_assign(tail->client, list); // only fails after a fatal error
}

// Takes a partition that has been read off the list.
static void take(const Tail *tail, const rd_kafka_message_t *message,
                 rd_kafka_topic_partition_list_t *committed)
{
    const rd_kafka_topic_partition_t *one =
        message->rkt == NULL
            ? NULL
            : rd_kafka_topic_partition_list_find(committed, tail->topic, message->partition);
    bool is_record = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (one == NULL || (!is_record && !is_end)) {
        return;
    }
    if (is_record && message->offset < one->offset) {
        tail->visit(tail->context, tail->partitions, message);
    }
    if (is_end || message->offset >= one->offset - 1) {
        (void)rd_kafka_topic_partition_list_del(committed, tail->topic, message->partition);
    }
}

static bool read_all(const Tail *tail, Error *err)
{
    int64_t until_boot_ms = clock_boot_ms() + READ_MS;
    rd_kafka_topic_partition_list_t *committed CLEANUP(destroy_list_at) = read_committed(tail, err);
    if (committed == NULL) {
        return false;
    }
    start_reading(tail, committed);
    while (committed->cnt > 0 && clock_boot_ms() < until_boot_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(tail->client, POLL_MS);
        if (message != NULL) {
            take(tail, message, committed);
            rd_kafka_message_destroy(message);
        }
    }
    return committed->cnt == 0 ||
           kafka_error_set(err, ERROR_UNAVAILABLE, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
}

bool kafka_tail_read(const Settings *settings, KafkaTailVisitor *visit, void *context, Error *err)
{
    rd_kafka_t *client CLEANUP(kafka_reader_close_at) = kafka_reader_open(settings, err);
    if (client == NULL) {
        return false;
    }
    Tail tail = {.client = client,
                 .topic = settings_text(settings, SETTING_TOPIC_COMMANDS),
                 .visit = visit,
                 .context = context};
    return kafka_reader_count(client, tail.topic, &tail.partitions, err) &&
           (tail.partitions == 0 || read_all(&tail, err));
}
