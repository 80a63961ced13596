#include "base/settings_kafka.h"

#include <string.h>

#include "base/settings_value.h"

static const char TRUE[] = "true|t|1";
static const char FALSE[] = "false|f|0";

typedef struct Rule {
    const char *property;
    const char *allowed; // "a|b", "1..9", or empty: nothing
    const char *reason;
} Rule;

// Names and aliases: https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md
static const Rule RULES[] = {
    {"metadata.broker.list", "", "use kafka.bootstrap.servers"},
    {"group.id", "", "use the setting group.id"},
    {"group.instance.id", "", "use the settings group.static_membership and instance.id"},
    {"transactional.id", "", "it is made from group.id and instance.id"},
    {"enable.auto.commit", FALSE, "offsets are committed in one transaction with the events"},
    {"auto.commit.enable", FALSE, "offsets are committed in one transaction with the events"},
    {"enable.auto.offset.store", FALSE, "offsets are committed in one transaction with the events"},
    {"offset.store.method", "broker", "offsets are committed in one transaction with the events"},
    {"offset.store.path", "", "offsets are committed in one transaction with the events"},
    {"isolation.level", "read_committed",
     "commands of aborted transactions would be executed, and offsets be read too early"},
    {"auto.offset.reset", "earliest|smallest|beginning", "commands would be skipped"},
    {"partition.assignment.strategy", "range",
     "librdkafka 2.0.2 aborts with cooperative-sticky, and all workers must use the same"},
    {"enable.partition.eof", FALSE, "the end of a partition means nothing to a worker"},
    {"session.timeout.ms", "6000..60000",
     "a shorter one drops workers that are only slow, a longer one keeps dead ones"},
    {"max.poll.interval.ms", "10000..86400000",
     "the worker polls once a second, later when it is busy, and would lose its partitions"},
    {"allow.auto.create.topics", FALSE, "topics are made by `provision-worker topics create`"},
    {"queuing.strategy", "fifo", "commands would be executed in another order"},
    {"enable.idempotence", TRUE, "events would be lost or repeated"},
    {"acks", "all|-1", "events would be lost with their broker"},
    {"request.required.acks", "all|-1", "events would be lost with their broker"},
    {"max.in.flight", "1..5", "events would be published in another order"},
    {"max.in.flight.requests.per.connection", "1..5", "events would be published in another order"},
    {"retries", "1..2147483647", "events would be lost"},
    {"message.send.max.retries", "1..2147483647", "events would be lost"},
    {"transaction.timeout.ms", "1000..60000",
     "a dead worker's transaction blocks its partitions for that long"},
    {"message.timeout.ms", "1..60000", "it can't be longer than transaction.timeout.ms"},
    {"delivery.timeout.ms", "1..60000", "it can't be longer than transaction.timeout.ms"},
    {"partitioner", "murmur2_random", "an application's records would lose their order"},
    {"delivery.report.only.error", FALSE, "every delivery is counted"},
    {"statistics.interval.ms", "0", "nothing reads the statistics; see the worker's own metrics"},
    {"enabled_events", "", "the worker chooses which events it reads"},
    {"interceptors", "", "foreign code must not see the secrets of this process"},
    {"plugin.library.paths", "", "foreign code must not see the secrets of this process"},
    {"test.mock.num.brokers", "",
     "each client would get a broker of its own; neon-sandbox --kafka opens one for all"},
};

// sasl.oauthbearer.config may hold a signing key; PEM texts are masked alike, as one of them is a
// private key.
static const char *const SECRETS[] = {
    "sasl.password",           "ssl.key.password",
    "ssl.keystore.password",   "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config", "ssl.key.pem",
    "ssl.certificate.pem",     "ssl.ca.pem",
};

const char *settings_kafka_prefix(KafkaClient client)
{
    static const char *const PREFIXES[] = {
        [KAFKA_CLIENT_BOTH] = "kafka.",
        [KAFKA_CLIENT_CONSUMER] = "kafka.consumer.",
        [KAFKA_CLIENT_PRODUCER] = "kafka.producer.",
    };
    return PREFIXES[client];
}

bool settings_kafka_split(const char *name, KafkaClient *ret_client, const char **ret_property)
{
    static const KafkaClient LONGEST_PREFIX_FIRST[] = {KAFKA_CLIENT_CONSUMER, KAFKA_CLIENT_PRODUCER,
                                                       KAFKA_CLIENT_BOTH};
    for (size_t i = 0; i < 3; i++) {
        const char *prefix = settings_kafka_prefix(LONGEST_PREFIX_FIRST[i]);
        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            *ret_client = LONGEST_PREFIX_FIRST[i];
            *ret_property = name + strlen(prefix);
            return true;
        }
    }
    return false;
}

bool settings_kafka_is_secret(const char *property)
{
    for (size_t i = 0; i < sizeof SECRETS / sizeof SECRETS[0]; i++) {
        if (strcmp(property, SECRETS[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_property(const char *property)
{
    size_t length = strspn(property, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return length > 0 && property[length] == '\0' && length < SETTINGS_KAFKA_PROPERTY_BYTES;
}

static bool rule_allows(const Rule *rule, const char *value)
{
    int64_t number = 0;
    if (strstr(rule->allowed, "..") != NULL) {
        return settings_value_number(SETTING_TYPE_COUNT, value, &number) &&
               settings_value_is_within(SETTING_TYPE_COUNT, rule->allowed, number);
    }
    return rule->allowed[0] != '\0' && settings_value_is_choice(rule->allowed, value);
}

static bool has_control_characters(const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return true;
        }
    }
    return false;
}

bool settings_kafka_check(const char *name, const char *property, const char *value,
                          const char *origin, Error *err)
{
    if (!is_property(property)) {
        return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                         "%s: %.64s isn't kafka.<property of librdkafka>", origin, name);
    }
    if (has_control_characters(value) && !settings_kafka_is_secret(property)) {
        return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                         "%s: %s must not have control characters", origin, name);
    }
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        const Rule *rule = &RULES[i];
        if (strcmp(property, rule->property) == 0 && !rule_allows(rule, value)) {
            bool never = rule->allowed[0] == '\0';
            return error_set(err, ERROR_INVALID, "SETTING_REFUSED", "%s: %s can%s%s: %s", origin,
                             name, never ? "'t be set" : " only be ", rule->allowed, rule->reason);
        }
    }
    return true;
}
