#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "contract/topic_rules.h"
#include "ctl/doctor.h"
#include "ctl/kafka_free.h"
#include "ctl/span.h"
#include "lib/broker.h"
#include "lib/client.h"

enum { REQUEST_MS = 10000, AHEAD_MS = 5000, NAME_BYTES = 300 };

// Where Kafka keeps what groups commit; the brokers themselves write the time into its records.
static const char OFFSETS_TOPIC[] = "__consumer_offsets";

typedef struct Kafka {
    Doctor *doctor;
    const ProvisionOptions *options;
    Broker *broker;
    const rd_kafka_metadata_t *metadata;
    TopicFound found[TOPIC_ROLES];
} Kafka;

static const OptionsTopic TOPICS[TOPIC_ROLES] = {
    [TOPIC_COMMANDS] = OPTIONS_TOPIC_COMMANDS,
    [TOPIC_EVENTS] = OPTIONS_TOPIC_EVENTS,
    [TOPIC_STATE] = OPTIONS_TOPIC_STATE,
    [TOPIC_DEAD_LETTERS] = OPTIONS_TOPIC_DEAD_LETTERS,
};

static void clear_kafka(Kafka *kafka)
{
    if (kafka->metadata != NULL) {
        rd_kafka_metadata_destroy(kafka->metadata);
    }
    broker_close(kafka->broker);
}

static const char *topic_of(const Kafka *kafka, TopicRole role)
{
    return kafka->options->topics[TOPICS[role]];
}

static bool open_kafka(Kafka *kafka, ProvisionError *err)
{
    char reason[256];
    rd_kafka_conf_t *conf = options_consumer_conf(kafka->options);
    (void)rd_kafka_conf_set(conf, "group.id",
                            settings_text(kafka->doctor->settings, SETTING_GROUP_ID), reason,
                            sizeof(reason));
    kafka->broker = broker_open(RD_KAFKA_CONSUMER, conf, err);
    if (kafka->broker == NULL) {
        return false;
    }
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(kafka->broker->kafka, 1, NULL, &kafka->metadata, BROKER_CONTACT_MS);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || broker_fault(kafka->broker, "", code, err);
}

static void tell_brokers(const Kafka *kafka)
{
    Text names CLEANUP(text_clear) = TEXT_INIT(NAME_BYTES);
    for (int i = 0; i < kafka->metadata->broker_cnt; i++) {
        text_printf(&names, "%s%s:%d", i == 0 ? "" : ", ", kafka->metadata->brokers[i].host,
                    kafka->metadata->brokers[i].port);
    }
    checklist_add(&kafka->doctor->list, CHECK_OK, "Kafka", "reached; brokers: %s",
                  text_get(&names));
}

// ---- topics

static void read_topic(const rd_kafka_metadata_topic_t *topic, TopicFound *found)
{
    found->exists = topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt > 0;
    found->partitions = topic->partition_cnt;
    found->has_leaders = true;
    found->replicas = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
    for (int i = 0; i < topic->partition_cnt; i++) {
        int replicas = topic->partitions[i].replica_cnt;
        found->has_leaders = found->has_leaders && topic->partitions[i].leader >= 0;
        found->replicas = replicas < found->replicas ? replicas : found->replicas;
    }
}

static void find_topics(Kafka *kafka)
{
    for (int i = 0; i < kafka->metadata->topic_cnt; i++) {
        for (TopicRole role = TOPIC_COMMANDS; role <= TOPIC_DEAD_LETTERS; role++) {
            if (strcmp(kafka->metadata->topics[i].topic, topic_of(kafka, role)) == 0) {
                read_topic(&kafka->metadata->topics[i], &kafka->found[role]);
            }
        }
    }
}

static void read_entry(const rd_kafka_ConfigEntry_t *entry, TopicFound *found)
{
    const char *name = rd_kafka_ConfigEntry_name(entry);
    const char *value = rd_kafka_ConfigEntry_value(entry);
    const struct {
        const char *name;
        int64_t *number;
    } NUMBERS[] = {
        {"max.message.bytes", &found->max_message_bytes},
        {"retention.ms", &found->retention_ms},
        {"retention.bytes", &found->retention_bytes},
        {"delete.retention.ms", &found->delete_retention_ms},
        {"min.insync.replicas", &found->min_insync_replicas},
    };
    if (value == NULL) {
        return;
    }
    if (strcmp(name, "cleanup.policy") == 0) {
        (void)snprintf(found->cleanup_policy, sizeof(found->cleanup_policy), "%s", value);
    }
    for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++) {
        if (strcmp(name, NUMBERS[i].name) == 0) {
            *NUMBERS[i].number = strtoll(value, NULL, 10);
        }
    }
}

static void read_resource(const rd_kafka_ConfigResource_t *resource, TopicFound *found)
{
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)snprintf(found->refusal, sizeof(found->refusal), "%s", rd_kafka_err2str(code));
        return;
    }
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        read_entry(entries[i], found);
    }
    found->is_configured = true;
}

static void read_resources(Kafka *kafka, rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        for (TopicRole role = TOPIC_COMMANDS; role <= TOPIC_DEAD_LETTERS; role++) {
            if (strcmp(rd_kafka_ConfigResource_name(resources[i]), topic_of(kafka, role)) == 0) {
                read_resource(resources[i], &kafka->found[role]);
            }
        }
    }
}

