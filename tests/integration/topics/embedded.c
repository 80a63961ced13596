#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "support.h"

typedef struct Embedded {
    rd_kafka_t *owner;
    rd_kafka_mock_cluster_t *cluster;
} Embedded;

static int open_broker(void **state)
{
    static Embedded embedded;
    char reason[256];
    embedded.owner = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof(reason));
    assert_non_null(embedded.owner);
    embedded.cluster = rd_kafka_mock_cluster_new(embedded.owner, 1);
    assert_non_null(embedded.cluster);
    *state = &embedded;
    return 0;
}

static int close_broker(void **state)
{
    Embedded *embedded = *state;
    rd_kafka_mock_cluster_destroy(embedded->cluster);
    rd_kafka_destroy(embedded->owner);
    return 0;
}

static Settings *settings_for(void **state, const char *prefix)
{
    Embedded *embedded = *state;
    return support_settings(rd_kafka_mock_cluster_bootstraps(embedded->cluster), prefix);
}

static void topics_are_made_as_the_broker_makes_them(void **state)
{
    CLEANUP(settings_free_at) Settings *settings = settings_for(state, "made");
    CLEANUP(said_clear) Said said = support_say(topics_create, settings);
    if (!said.done) {
        fail_msg("%s%s: %s", said.text, said.err.code, said.err.text);
    }
    support_assert_said(&said, "created made-");
    support_assert_said(&said, "4 partitions, topics.partitions says 3");
    support_assert_said(&said, "not checked: this broker does not tell them");
    CLEANUP(said_clear) Said again = support_say(topics_create, settings);
    assert_true(again.done);
    support_assert_unsaid(&again, "created");
}

static void a_check_makes_nothing(void **state)
{
    CLEANUP(settings_free_at) Settings *settings = settings_for(state, "unmade");
    for (int i = 0; i < 2; i++) {
        CLEANUP(said_clear) Said said = support_say(topics_check, settings);
        assert_false(said.done);
        assert_string_equal(said.err.code, "TOPICS_UNFIT");
        support_assert_said(&said, "there is no such topic: run provision-worker topics create");
    }
}

static void a_broker_that_is_away_is_told(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = support_settings("127.0.0.1:1", "away");
    CLEANUP(said_clear) Said said = support_say(topics_check, settings);
    assert_false(said.done);
    assert_string_equal(said.err.code, "KAFKA_UNAVAILABLE");
    assert_int_equal(said.err.kind, ERROR_UNAVAILABLE);
}

static void topics_need_different_names(void **state)
{
    CLEANUP(settings_free_at) Settings *settings = settings_for(state, "same");
    support_set(settings, "topics.state", settings_text(settings, SETTING_TOPIC_EVENTS));
    CLEANUP(said_clear) Said said = support_say(topics_create, settings);
    assert_false(said.done);
    assert_string_equal(said.err.text, "topics.events and topics.state name the same topic");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_made_as_the_broker_makes_them),
        cmocka_unit_test(a_check_makes_nothing),
        cmocka_unit_test(a_broker_that_is_away_is_told),
        cmocka_unit_test(topics_need_different_names),
    };
    return cmocka_run_group_tests(tests, open_broker, close_broker);
}
