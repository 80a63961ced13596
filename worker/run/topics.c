#include "run/topics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "contract/topic_rules.h"
#include "run/topics_admin.h"
#include "sys/log.h"

enum { LEADERS_MS = 30000, LINE_BYTES = 1024 };

enum { WEEK_MS = 7 * 24 * 3600 * 1000 };

static const SettingId NAMES[TOPICS_COUNT] = {
    [TOPIC_COMMANDS] = SETTING_TOPIC_COMMANDS,
    [TOPIC_EVENTS] = SETTING_TOPIC_EVENTS,
    [TOPIC_STATE] = SETTING_TOPIC_STATE,
    [TOPIC_DEAD_LETTERS] = SETTING_TOPIC_DEAD_LETTERS,
};

typedef enum Verdict { VERDICT_OK, VERDICT_CREATED, VERDICT_NOTE, VERDICT_FAULT } Verdict;

typedef struct Topics {
    const Settings *settings;
    FILE *out; // NULL: the log
    int faults;
    TopicsAdmin *admin;
    TopicWanted wanted[TOPICS_COUNT];
    TopicFound found[TOPICS_COUNT];
} Topics;

static void close_at(Topics *topics)
{
    topics_admin_close_at(&topics->admin);
}

static void tell(Topics *topics, TopicRole role, Verdict verdict, const char *format, ...)
    PRINTF_LIKE(4, 5);

static void tell(Topics *topics, TopicRole role, Verdict verdict, const char *format, ...)
{
    static const char *const WORDS[] = {
        [VERDICT_OK] = "ok",
        [VERDICT_CREATED] = "created",
        [VERDICT_NOTE] = "note",
        [VERDICT_FAULT] = "FAULT",
    };
    char text[LINE_BYTES];
    const char *name = topics->wanted[role].name;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    topics->faults += verdict == VERDICT_FAULT;
    if (topics->out != NULL) {
        (void)fprintf(topics->out, "%-7s %s: %s\n", WORDS[verdict], name, text);
    } else if (verdict == VERDICT_NOTE || verdict == VERDICT_FAULT) {
        log_write(verdict == VERDICT_FAULT ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, NULL,
                  "topic %s: %s", name, text);
    }
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// retention_ms 0: the broker's own.
static void want(TopicWanted *wanted, const char *cleanup_policy, int64_t max_message_bytes,
                 int64_t retention_ms)
{
    TopicConfig *config = wanted->config;
    config[0].name = "cleanup.policy";
    (void)snprintf(config[0].value, sizeof(config[0].value), "%s", cleanup_policy);
    config[1].name = "max.message.bytes";
    (void)snprintf(config[1].value, sizeof(config[1].value), "%" PRId64, max_message_bytes);
    if (retention_ms > 0) {
        config[2].name = "retention.ms";
        (void)snprintf(config[2].value, sizeof(config[2].value), "%" PRId64, retention_ms);
    }
}

static bool name_topics(Topics *topics, Error *err)
{
    for (size_t i = 0; i < TOPICS_COUNT; i++) {
        const char *name = settings_text(topics->settings, NAMES[i]);
        if (name[0] == '\0' || !text_copy(topics->wanted[i].name, TOPICS_NAME_BYTES, name)) {
            return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                             "%s must be a topic's name of 1 to %d characters",
                             settings_name(NAMES[i]), TOPICS_NAME_BYTES - 1);
        }
        for (size_t earlier = 0; earlier < i; earlier++) {
            if (strcmp(topics->wanted[earlier].name, name) == 0) {
                return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                                 "%s and %s name the same topic", settings_name(NAMES[earlier]),
                                 settings_name(NAMES[i]));
            }
        }
    }
    return true;
}

static bool open_topics(Topics *topics, bool creates, Error *err)
{
    int64_t command = topic_rules_commands_bytes(topics->settings);
    int64_t record = larger(command, TOPIC_RECORD_BYTES_MIN);
    want(&topics->wanted[TOPIC_COMMANDS], "delete", command, WEEK_MS);
    want(&topics->wanted[TOPIC_EVENTS], "delete", record, 0);
    want(&topics->wanted[TOPIC_STATE], "compact", record, 0);
    want(&topics->wanted[TOPIC_DEAD_LETTERS], "delete", command + TOPIC_HEADER_ROOM_BYTES, 0);
    if (!name_topics(topics, err)) {
        return false;
    }
    topics->admin = topics_admin_open(topics->settings, creates, err);
    return topics->admin != NULL &&
           topics_admin_find(topics->admin, topics->wanted, topics->found, err);
}

static void on_verdict(void *context, TopicRole role, TopicVerdict verdict, const char *text)
{
    static const Verdict VERDICTS[] = {
        [TOPIC_OK] = VERDICT_OK, [TOPIC_NOTE] = VERDICT_NOTE, [TOPIC_FAULT] = VERDICT_FAULT};
    tell(context, role, VERDICTS[verdict], "%s", text);
}

static bool have_leaders(const Topics *topics)
{
    bool have = true;
    for (size_t i = 0; i < TOPICS_COUNT; i++) {
        have = have && (!topics->found[i].exists || topics->found[i].has_leaders);
    }
    return have;
}

static bool check_all(Topics *topics, Error *err)
{
    if (topics_admin_is_supported(topics->admin) &&
        !topics_admin_describe(topics->admin, topics->wanted, topics->found, err)) {
        return false;
    }
    topic_rules_check(topics->found, topics->settings, on_verdict, topics);
    // a broker is away or has just come back: no person has to change anything
    bool is_temporary = !have_leaders(topics);
    return topics->faults == 0 ||
           error_set(err, is_temporary ? ERROR_UNAVAILABLE : ERROR_INVALID, "TOPICS_UNFIT",
                     "faults of the topics: %d; provision-worker topics check names them",
                     topics->faults);
}

static bool create_missing(Topics *topics, Error *err)
{
    bool existed[TOPICS_COUNT];
    for (size_t i = 0; i < TOPICS_COUNT; i++) {
        existed[i] = topics->found[i].exists;
    }
    int partitions = (int)settings_number(topics->settings, SETTING_TOPICS_PARTITIONS);
    int replicas = (int)settings_number(topics->settings, SETTING_TOPICS_REPLICATION);
    if (!topics_admin_is_supported(topics->admin)) {
        topics_admin_name(topics->admin, topics->wanted, topics->found);
    } else if (!topics_admin_create(topics->admin, topics->wanted, partitions, replicas,
                                    topics->found, err)) {
        return false;
    }
    if (!topics_admin_await(topics->admin, topics->wanted, topics->found, LEADERS_MS, err)) {
        return false;
    }
    for (TopicRole role = TOPIC_COMMANDS; role <= TOPIC_DEAD_LETTERS; role++) {
        if (!existed[role] && topics->found[role].exists) {
            tell(topics, role, VERDICT_CREATED, "%d partitions, %d replicas",
                 topics->found[role].partitions, topics->found[role].replicas);
        }
    }
    return true;
}

bool topics_create(const Settings *settings, FILE *out, Error *err)
{
    Topics topics CLEANUP(close_at) = {.settings = settings, .out = out};
    return open_topics(&topics, true, err) && create_missing(&topics, err) &&
           check_all(&topics, err);
}

bool topics_check(const Settings *settings, FILE *out, Error *err)
{
    Topics topics CLEANUP(close_at) = {.settings = settings, .out = out};
    return open_topics(&topics, false, err) && check_all(&topics, err);
}
