#include "lib/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "lib/fault.h"

typedef struct OptionsProperty {
    const char *name;
    const char *value;
} OptionsProperty;

// The worker checks the partition: murmur2 of the key, as Java's default.
static const OptionsProperty PRODUCER[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"partitioner", "murmur2_random"},
    {"allow.auto.create.topics", "false"},
};

// Out of range means that retention has passed the start: the oldest that is left comes next.
static const OptionsProperty CONSUMER[] = {
    {"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
    {"enable.auto.commit", "false"},       {"auto.offset.reset", "earliest"},
    {"allow.auto.create.topics", "false"},
};

// What users may change. librdkafka's own defaults: Nagle's algorithm delays small requests by up
// to 40 ms, and a fetch sleeps for 500 ms at a broker that doesn't wake it.
static const OptionsProperty DEFAULTS[] = {
    {"message.timeout.ms", "30000"},
    {"socket.nagle.disable", "true"},
    {"fetch.wait.max.ms", "100"},
    {"client.id", "libprovision"},
};

static const char *const REFUSED[] = {"transactional.id", "request.required.acks", "group.id"};

static const char *const TOPIC_NAMES[OPTIONS_TOPIC_COUNT] = {
    [OPTIONS_TOPIC_COMMANDS] = "topics.commands",
    [OPTIONS_TOPIC_EVENTS] = "topics.events",
    [OPTIONS_TOPIC_STATE] = "topics.state",
    [OPTIONS_TOPIC_DEAD_LETTERS] = "topics.dead_letters",
};

static const char *const TOPIC_DEFAULTS[OPTIONS_TOPIC_COUNT] = {
    [OPTIONS_TOPIC_COMMANDS] = "provisioning.commands",
    [OPTIONS_TOPIC_EVENTS] = "provisioning.events",
    [OPTIONS_TOPIC_STATE] = "provisioning.state",
    [OPTIONS_TOPIC_DEAD_LETTERS] = "provisioning.dead-letters",
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void set_all(rd_kafka_conf_t *conf, const OptionsProperty *properties, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char reason[256];
        rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, properties[i].name,
                                                       properties[i].value, reason, sizeof(reason));
        assert(result == RD_KAFKA_CONF_OK);
        (void)result;
    }
}

ProvisionOptions *provision_options_new(void)
{
    ProvisionOptions *options = alloc_zeroed(1, sizeof(*options));
    for (int i = 0; i < OPTIONS_TOPIC_COUNT; i++) {
        bool fits = text_copy(options->topics[i], OPTIONS_TOPIC_BYTES, TOPIC_DEFAULTS[i]);
        assert(fits);
        (void)fits;
    }
    options->conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(options->conf, NULL);
    set_all(options->conf, DEFAULTS, LENGTH(DEFAULTS));
    return options;
}

void provision_options_free(ProvisionOptions *options)
{
    if (options != NULL) {
        rd_kafka_conf_destroy(options->conf);
        crypto_signer_clear(&options->signer);
        free(options);
    }
}

ProvisionOptions *options_copy(const ProvisionOptions *options)
{
    ProvisionOptions *copy = alloc_zeroed(1, sizeof(*copy));
    *copy = *options;
    copy->conf = rd_kafka_conf_dup(options->conf);
    copy->signer.private_key = SECRET_INIT;
    secret_set(&copy->signer.private_key, secret_bytes(&options->signer.private_key));
    return copy;
}

void provision_options_set_signing_key(ProvisionOptions *options,
                                       const uint8_t private_key[PROVISION_KEY_BYTES])
{
    crypto_signer_set(&options->signer, private_key);
}

rd_kafka_conf_t *options_producer_conf(const ProvisionOptions *options)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(options->conf);
    set_all(conf, PRODUCER, LENGTH(PRODUCER));
    return conf;
}

rd_kafka_conf_t *options_consumer_conf(const ProvisionOptions *options)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(options->conf);
    set_all(conf, CONSUMER, LENGTH(CONSUMER));
    return conf;
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < LENGTH(PRODUCER); i++) {
        if (strcmp(name, PRODUCER[i].name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < LENGTH(CONSUMER); i++) {
        if (strcmp(name, CONSUMER[i].name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < LENGTH(REFUSED); i++) {
        if (strcmp(name, REFUSED[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool set_topic(ProvisionOptions *options, size_t topic, const char *value,
                      ProvisionError *err)
{
    if (value[0] == '\0' || strlen(value) >= OPTIONS_TOPIC_BYTES) {
        return fault_set_field(err, "OPTION_INVALID", TOPIC_NAMES[topic],
                               "%s must be a topic's name, at most 249 characters",
                               TOPIC_NAMES[topic]);
    }
    return text_copy(options->topics[topic], OPTIONS_TOPIC_BYTES, value);
}

bool provision_options_set(ProvisionOptions *options, const char *name, const char *value,
                           ProvisionError *err)
{
    for (size_t i = 0; i < OPTIONS_TOPIC_COUNT; i++) {
        if (strcmp(name, TOPIC_NAMES[i]) == 0) {
            return set_topic(options, i, value, err);
        }
    }
    if (is_ours(name)) {
        return fault_set_field(err, "OPTION_INVALID", name,
                               "%s is set by libprovision: leave it out", name);
    }
    // librdkafka's own reason repeats the value, which may be a password.
    char reason[256];
    switch (rd_kafka_conf_set(options->conf, name, value, reason, sizeof(reason))) {
    case RD_KAFKA_CONF_OK:
        return true;
    case RD_KAFKA_CONF_INVALID:
        return fault_set_field(err, "OPTION_INVALID", name,
                               "%s doesn't take this value: see librdkafka's CONFIGURATION.md",
                               name);
    case RD_KAFKA_CONF_UNKNOWN:
    default:
        return fault_set_field(err, "OPTION_INVALID", name,
                               "%s is neither topics.commands, topics.events, topics.state or "
                               "topics.dead_letters nor a property of librdkafka",
                               name);
    }
}