// librdkafka's embedded broker names a controller that is none of its brokers: requests to it would
// wait until they time out.
static bool has_controller(const Kafka *kafka)
{
    int32_t controller = rd_kafka_controllerid(kafka->broker->kafka, REQUEST_MS);
    for (int i = 0; i < kafka->metadata->broker_cnt; i++) {
        if (kafka->metadata->brokers[i].id == controller) {
            return true;
        }
    }
    return false;
}

// What isn't answered stays unknown, which the rules tell.
static void describe_topics(Kafka *kafka)
{
    char reason[128];
    rd_kafka_t *client = kafka->broker->kafka;
    rd_kafka_ConfigResource_t *resources[TOPIC_ROLES];
    size_t count = 0;
    for (TopicRole role = TOPIC_COMMANDS; role <= TOPIC_DEAD_LETTERS; role++) {
        if (kafka->found[role].exists) {
            resources[count++] =
                rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_of(kafka, role));
        }
    }
    if (count == 0 || !has_controller(kafka)) {
        rd_kafka_ConfigResource_destroy_array(resources, count);
        return;
    }
    rd_kafka_AdminOptions_t *options CLEANUP(kafka_free_admin_options_at) =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS, reason, sizeof(reason));
    rd_kafka_queue_t *answers CLEANUP(kafka_free_queue_at) = rd_kafka_queue_new(client);
    rd_kafka_DescribeConfigs(client, resources, count, options, answers);
    rd_kafka_ConfigResource_destroy_array(resources, count);
    rd_kafka_event_t *event CLEANUP(kafka_free_event_at) =
        rd_kafka_queue_poll(answers, REQUEST_MS + 1000);
    if (event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        read_resources(kafka, event);
    }
}

static void on_verdict(void *context, TopicRole role, TopicVerdict verdict, const char *text)
{
    static const CheckVerdict VERDICTS[] = {
        [TOPIC_OK] = CHECK_OK, [TOPIC_NOTE] = CHECK_WARNING, [TOPIC_FAULT] = CHECK_FAILED};
    const Kafka *kafka = context;
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "topic %s", topic_of(kafka, role));
    checklist_add(&kafka->doctor->list, VERDICTS[verdict], name, "%s", text);
}

// ---- clocks

// Whether any record of the topic carries a time that hasn't come yet by our clock.
static rd_kafka_resp_err_t find_future(const Kafka *kafka, const char *topic, int partitions,
                                       int64_t after_ms, bool *ret_found)
{
    rd_kafka_topic_partition_list_t *list CLEANUP(kafka_free_list_at) =
        rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = after_ms;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(kafka->broker->kafka, list, REQUEST_MS);
    *ret_found = false;
    for (int i = 0; i < list->cnt; i++) {
        *ret_found = *ret_found || (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                                    list->elems[i].offset >= 0);
    }
    return code;
}

static void check_clock(const Kafka *kafka, const char *topic, int partitions, const char *whose)
{
    char name[NAME_BYTES];
    bool is_ahead = false;
    (void)snprintf(name, sizeof(name), "clock of the %s", whose);
    rd_kafka_resp_err_t code =
        find_future(kafka, topic, partitions, span_now_ms() + AHEAD_MS, &is_ahead);
    Checklist *list = &kafka->doctor->list;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        checklist_add(list, CHECK_SKIPPED, name, "not known: %s", rd_kafka_err2str(code));
    } else if (is_ahead) {
        checklist_add(list, CHECK_WARNING, name,
                      "%s has records of more than %d s in the future: one of them, or this host, "
                      "has a wrong clock (or had one); commands.max_age counts from that time: run "
                      "NTP",
                      topic, AHEAD_MS / 1000);
    } else {
        checklist_add(list, CHECK_OK, name, "no record of %s is from the future", topic);
    }
}

static void check_clocks(const Kafka *kafka)
{
    if (kafka->found[TOPIC_COMMANDS].exists) {
        check_clock(kafka, topic_of(kafka, TOPIC_COMMANDS), kafka->found[TOPIC_COMMANDS].partitions,
                    "senders");
    }
    if (kafka->found[TOPIC_EVENTS].exists) {
        check_clock(kafka, topic_of(kafka, TOPIC_EVENTS), kafka->found[TOPIC_EVENTS].partitions,
                    "workers");
    }
    for (int i = 0; i < kafka->metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &kafka->metadata->topics[i];
        if (strcmp(topic->topic, OFFSETS_TOPIC) == 0) {
            check_clock(kafka, OFFSETS_TOPIC, topic->partition_cnt, "brokers");
        }
    }
}

static void check_all(Kafka *kafka)
{
    tell_brokers(kafka);
    find_topics(kafka);
    describe_topics(kafka);
    topic_rules_check(kafka->found, kafka->doctor->settings, on_verdict, kafka);
    check_clocks(kafka);
    if (kafka->found[TOPIC_COMMANDS].exists) {
        doctor_check_group(kafka->doctor, kafka->broker, topic_of(kafka, TOPIC_COMMANDS),
                           kafka->found[TOPIC_COMMANDS].partitions);
    }
}

void doctor_check_kafka(Doctor *doctor)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionClient *client CLEANUP(connection_free_client) =
        connection_try(doctor->connection, &error);
    if (client == NULL) {
        checklist_fail(&doctor->list, "Kafka", &error);
        return;
    }
    Kafka kafka CLEANUP(clear_kafka) = {.doctor = doctor, .options = client_options(client)};
    if (open_kafka(&kafka, &error)) {
        check_all(&kafka);
    } else {
        checklist_fail(&doctor->list, "Kafka", &error);
    }
}
