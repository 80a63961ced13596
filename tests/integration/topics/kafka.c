#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { SKIP = 77, ADMIN_MS = 30000 };

static const char *bootstrap(void)
{
    return getenv("PROVISION_TEST_KAFKA");
}

typedef struct Config {
    SettingId topic;
    const char *name;
    const char *value;
} Config;

static void create_one(const char *name, int partitions, const Config *config)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap(), reason, sizeof(reason)),
        RD_KAFKA_CONF_OK);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, reason, sizeof(reason));
    if (config->topic == SETTING_TOPIC_STATE) {
        (void)rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
    }
    (void)rd_kafka_NewTopic_set_config(topic, config->name, config->value);
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_MS);
    assert_non_null(event);
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    assert_int_equal(count, 1);
    assert_int_equal(rd_kafka_topic_result_error(results[0]), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

static void assert_done(const Said *said)
{
    if (!said->done) {
        fail_msg("%s%s: %s", said->text, said->err.code, said->err.text);
    }
}

static void what_is_created_is_fit(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = support_settings(bootstrap(), "fit");
    CLEANUP(said_clear) Said created = support_say(topics_create, settings);
    assert_done(&created);
    support_assert_said(&created, "3 partitions, 1 replicas");
    support_assert_unsaid(&created, "not checked");
    support_assert_unsaid(&created, "note");
    CLEANUP(said_clear) Said checked = support_say(topics_check, settings);
    assert_done(&checked);
    support_assert_said(&checked, "ok ");
    CLEANUP(said_clear) Said again = support_say(topics_create, settings);
    assert_done(&again);
    support_assert_unsaid(&again, "created");
}

static void larger_commands_need_larger_topics(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = support_settings(bootstrap(), "large");
    CLEANUP(said_clear) Said created = support_say(topics_create, settings);
    assert_done(&created);
    support_set(settings, "commands.max_bytes", "2MiB");
    CLEANUP(said_clear) Said checked = support_say(topics_check, settings);
    assert_false(checked.done);
    assert_string_equal(checked.err.code, "TOPICS_UNFIT");
    support_assert_said(&checked, "max.message.bytes is 1114112: set it to 2162688");
}

static void the_ledger_must_not_forget_before_kafka(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = support_settings(bootstrap(), "forget");
    CLEANUP(said_clear) Said created = support_say(topics_create, settings);
    assert_done(&created);
    support_set(settings, "ledger.retention", "6d");
    CLEANUP(said_clear) Said checked = support_say(topics_check, settings);
    assert_false(checked.done);
    support_assert_said(&checked, "retention.ms is 604800000, longer than ledger.retention");
}

typedef struct FaultCase {
    Config config;
    const char *said;
} FaultCase;

static const FaultCase FAULTS[] = {
    {{SETTING_TOPIC_STATE, "cleanup.policy", "delete"}, "states would be lost"},
    {{SETTING_TOPIC_STATE, "cleanup.policy", "compact,delete"}, "states would be lost"},
    {{SETTING_TOPIC_COMMANDS, "cleanup.policy", "compact"}, "only the last record"},
    {{SETTING_TOPIC_EVENTS, "cleanup.policy", "compact"}, "only the last record"},
    {{SETTING_TOPIC_DEAD_LETTERS, "cleanup.policy", "compact"}, "only the last record"},
    {{SETTING_TOPIC_COMMANDS, "retention.ms", "-1"}, "retention.ms is -1 (for ever)"},
    {{SETTING_TOPIC_COMMANDS, "max.message.bytes", "1048588"}, "set it to 1114112"},
    {{SETTING_TOPIC_EVENTS, "max.message.bytes", "1000"}, "set it to 1048588"},
    {{SETTING_TOPIC_STATE, "max.message.bytes", "1000"}, "set it to 1048588"},
    {{SETTING_TOPIC_DEAD_LETTERS, "max.message.bytes", "1114112"}, "set it to 1179648"},
    {{SETTING_TOPIC_COMMANDS, "retention.bytes", "1000000000"}, "retention.bytes is 1000000000"},
    {{SETTING_TOPIC_EVENTS, "min.insync.replicas", "2"}, "nothing can be written"},
};

static void each_fault_is_named_with_its_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(FAULTS) / sizeof(FAULTS[0]); i++) {
        char prefix[32];
        (void)snprintf(prefix, sizeof(prefix), "fault-%zu", i);
        CLEANUP(settings_free_at) Settings *settings = support_settings(bootstrap(), prefix);
        const char *name = settings_text(settings, FAULTS[i].config.topic);
        create_one(name, 3, &FAULTS[i].config);
        CLEANUP(said_clear) Said said = support_say(topics_create, settings);
        assert_false(said.done);
        assert_string_equal(said.err.code, "TOPICS_UNFIT");
        support_assert_said(&said, name);
        support_assert_said(&said, FAULTS[i].said);
    }
}

static const FaultCase NOTES[] = {
    {{SETTING_TOPIC_COMMANDS, "retention.ms", "3600000"}, "shorter than commands.max_age"},
    {{SETTING_TOPIC_STATE, "delete.retention.ms", "60000"}, "never learns of some deletions"},
};

// What is unwise and breaks no guarantee.
static void each_note_is_told_and_stops_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(NOTES) / sizeof(NOTES[0]); i++) {
        char prefix[32];
        (void)snprintf(prefix, sizeof(prefix), "note-%zu", i);
        CLEANUP(settings_free_at) Settings *settings = support_settings(bootstrap(), prefix);
        support_set(settings, "commands.max_bytes", "983052"); // and 64 KiB: the broker's default
        create_one(settings_text(settings, NOTES[i].config.topic), 3, &NOTES[i].config);
        CLEANUP(said_clear) Said said = support_say(topics_create, settings);
        assert_done(&said);
        support_assert_said(&said, "note");
        support_assert_said(&said, NOTES[i].said);
    }
}

static void other_partitions_are_noted(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = support_settings(bootstrap(), "other");
    const Config config = {SETTING_TOPIC_EVENTS, "cleanup.policy", "delete"};
    create_one(settings_text(settings, SETTING_TOPIC_EVENTS), 5, &config);
    CLEANUP(said_clear) Said said = support_say(topics_create, settings);
    assert_done(&said);
    support_assert_said(&said, "5 partitions, topics.partitions says 3");
}

static void what_the_broker_refuses_is_told(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = support_settings(bootstrap(), "refused");
    support_set(settings, "topics.replication", "9");
    support_set(settings, "topics.events", "not a topic's name");
    CLEANUP(said_clear) Said said = support_say(topics_create, settings);
    assert_false(said.done);
    assert_string_equal(said.err.code, "TOPICS_UNFIT");
    support_assert_said(&said, "it was not made: ");
    support_assert_said(&said, "FAULT   not a topic's name");
}

int main(void)
{
    if (bootstrap() == NULL) {
        (void)fprintf(stderr, "PROVISION_TEST_KAFKA is not set\n");
        return getenv("CI") == NULL ? SKIP : EXIT_FAILURE;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_created_is_fit),
        cmocka_unit_test(larger_commands_need_larger_topics),
        cmocka_unit_test(the_ledger_must_not_forget_before_kafka),
        cmocka_unit_test(each_fault_is_named_with_its_remedy),
        cmocka_unit_test(each_note_is_told_and_stops_nothing),
        cmocka_unit_test(other_partitions_are_noted),
        cmocka_unit_test(what_the_broker_refuses_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
