#include "run/topics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "run/topics_admin.h"

// Key and headers beside a command's value; failure headers of a dead letter beside a command.
enum { HEADER_ROOM_BYTES = 64 * 1024 };
// Kafka's own default for a record batch: what events and states may need.
enum { RECORD_BYTES_MIN = 1048588 };
enum { LEADERS_MS = 30000 };

enum { HOUR_MS = 3600 * 1000, WEEK_MS = 7 * 24 * HOUR_MS };

typedef enum TopicRole {
    TOPIC_COMMANDS,
    TOPIC_EVENTS,
    TOPIC_STATE,
    TOPIC_DEAD_LETTERS,
} TopicRole;

static const SettingId NAMES[TOPICS_COUNT] = {
    [TOPIC_COMMANDS] = SETTING_TOPIC_COMMANDS,
    [TOPIC_EVENTS] = SETTING_TOPIC_EVENTS,
    [TOPIC_STATE] = SETTING_TOPIC_STATE,
    [TOPIC_DEAD_LETTERS] = SETTING_TOPIC_DEAD_LETTERS,
};

typedef enum Verdict { VERDICT_OK, VERDICT_CREATED, VERDICT_NOTE, VERDICT_FAULT } Verdict;

typedef struct Topics {
    const Settings *settings;
    FILE *out;
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
    topics->faults += verdict == VERDICT_FAULT;
    (void)fprintf(topics->out, "%-7s %s: ", WORDS[verdict], topics->wanted[role].name);
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(topics->out, format, arguments);
    va_end(arguments);
    (void)fputc('\n', topics->out);
}

static int64_t commands_bytes(const Settings *settings)
{
    return settings_number(settings, SETTING_COMMANDS_MAX_BYTES) + HEADER_ROOM_BYTES;
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
    int64_t command = commands_bytes(topics->settings);
    int64_t record = larger(command, RECORD_BYTES_MIN);
    want(&topics->wanted[TOPIC_COMMANDS], "delete", command, WEEK_MS);
    want(&topics->wanted[TOPIC_EVENTS], "delete", record, 0);
    want(&topics->wanted[TOPIC_STATE], "compact", record, 0);
    want(&topics->wanted[TOPIC_DEAD_LETTERS], "delete", command + HEADER_ROOM_BYTES, 0);
    if (!name_topics(topics, err)) {
        return false;
    }
    topics->admin = topics_admin_open(topics->settings, creates, err);
    return topics->admin != NULL &&
           topics_admin_find(topics->admin, topics->wanted, topics->found, err);
}

static void check_partitions(Topics *topics, TopicRole role)
{
    const TopicFound *found = &topics->found[role];
    int64_t partitions = settings_number(topics->settings, SETTING_TOPICS_PARTITIONS);
    int64_t replicas = settings_number(topics->settings, SETTING_TOPICS_REPLICATION);
    if (!found->has_leaders) {
        tell(topics, role, VERDICT_FAULT, "a partition has no leader: look at the brokers");
    }
    if (found->partitions != partitions) {
        tell(topics, role, VERDICT_NOTE,
             "%d partitions, topics.partitions says %" PRId64
             "; to change them drain the fleet first, as applications move between partitions",
             found->partitions, partitions);
    }
    if (found->replicas < replicas) {
        tell(topics, role, VERDICT_NOTE, "%d replicas, topics.replication says %" PRId64,
             found->replicas, replicas);
    }
}

static void check_cleanup(Topics *topics, TopicRole role)
{
    const char *policy = topics->found[role].cleanup_policy;
    if (role == TOPIC_STATE && strcmp(policy, "compact") != 0) {
        tell(topics, role, VERDICT_FAULT,
             "cleanup.policy is %s: states would be lost; set it to compact", policy);
    }
    if (role != TOPIC_STATE && strstr(policy, "compact") != NULL) {
        tell(topics, role, VERDICT_FAULT,
             "cleanup.policy is %s: only the last record of an application would be kept; "
             "set it to delete",
             policy);
    }
}

static void check_size(Topics *topics, TopicRole role, int64_t needed, const char *why)
{
    int64_t bytes = topics->found[role].max_message_bytes;
    if (bytes < needed) {
        tell(topics, role, VERDICT_FAULT,
             "max.message.bytes is %" PRId64 ": set it to %" PRId64 " (%s)", bytes, needed, why);
    }
}

// A command that comes again must meet its row: the ledger may not forget before Kafka does.
static void check_retention(Topics *topics)
{
    int64_t ledger = settings_number(topics->settings, SETTING_LEDGER_RETENTION);
    int64_t topic = topics->found[TOPIC_COMMANDS].retention_ms;
    if (topic < 0) {
        tell(topics, TOPIC_COMMANDS, VERDICT_FAULT,
             "retention.ms is -1 (for ever), longer than ledger.retention: a command read "
             "again later would be executed again; give the topic a retention");
    } else if (topic > ledger) {
        tell(topics, TOPIC_COMMANDS, VERDICT_FAULT,
             "retention.ms is %" PRId64 ", longer than ledger.retention (%" PRId64
             " ms): a command read again later would be executed again; raise "
             "ledger.retention or lower retention.ms",
             topic, ledger);
    }
}

