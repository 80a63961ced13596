#include "run/topics_admin.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/text.h"
#include "drive/kafka_conf.h"

enum { REQUEST_MS = 30000, METADATA_MS = 10000, POLL_MS = 100 };

struct TopicsAdmin {
    rd_kafka_t *client;
    rd_kafka_queue_t *answers;
    bool is_supported;
    char reason[256]; // librdkafka's last error
};

static void on_error(rd_kafka_t *client, int code, const char *reason, void *context)
{
    (void)client;
    (void)code;
    TopicsAdmin *admin = context;
    (void)snprintf(admin->reason, sizeof(admin->reason), "%s", reason);
}

static void destroy_event_at(rd_kafka_event_t **event)
{
    if (*event != NULL) {
        rd_kafka_event_destroy(*event);
    }
}

static void destroy_options_at(rd_kafka_AdminOptions_t **options)
{
    rd_kafka_AdminOptions_destroy(*options);
}

static void destroy_metadata_at(const rd_kafka_metadata_t **metadata)
{
    if (*metadata != NULL) {
        rd_kafka_metadata_destroy(*metadata);
    }
}

static bool fail_unavailable(TopicsAdmin *admin, rd_kafka_resp_err_t code, Error *err)
{
    (void)rd_kafka_poll(admin->client, 0); // runs on_error
    const char *reason = admin->reason[0] != '\0' ? admin->reason : "check bootstrap.servers";
    return error_set(err, ERROR_UNAVAILABLE, "KAFKA_UNAVAILABLE", "Kafka does not answer: %s (%s)",
                     rd_kafka_err2str(code), reason);
}

TopicsAdmin *topics_admin_open(const Settings *settings, bool creates, Error *err)
{
    static const KafkaProperty DEFAULTS[] = {{"client.id", "provision-worker-topics"},
                                             {NULL, NULL}};
    const KafkaProperty forced[] = {{"allow.auto.create.topics", creates ? "true" : "false"},
                                    {NULL, NULL}};
    rd_kafka_conf_t *conf = kafka_conf_new(settings, KAFKA_CLIENT_CONSUMER, DEFAULTS, forced, err);
    if (conf == NULL) {
        return NULL;
    }
    char reason[256];
    TopicsAdmin *admin = alloc_zeroed(1, sizeof(*admin));
    rd_kafka_conf_set_opaque(conf, admin);
    rd_kafka_conf_set_error_cb(conf, on_error);
    admin->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (admin->client == NULL) {
        rd_kafka_conf_destroy(conf);
        free(admin);
        error_set(err, ERROR_INVALID, "KAFKA_SETUP", "%s", reason);
        return NULL;
    }
    admin->answers = rd_kafka_queue_new(admin->client);
    return admin;
}

void topics_admin_close_at(TopicsAdmin **admin)
{
    if (*admin == NULL) {
        return;
    }
    rd_kafka_queue_destroy((*admin)->answers);
    rd_kafka_destroy((*admin)->client);
    free(*admin);
    *admin = NULL;
}

static void read_metadata(const rd_kafka_metadata_topic_t *topic, TopicFound *ret_found)
{
    ret_found->exists = topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt > 0;
    ret_found->partitions = topic->partition_cnt;
    ret_found->has_leaders = true;
    ret_found->replicas = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
    for (int i = 0; i < topic->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *partition = &topic->partitions[i];
        ret_found->has_leaders = ret_found->has_leaders && partition->leader >= 0;
        if (partition->replica_cnt < ret_found->replicas) {
            ret_found->replicas = partition->replica_cnt;
        }
    }
}

static int find_wanted(const TopicWanted wanted[TOPICS_COUNT], const char *name)
{
    for (int i = 0; i < TOPICS_COUNT; i++) {
        if (strcmp(wanted[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

// librdkafka's embedded broker names a controller that is none of its brokers: requests about
// topics would wait for it until they time out.
static bool has_controller(rd_kafka_t *client, const rd_kafka_metadata_t *metadata)
{
    int32_t controller = rd_kafka_controllerid(client, METADATA_MS);
    for (int i = 0; i < metadata->broker_cnt; i++) {
        if (metadata->brokers[i].id == controller) {
            return true;
        }
    }
    return false;
}

// All topics are listed: a request for some may make them.
bool topics_admin_find(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                       TopicFound ret_found[TOPICS_COUNT], Error *err)
{
    const rd_kafka_metadata_t *metadata CLEANUP(destroy_metadata_at) = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(admin->client, 1, NULL, &metadata, METADATA_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_unavailable(admin, code, err);
    }
    for (int i = 0; i < metadata->topic_cnt; i++) {
        int index = find_wanted(wanted, metadata->topics[i].topic);
        if (index >= 0) {
            read_metadata(&metadata->topics[i], &ret_found[index]);
        }
    }
    admin->is_supported = has_controller(admin->client, metadata);
    return true;
}

bool topics_admin_is_supported(const TopicsAdmin *admin)
{
    return admin->is_supported;
}

static rd_kafka_AdminOptions_t *new_options(TopicsAdmin *admin, rd_kafka_admin_op_t operation)
{
    char reason[128];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client, operation);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS, reason, sizeof(reason));
    return options;
}

// The answer to the request under way, owned by the caller; NULL: none, or an error.
static rd_kafka_event_t *await_answer(TopicsAdmin *admin, Error *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->answers, REQUEST_MS + POLL_MS);
    rd_kafka_resp_err_t code =
        event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return event;
    }
    destroy_event_at(&event);
    (void)fail_unavailable(admin, code, err);
    return NULL;
}

static void read_entry(const rd_kafka_ConfigEntry_t *entry, TopicFound *found)
{
    const char *name = rd_kafka_ConfigEntry_name(entry);
    const char *value = rd_kafka_ConfigEntry_value(entry);
    if (value == NULL) {
        return;
    }
    if (strcmp(name, "cleanup.policy") == 0) {
        (void)snprintf(found->cleanup_policy, sizeof(found->cleanup_policy), "%s", value);
        return;
    }
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {
        {"max.message.bytes", &found->max_message_bytes},
        {"retention.ms", &found->retention_ms},
        {"retention.bytes", &found->retention_bytes},
        {"delete.retention.ms", &found->delete_retention_ms},
        {"min.insync.replicas", &found->min_insync_replicas},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].number = strtoll(value, NULL, 10);
        }
    }
}

