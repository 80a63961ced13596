#include "drive/kafka_conf.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "sys/log.h"

enum { KAFKA_TEXT_BYTES = 512 };

typedef struct Visit {
    rd_kafka_conf_t *conf;
    Error *err;
    bool ok;
} Visit;

static void set(Visit *visit, const char *name, const char *value, bool is_secret)
{
    char text[KAFKA_TEXT_BYTES] = "";
    if (!visit->ok ||
        rd_kafka_conf_set(visit->conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK) {
        return;
    }
    visit->ok = error_set(visit->err, ERROR_INVALID, "KAFKA_SETUP", "kafka.%s: %s", name,
                          is_secret ? "librdkafka refuses its value" : text);
}

static void set_all(Visit *visit, const KafkaProperty *properties)
{
    for (const KafkaProperty *property = properties; property->name != NULL; property++) {
        set(visit, property->name, property->value, false);
    }
}

static void on_property(void *context, const char *property, const char *value, bool is_secret)
{
    set(context, property, value, is_secret);
}

// A property of both clients that only one of them has: what kafka.<property> is for.
static bool is_of_other_client(const char *facility, const char *text)
{
    return strcmp(facility, "CONFWARN") == 0 && strstr(text, "will be ignored by this") != NULL;
}

// Runs on librdkafka's threads.
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    LogLevel ours = LOG_LEVEL_DEBUG;
    if (is_of_other_client(facility, text)) {
        ours = LOG_LEVEL_DEBUG;
    } else if (level <= LOG_ERR) {
        ours = LOG_LEVEL_ERROR;
    } else if (level == LOG_WARNING) {
        ours = LOG_LEVEL_WARNING;
    } else if (level <= LOG_INFO) {
        ours = LOG_LEVEL_INFO;
    }
    const char *name = client != NULL ? rd_kafka_name(client) : "kafka";
    log_write(ours, NULL, "%s: %s: %s", name, facility, text);
}

rd_kafka_conf_t *kafka_conf_new(const Settings *settings, KafkaClient client,
                                const KafkaProperty *defaults, const KafkaProperty *forced,
                                Error *err)
{
    Visit visit = {rd_kafka_conf_new(), err, true};
    rd_kafka_conf_set_log_cb(visit.conf, on_log);
    set_all(&visit, defaults);
    settings_each_kafka(settings, client, on_property, &visit);
    set_all(&visit, forced);
    if (!visit.ok) {
        rd_kafka_conf_destroy(visit.conf);
        return NULL;
    }
    return visit.conf;
}

int64_t kafka_conf_number(const rd_kafka_conf_t *conf, const char *property)
{
    char value[32];
    size_t size = sizeof(value);
    if (rd_kafka_conf_get(conf, property, value, &size) != RD_KAFKA_CONF_OK) {
        return -1;
    }
    char *end = NULL;
    int64_t number = strtoll(value, &end, 10);
    return end != value && *end == '\0' ? number : -1;
}

// Its place is another's: of its member (static membership), or of its transactional.id.
static bool is_fenced(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

bool kafka_error_set(Error *err, ErrorKind kind, rd_kafka_resp_err_t code, const char *text)
{
    char name[sizeof(err->code)] = "KAFKA_";
    size_t prefix_length = strlen(name);
    const char *theirs = rd_kafka_err2name(code);
    theirs += strspn(theirs, "_");
    size_t length = strnlen(theirs, sizeof(name) - prefix_length - 1);
    memcpy(name + prefix_length, theirs, length);
    name[prefix_length + length] = '\0';
    return error_set(err, kind, name, "%s%s", text != NULL ? text : rd_kafka_err2str(code),
                     is_fenced(code)
                         ? "; once: Kafka or this worker stood still for longer than its "
                           "transaction or session may, or its successor has begun; again and "
                           "again: another live worker has this instance.id, and each needs its own"
                         : "");
}

bool kafka_error_is_absence(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t CODES[] = {
        RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
    };
    for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++) {
        if (CODES[i] == code) {
            return true;
        }
    }
    return false;
}
