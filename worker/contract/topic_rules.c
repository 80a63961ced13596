#include "contract/topic_rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

enum { HOUR_MS = 3600 * 1000 };

typedef struct Check {
    const TopicFound *found; // by role
    const Settings *settings;
    TopicTeller *teller;
    void *context;
    bool has_fault; // of the present topic
} Check;

static void tell(Check *check, TopicRole role, TopicVerdict verdict, const char *format, ...)
    PRINTF_LIKE(4, 5);

static void tell(Check *check, TopicRole role, TopicVerdict verdict, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    check->has_fault = check->has_fault || verdict == TOPIC_FAULT;
    check->teller(check->context, role, verdict, text);
}

int64_t topic_rules_commands_bytes(const Settings *settings)
{
    return settings_number(settings, SETTING_COMMANDS_MAX_BYTES) + TOPIC_HEADER_ROOM_BYTES;
}

static void check_partitions(Check *check, TopicRole role)
{
    const TopicFound *found = &check->found[role];
    int64_t partitions = settings_number(check->settings, SETTING_TOPICS_PARTITIONS);
    int64_t replicas = settings_number(check->settings, SETTING_TOPICS_REPLICATION);
    if (!found->has_leaders) {
        tell(check, role, TOPIC_FAULT, "a partition has no leader: look at the brokers");
    }
    if (found->partitions != partitions) {
        tell(check, role, TOPIC_NOTE,
             "%d partitions, topics.partitions says %" PRId64
             "; to change them drain the fleet first, as applications move between partitions",
             found->partitions, partitions);
    }
    if (found->replicas < replicas) {
        tell(check, role, TOPIC_NOTE, "%d replicas, topics.replication says %" PRId64,
             found->replicas, replicas);
    }
}

static void check_cleanup(Check *check, TopicRole role)
{
    const char *policy = check->found[role].cleanup_policy;
    if (role == TOPIC_STATE && strcmp(policy, "compact") != 0) {
        tell(check, role, TOPIC_FAULT,
             "cleanup.policy is %s: states would be lost; set it to compact", policy);
    }
    if (role != TOPIC_STATE && strstr(policy, "compact") != NULL) {
        tell(check, role, TOPIC_FAULT,
             "cleanup.policy is %s: only the last record of an application would be kept; "
             "set it to delete",
             policy);
    }
}

static void check_size(Check *check, TopicRole role, int64_t needed, const char *why)
{
    int64_t bytes = check->found[role].max_message_bytes;
    if (bytes < needed) {
        tell(check, role, TOPIC_FAULT,
             "max.message.bytes is %" PRId64 ": set it to %" PRId64 " (%s)", bytes, needed, why);
    }
}

// A command that comes again must meet its row: the ledger may not forget before Kafka does.
static void check_retention(Check *check)
{
    int64_t ledger = settings_number(check->settings, SETTING_LEDGER_RETENTION);
    int64_t topic = check->found[TOPIC_COMMANDS].retention_ms;
    if (topic < 0) {
        tell(check, TOPIC_COMMANDS, TOPIC_FAULT,
             "retention.ms is -1 (for ever), longer than ledger.retention: a command read "
             "again later would be executed again; give the topic a retention");
    } else if (topic > ledger) {
        tell(check, TOPIC_COMMANDS, TOPIC_FAULT,
             "retention.ms is %" PRId64 ", longer than ledger.retention (%" PRId64
             " ms): a command read again later would be executed again; raise "
             "ledger.retention or lower retention.ms",
             topic, ledger);
    }
}