static void read_resource(const rd_kafka_ConfigResource_t *resource, TopicFound *found)
{
    if (rd_kafka_ConfigResource_error(resource) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *reason = rd_kafka_ConfigResource_error_string(resource);
        (void)snprintf(found->refusal, sizeof(found->refusal), "%s",
                       reason != NULL ? reason
                                      : rd_kafka_err2str(rd_kafka_ConfigResource_error(resource)));
        return;
    }
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        read_entry(entries[i], found);
    }
    found->is_configured = true;
}

static void send_describe(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                          const TopicFound found[TOPICS_COUNT])
{
    rd_kafka_AdminOptions_t *options CLEANUP(destroy_options_at) =
        new_options(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *resources[TOPICS_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < TOPICS_COUNT; i++) {
        if (found[i].exists) {
            resources[count++] =
                rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, wanted[i].name);
        }
    }
    rd_kafka_DescribeConfigs(admin->client, resources, count, options, admin->answers);
    rd_kafka_ConfigResource_destroy_array(resources, count);
}

static size_t count_existing(const TopicFound found[TOPICS_COUNT])
{
    size_t count = 0;
    for (size_t i = 0; i < TOPICS_COUNT; i++) {
        count += found[i].exists;
    }
    return count;
}

bool topics_admin_describe(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                           TopicFound found[TOPICS_COUNT], Error *err)
{
    if (count_existing(found) == 0) {
        return true;
    }
    send_describe(admin, wanted, found);
    rd_kafka_event_t *event CLEANUP(destroy_event_at) = await_answer(admin, err);
    if (event == NULL) {
        return false;
    }
    size_t count;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        int index = find_wanted(wanted, rd_kafka_ConfigResource_name(resources[i]));
        if (index >= 0) {
            read_resource(resources[i], &found[index]);
        }
    }
    return true;
}

static rd_kafka_NewTopic_t *new_topic(const TopicWanted *wanted, int partitions, int replicas,
                                      TopicFound *found)
{
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(wanted->name, partitions, replicas,
                                                       found->refusal, sizeof(found->refusal));
    for (const TopicConfig *config = wanted->config; topic != NULL && config->name != NULL;
         config++) {
        (void)rd_kafka_NewTopic_set_config(topic, config->name, config->value);
    }
    return topic;
}

static void read_created(const rd_kafka_topic_result_t *result, TopicFound *found)
{
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return;
    }
    const char *reason = rd_kafka_topic_result_error_string(result);
    (void)snprintf(found->refusal, sizeof(found->refusal), "%s",
                   reason != NULL ? reason : rd_kafka_err2str(code));
}

bool topics_admin_create(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT], int partitions,
                         int replicas, TopicFound found[TOPICS_COUNT], Error *err)
{
    rd_kafka_AdminOptions_t *options CLEANUP(destroy_options_at) =
        new_options(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_NewTopic_t *topics[TOPICS_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < TOPICS_COUNT; i++) {
        rd_kafka_NewTopic_t *topic =
            found[i].exists ? NULL : new_topic(&wanted[i], partitions, replicas, &found[i]);
        if (topic != NULL) {
            topics[count++] = topic;
        }
    }
    if (count == 0) {
        return true;
    }
    rd_kafka_CreateTopics(admin->client, topics, count, options, admin->answers);
    rd_kafka_NewTopic_destroy_array(topics, count);
    rd_kafka_event_t *event CLEANUP(destroy_event_at) = await_answer(admin, err);
    if (event == NULL) {
        return false;
    }
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        int index = find_wanted(wanted, rd_kafka_topic_result_name(results[i]));
        if (index >= 0) {
            read_created(results[i], &found[index]);
        }
    }
    return true;
}

void topics_admin_name(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                       const TopicFound found[TOPICS_COUNT])
{
    for (size_t i = 0; i < TOPICS_COUNT; i++) {
        rd_kafka_topic_t *topic =
            found[i].exists ? NULL : rd_kafka_topic_new(admin->client, wanted[i].name, NULL);
        if (topic == NULL) {
            continue;
        }
        const rd_kafka_metadata_t *metadata CLEANUP(destroy_metadata_at) = NULL;
        (void)rd_kafka_metadata(admin->client, 0, topic, &metadata, METADATA_MS);
        rd_kafka_topic_destroy(topic);
    }
}

static bool is_settled(const TopicFound *found)
{
    return found->refusal[0] != '\0' || (found->exists && found->has_leaders);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool topics_admin_await(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                        TopicFound found[TOPICS_COUNT], int64_t timeout_ms, Error *err)
{
    int64_t deadline_ms = now_ms() + timeout_ms;
    for (;;) {
        if (!topics_admin_find(admin, wanted, found, err)) {
            return false;
        }
        bool settled = true;
        for (size_t i = 0; i < TOPICS_COUNT; i++) {
            settled = settled && is_settled(&found[i]);
        }
        if (settled || now_ms() >= deadline_ms) {
            return true;
        }
        (void)rd_kafka_poll(admin->client, POLL_MS);
    }
}
