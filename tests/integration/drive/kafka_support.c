#include "kafka_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "sys/random.h"

enum { CALL_MS = 20000, MAX_PARTITIONS = 12 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
        fail_msg("%s", text);
    }
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *bootstrap)
{
    char text[256];
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "socket.nagle.disable", "true");
    rd_kafka_t *made = rd_kafka_new(type, conf, text, sizeof(text));
    if (made == NULL) {
        fail_msg("%s", text);
    }
    return made;
}

static void add_topic(char name[SEEN_TEXT_BYTES], const char *kind, const char *uuid,
                      int partitions, rd_kafka_NewTopic_t **ret_topic)
{
    char text[256];
    snprintf(name, SEEN_TEXT_BYTES, "%s-%s", kind, uuid);
    *ret_topic = rd_kafka_NewTopic_new(name, partitions, 1, text, sizeof(text));
    assert_non_null(*ret_topic);
}

void kafka_make_topics(const char *bootstrap, int partitions, const char *events_limit,
                       KafkaNames *ret_names)
{
    char uuid[UUID_TEXT_BYTES];
    random_uuid(uuid);
    rd_kafka_NewTopic_t *topics[4];
    ret_names->bootstrap = bootstrap;
    snprintf(ret_names->group, sizeof(ret_names->group), "group-%s", uuid);
    add_topic(ret_names->commands, "commands", uuid, partitions, &topics[0]);
    add_topic(ret_names->events, "events", uuid, partitions, &topics[1]);
    add_topic(ret_names->state, "state", uuid, partitions, &topics[2]);
    add_topic(ret_names->dead_letters, "dead", uuid, partitions, &topics[3]);
    if (events_limit != NULL) {
        rd_kafka_NewTopic_set_config(topics[1], "max.message.bytes", events_limit);
    }
    rd_kafka_t *admin = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), bootstrap);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
    rd_kafka_CreateTopics(admin, topics, 4, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CALL_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rd_kafka_topic_result_error(results[i]), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy_array(topics, 4);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(admin);
}

void kafka_limit_topic(const KafkaNames *names, const char *topic, const char *max_bytes)
{
    rd_kafka_t *admin = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), names->bootstrap);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_ConfigResource_set_config(resource, "max.message.bytes", max_bytes);
    rd_kafka_AlterConfigs(admin, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CALL_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    size_t count = 0;
    const rd_kafka_ConfigResource_t **results =
        rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
    assert_int_equal(count, 1);
    assert_int_equal(rd_kafka_ConfigResource_error(results[0]), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(admin);
}

static void set_setting(Settings *settings, const char *name, const char *value)
{
    Error err = ERROR_INIT;
    if (!settings_set(settings, name, value, "test", &err)) {
        fail_msg("%s", err.text);
    }
}

Settings *kafka_settings(const KafkaNames *names)
{
    Settings *settings = settings_new();
    set_setting(settings, "kafka.bootstrap.servers", names->bootstrap);
    set_setting(settings, "group.id", names->group);
    set_setting(settings, "topics.commands", names->commands);
    set_setting(settings, "topics.events", names->events);
    set_setting(settings, "topics.state", names->state);
    set_setting(settings, "topics.dead_letters", names->dead_letters);
    return settings;
}

void kafka_write(const KafkaNames *names, int32_t partition, int count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "acks", "all");
    rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, conf, names->bootstrap);
    for (int i = 0; i < count; i++) {
        char value[SEEN_TEXT_BYTES];
        int length = snprintf(value, sizeof(value), "%d-%d", partition, i);
        rd_kafka_resp_err_t failed = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(names->commands), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_VALUE(value, (size_t)length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_END);
        assert_int_equal(failed, RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    assert_int_equal(rd_kafka_flush(producer, CALL_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
}

static void copy_text(char *to, const void *from, size_t length)
{
    length = length < SEEN_TEXT_BYTES ? length : SEEN_TEXT_BYTES - 1;
    if (from != NULL && length > 0) {
        memcpy(to, from, length);
    }
    to[length] = '\0';
}

static void copy_header(char *to, const rd_kafka_headers_t *headers, const char *name)
{
    const void *value = NULL;
    size_t size = 0;
    if (rd_kafka_header_get_last(headers, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        copy_text(to, value, size);
    }
}

static void see(KafkaSeen *seen, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    *seen = (KafkaSeen){.tombstone = message->payload == NULL};
    copy_text(seen->key, message->key, message->key_len);
    copy_text(seen->value, message->payload, message->len);
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        copy_header(seen->header, headers, "test");
        copy_header(seen->bytes, headers, "dlq-value-bytes");
    }
}

static int assign_all(rd_kafka_t *reader, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(reader, topic, NULL);
    rd_kafka_resp_err_t failed = rd_kafka_metadata(reader, 0, handle, &metadata, CALL_MS);
    assert_int_equal(failed, RD_KAFKA_RESP_ERR_NO_ERROR);
    int partitions = metadata->topics[0].partition_cnt;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return partitions;
}

size_t kafka_read(const KafkaNames *names, const char *topic, KafkaSeen *seen, size_t size)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", "reader");
    set(conf, "enable.auto.commit", "false");
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.partition.eof", "true");
    rd_kafka_t *reader = client(RD_KAFKA_CONSUMER, conf, names->bootstrap);
    int open = assign_all(reader, topic);
    size_t count = 0;
    while (open > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, CALL_MS);
        assert_non_null(message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open--;
        } else {
            assert_int_equal(message->err, RD_KAFKA_RESP_ERR_NO_ERROR);
            assert_true(count < size);
            see(&seen[count++], message);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
    return count;
}

int64_t kafka_committed(const KafkaNames *names, int32_t partition, char *ret_metadata, size_t size)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", names->group);
    rd_kafka_t *reader = client(RD_KAFKA_CONSUMER, conf, names->bootstrap);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *asked =
        rd_kafka_topic_partition_list_add(list, names->commands, partition);
    rd_kafka_resp_err_t failed = rd_kafka_committed(reader, list, CALL_MS);
    assert_int_equal(failed, RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(asked->err, RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_true(asked->metadata_size < size);
    if (asked->metadata_size > 0) {
        memcpy(ret_metadata, asked->metadata, asked->metadata_size);
    }
    ret_metadata[asked->metadata_size] = '\0';
    int64_t offset = asked->offset >= 0 ? asked->offset : -1;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
    return offset;
}

static void must(rd_kafka_error_t *failed)
{
    if (failed != NULL) {
        fail_msg("%s", rd_kafka_error_string(failed));
    }
}

rd_kafka_t *kafka_open_transaction(const KafkaNames *names, const char *timeout_ms)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "transactional.id", names->group);
    set(conf, "transaction.timeout.ms", timeout_ms);
    rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, conf, names->bootstrap);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(names->group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, names->commands, 0)->offset = 7;
    must(rd_kafka_init_transactions(producer, CALL_MS));
    must(rd_kafka_begin_transaction(producer));
    must(rd_kafka_send_offsets_to_transaction(producer, list, group, CALL_MS));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_group_metadata_destroy(group);
    return producer;
}
