#include "base/settings_kafka.h"

#include <string.h>

#include "unit.h"

typedef struct SplitCase {
    const char *name;
    bool kafka;
    KafkaClient client;
    const char *property;
} SplitCase;

static const SplitCase SPLITS[] = {
    {"kafka.bootstrap.servers", true, KAFKA_CLIENT_BOTH, "bootstrap.servers"},
    {"kafka.consumer.fetch.min.bytes", true, KAFKA_CLIENT_CONSUMER, "fetch.min.bytes"},
    {"kafka.producer.linger.ms", true, KAFKA_CLIENT_PRODUCER, "linger.ms"},
    {"kafka.consumer", true, KAFKA_CLIENT_BOTH, "consumer"},
    {"kafka.", true, KAFKA_CLIENT_BOTH, ""},
    {"kafka", false, KAFKA_CLIENT_BOTH, NULL},
    {"neon.api_url", false, KAFKA_CLIENT_BOTH, NULL},
};

static void names_are_split_by_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(SPLITS); i++) {
        KafkaClient client = KAFKA_CLIENT_BOTH;
        const char *property = NULL;
        assert_int_equal(settings_kafka_split(SPLITS[i].name, &client, &property), SPLITS[i].kafka);
        if (SPLITS[i].kafka) {
            assert_int_equal(client, SPLITS[i].client);
            assert_string_equal(property, SPLITS[i].property);
            assert_memory_equal(SPLITS[i].name, settings_kafka_prefix(client),
                                strlen(settings_kafka_prefix(client)));
        }
    }
}

static void passwords_and_keys_are_secrets(void **state)
{
    (void)state;
    static const char *const SECRETS[] = {
        "sasl.password",           "ssl.key.password",
        "ssl.keystore.password",   "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config", "ssl.key.pem",
        "ssl.certificate.pem",     "ssl.ca.pem",
    };
    for (size_t i = 0; i < UNIT_COUNT(SECRETS); i++) {
        assert_true(settings_kafka_is_secret(SECRETS[i]));
    }
    assert_false(settings_kafka_is_secret("sasl.username"));
    assert_false(settings_kafka_is_secret("ssl.key.location"));
}

typedef struct CheckCase {
    const char *property;
    const char *value;
    const char *code; // NULL: taken
} CheckCase;

#define REFUSED "SETTING_REFUSED"