// What is deleted before a worker has read it was asked for in vain.
static void check_commands_stay(Check *check)
{
    const TopicFound *found = &check->found[TOPIC_COMMANDS];
    int64_t max_age = settings_number(check->settings, SETTING_COMMANDS_MAX_AGE);
    if (found->retention_bytes >= 0) {
        tell(check, TOPIC_COMMANDS, TOPIC_FAULT,
             "retention.bytes is %" PRId64 ": commands could be deleted before they are read; set "
             "it to -1",
             found->retention_bytes);
    }
    if (found->retention_ms >= 0 && found->retention_ms < max_age) {
        tell(check, TOPIC_COMMANDS, TOPIC_NOTE,
             "retention.ms is %" PRId64 ", shorter than commands.max_age (%" PRId64
             " ms): what waits for so long vanishes instead of being rejected as expired",
             found->retention_ms, max_age);
    }
}

static void check_tombstones(Check *check)
{
    int64_t kept_ms = check->found[TOPIC_STATE].delete_retention_ms;
    if (kept_ms < HOUR_MS) {
        tell(check, TOPIC_STATE, TOPIC_NOTE,
             "delete.retention.ms is %" PRId64 ": who reads for longer than that never learns of "
             "some deletions; an hour or more is safe",
             kept_ms);
    }
}

static void check_replicas(Check *check, TopicRole role)
{
    const TopicFound *found = &check->found[role];
    if (found->min_insync_replicas > found->replicas) {
        tell(check, role, TOPIC_FAULT,
             "min.insync.replicas is %" PRId64 " of %d replicas: nothing can be written; lower it",
             found->min_insync_replicas, found->replicas);
    } else if (found->replicas > 2 && found->min_insync_replicas < 2) {
        tell(check, role, TOPIC_NOTE,
             "min.insync.replicas is %" PRId64 " of %d replicas: what was acknowledged can be lost "
             "with one broker; 2 is safe",
             found->min_insync_replicas, found->replicas);
    }
}

static void check_config(Check *check, TopicRole role)
{
    check_cleanup(check, role);
    check_replicas(check, role);
    switch (role) {
    case TOPIC_COMMANDS:
        check_size(check, role, topic_rules_commands_bytes(check->settings),
                   "commands.max_bytes and 64 KiB for headers");
        check_retention(check);
        check_commands_stay(check);
        break;
    case TOPIC_STATE:
        check_tombstones(check);
        check_size(check, role, TOPIC_RECORD_BYTES_MIN, "1 MiB of payload");
        break;
    case TOPIC_EVENTS:
        check_size(check, role, TOPIC_RECORD_BYTES_MIN, "1 MiB of payload");
        break;
    case TOPIC_DEAD_LETTERS: {
        const TopicFound *commands = &check->found[TOPIC_COMMANDS];
        int64_t command = commands->is_configured ? commands->max_message_bytes
                                                  : topic_rules_commands_bytes(check->settings);
        check_size(check, role, command + TOPIC_HEADER_ROOM_BYTES,
                   "that of the commands and 64 KiB for failure headers");
        break;
    }
    }
}

static void check_topic(Check *check, TopicRole role)
{
    const TopicFound *found = &check->found[role];
    check->has_fault = false;
    if (!found->exists) {
        tell(check, role, TOPIC_FAULT, "%s%s: run provision-worker topics create",
             found->refusal[0] != '\0' ? "it was not made: " : "there is no such topic",
             found->refusal);
        return;
    }
    check_partitions(check, role);
    if (found->is_configured) {
        check_config(check, role);
    } else {
        tell(check, role, TOPIC_NOTE,
             "cleanup.policy, max.message.bytes and retention.ms not "
             "checked: %s",
             found->refusal[0] != '\0' ? found->refusal : "this broker does not tell them");
    }
    if (!check->has_fault) {
        tell(check, role, TOPIC_OK, "%d partitions", found->partitions);
    }
}

void topic_rules_check(const TopicFound found[TOPIC_ROLES], const Settings *settings,
                       TopicTeller *teller, void *context)
{
    Check check = {.found = found, .settings = settings, .teller = teller, .context = context};
    for (TopicRole role = TOPIC_COMMANDS; role <= TOPIC_DEAD_LETTERS; role++) {
        check_topic(&check, role);
    }
}