// What is deleted before a worker has read it was asked for in vain.
static void check_commands_stay(Topics *topics)
{
    const TopicFound *found = &topics->found[TOPIC_COMMANDS];
    int64_t max_age = settings_number(topics->settings, SETTING_COMMANDS_MAX_AGE);
    if (found->retention_bytes >= 0) {
        tell(topics, TOPIC_COMMANDS, VERDICT_FAULT,
             "retention.bytes is %" PRId64 ": commands could be deleted before they are read; set "
             "it to -1",
             found->retention_bytes);
    }
    if (found->retention_ms >= 0 && found->retention_ms < max_age) {
        tell(topics, TOPIC_COMMANDS, VERDICT_NOTE,
             "retention.ms is %" PRId64 ", shorter than commands.max_age (%" PRId64
             " ms): what waits for so long vanishes instead of being rejected as expired",
             found->retention_ms, max_age);
    }
}

static void check_tombstones(Topics *topics)
{
    int64_t kept_ms = topics->found[TOPIC_STATE].delete_retention_ms;
    if (kept_ms < HOUR_MS) {
        tell(topics, TOPIC_STATE, VERDICT_NOTE,
             "delete.retention.ms is %" PRId64 ": who reads for longer than that never learns of "
             "some deletions; an hour or more is safe",
             kept_ms);
    }
}

static void check_replicas(Topics *topics, TopicRole role)
{
    const TopicFound *found = &topics->found[role];
    if (found->min_insync_replicas > found->replicas) {
        tell(topics, role, VERDICT_FAULT,
             "min.insync.replicas is %" PRId64 " of %d replicas: nothing can be written; lower it",
             found->min_insync_replicas, found->replicas);
    } else if (found->replicas > 2 && found->min_insync_replicas < 2) {
        tell(topics, role, VERDICT_NOTE,
             "min.insync.replicas is %" PRId64 " of %d replicas: what was acknowledged can be lost "
             "with one broker; 2 is safe",
             found->min_insync_replicas, found->replicas);
    }
}

static void check_config(Topics *topics, TopicRole role)
{
    check_cleanup(topics, role);
    check_replicas(topics, role);
    switch (role) {
    case TOPIC_COMMANDS:
        check_size(topics, role, commands_bytes(topics->settings),
                   "commands.max_bytes and 64 KiB for headers");
        check_retention(topics);
        check_commands_stay(topics);
        break;
    case TOPIC_STATE:
        check_tombstones(topics);
        check_size(topics, role, RECORD_BYTES_MIN, "1 MiB of payload");
        break;
    case TOPIC_EVENTS:
        check_size(topics, role, RECORD_BYTES_MIN, "1 MiB of payload");
        break;
    case TOPIC_DEAD_LETTERS: {
        const TopicFound *commands = &topics->found[TOPIC_COMMANDS];
        int64_t command = commands->is_configured ? commands->max_message_bytes
                                                  : commands_bytes(topics->settings);
        check_size(topics, role, command + HEADER_ROOM_BYTES,
                   "that of the commands and 64 KiB for failure headers");
        break;
    }
    }
}

static void check_topic(Topics *topics, TopicRole role)
{
    const TopicFound *found = &topics->found[role];
    int before = topics->faults;
    if (!found->exists) {
        tell(topics, role, VERDICT_FAULT, "%s%s: run provision-worker topics create",
             found->refusal[0] != '\0' ? "it was not made: " : "there is no such topic",
             found->refusal);
        return;
    }
    check_partitions(topics, role);
    if (found->is_configured) {
        check_config(topics, role);
    } else {
        tell(topics, role, VERDICT_NOTE,
             "cleanup.policy, max.message.bytes and retention.ms not "
             "checked: %s",
             found->refusal[0] != '\0' ? found->refusal : "this broker does not tell them");
    }
    if (topics->faults == before) {
        tell(topics, role, VERDICT_OK, "%d partitions", found->partitions);
    }
}

static bool check_all(Topics *topics, Error *err)
{
    if (topics_admin_is_supported(topics->admin) &&
        !topics_admin_describe(topics->admin, topics->wanted, topics->found, err)) {
        return false;
    }
    for (TopicRole role = TOPIC_COMMANDS; role <= TOPIC_DEAD_LETTERS; role++) {
        check_topic(topics, role);
    }
    return topics->faults == 0 ||
           error_set(err, ERROR_INVALID, "TOPICS_UNFIT",
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