static const CheckCase CHECKS[] = {
    {"metadata.broker.list", "b:1", REFUSED},
    {"group.id", "g", REFUSED},
    {"transactional.id", "t", REFUSED},
    {"enable.auto.commit", "true", REFUSED},
    {"enable.auto.commit", "false", NULL},
    {"auto.commit.enable", "1", REFUSED},
    {"auto.commit.enable", "0", NULL},
    {"enable.auto.offset.store", "t", REFUSED},
    {"enable.auto.offset.store", "f", NULL},
    {"offset.store.method", "file", REFUSED},
    {"offset.store.method", "broker", NULL},
    {"offset.store.path", "/tmp", REFUSED},
    {"isolation.level", "read_uncommitted", REFUSED},
    {"isolation.level", "read_committed", NULL},
    {"auto.offset.reset", "latest", REFUSED},
    {"auto.offset.reset", "error", REFUSED},
    {"auto.offset.reset", "earliest", NULL},
    {"partition.assignment.strategy", "cooperative-sticky", REFUSED},
    {"partition.assignment.strategy", "range,roundrobin", REFUSED},
    {"partition.assignment.strategy", "range", NULL},
    {"enable.partition.eof", "true", REFUSED},
    {"enable.partition.eof", "false", NULL},
    {"session.timeout.ms", "5999", REFUSED},
    {"session.timeout.ms", "6000", NULL},
    {"session.timeout.ms", "60000", NULL},
    {"session.timeout.ms", "60001", REFUSED},
    {"session.timeout.ms", "10s", REFUSED},
    {"max.poll.interval.ms", "1000", REFUSED},
    {"max.poll.interval.ms", "9999", REFUSED},
    {"max.poll.interval.ms", "10000", NULL},
    {"max.poll.interval.ms", "300000", NULL},
    {"max.poll.interval.ms", "86400001", REFUSED},
    {"allow.auto.create.topics", "true", REFUSED},
    {"allow.auto.create.topics", "false", NULL},
    {"queuing.strategy", "lifo", REFUSED},
    {"queuing.strategy", "fifo", NULL},
    {"enable.idempotence", "false", REFUSED},
    {"enable.idempotence", "true", NULL},
    {"acks", "1", REFUSED},
    {"acks", "all", NULL},
    {"request.required.acks", "0", REFUSED},
    {"request.required.acks", "-1", NULL},
    {"max.in.flight", "6", REFUSED},
    {"max.in.flight", "5", NULL},
    {"max.in.flight.requests.per.connection", "0", REFUSED},
    {"max.in.flight.requests.per.connection", "1", NULL},
    {"retries", "0", REFUSED},
    {"retries", "2147483647", NULL},
    {"message.send.max.retries", "0", REFUSED},
    {"message.send.max.retries", "1", NULL},
    {"transaction.timeout.ms", "999", REFUSED},
    {"transaction.timeout.ms", "1000", NULL},
    {"transaction.timeout.ms", "60000", NULL},
    {"transaction.timeout.ms", "60001", REFUSED},
    {"message.timeout.ms", "0", REFUSED},
    {"message.timeout.ms", "9000", NULL},
    {"delivery.timeout.ms", "60001", REFUSED},
    {"delivery.timeout.ms", "1", NULL},
    {"partitioner", "consistent_random", REFUSED},
    {"partitioner", "murmur2", REFUSED},
    {"partitioner", "murmur2_random", NULL},
    {"delivery.report.only.error", "true", REFUSED},
    {"delivery.report.only.error", "false", NULL},
    {"statistics.interval.ms", "1000", REFUSED},
    {"statistics.interval.ms", "0", NULL},
    {"enabled_events", "1", REFUSED},
    {"interceptors", "x", REFUSED},
    {"plugin.library.paths", "x.so", REFUSED},
    {"test.mock.num.brokers", "3", REFUSED},
    {"bootstrap.servers", "a:9092,b:9092", NULL},
    {"security.protocol", "SASL_SSL", NULL},
    {"sasl.mechanisms", "PLAIN", NULL},
    {"group.instance.id", "w-1", REFUSED},
    {"client.rack", "a", NULL},
    {"client.id", "me", NULL},
    {"debug", "cgrp", NULL},
    {"socket.nagle.disable", "true", NULL},
    {"fetch.wait.max.ms", "10", NULL},
    {"queued.min.messages", "10", NULL},
    {"retry.backoff.ms", "20", NULL},
    {"no.such.property", "x", NULL},
    {"", "x", "SETTING_INVALID"},
    {"Bootstrap.Servers", "x", "SETTING_INVALID"},
    {"client id", "x", "SETTING_INVALID"},
    {"client.id", "a\nb", "SETTING_INVALID"},
    {"client.id", "a\x7f", "SETTING_INVALID"},
    {"ssl.key.pem", "-----BEGIN\nKEY", NULL},
    {"sasl.password", "a\tb", NULL},
};

static void what_would_break_a_promise_is_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CHECKS); i++) {
        const CheckCase *c = &CHECKS[i];
        Error err = ERROR_INIT;
        bool taken = settings_kafka_check("kafka.x", c->property, c->value, "--set", &err);
        if (taken != (c->code == NULL)) {
            print_error("%s = %s\n", c->property, c->value);
        }
        assert_int_equal(taken, c->code == NULL);
        assert_string_equal(err.code, taken ? "" : c->code);
        assert_int_equal(strncmp(err.text, "--set: kafka.x ", 15) == 0, !taken);
    }
}

static void a_refusal_says_what_is_allowed(void **state)
{
    (void)state;
    Error err = ERROR_INIT;
    assert_false(settings_kafka_check("kafka.acks", "acks", "1", "w.ini:3", &err));
    assert_string_equal(err.text, "w.ini:3: kafka.acks can only be all|-1: events would be lost "
                                  "with their broker");
    assert_false(settings_kafka_check("kafka.group.id", "group.id", "g", "w.ini:3", &err));
    assert_string_equal(err.text, "w.ini:3: kafka.group.id can't be set: use the setting group.id");
}

static void a_property_is_shorter_than_128_characters(void **state)
{
    (void)state;
    char property[SETTINGS_KAFKA_PROPERTY_BYTES + 1];
    memset(property, 'x', sizeof property);
    property[SETTINGS_KAFKA_PROPERTY_BYTES] = '\0';
    assert_false(settings_kafka_check("kafka.x", property, "", "", NULL));
    assert_true(settings_kafka_check("kafka.x", property + 1, "", "", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_split_by_client),
        cmocka_unit_test(passwords_and_keys_are_secrets),
        cmocka_unit_test(what_would_break_a_promise_is_refused_with_the_reason),
        cmocka_unit_test(a_refusal_says_what_is_allowed),
        cmocka_unit_test(a_property_is_shorter_than_128_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
