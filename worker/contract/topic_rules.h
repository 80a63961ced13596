/*
 * What the fleet's guarantees ask of the four topics, as rules on what was found of them. Shared by
 * `provision-worker topics check` and `provisionctl doctor`, which ask Kafka each in its own way.
 */
#ifndef CONTRACT_TOPIC_RULES_H
#define CONTRACT_TOPIC_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"

typedef enum TopicRole {
    TOPIC_COMMANDS,
    TOPIC_EVENTS,
    TOPIC_STATE,
    TOPIC_DEAD_LETTERS,
} TopicRole;

enum {
    TOPIC_ROLES = 4,
    // Key and headers beside a command's value; failure headers of a dead letter beside a command.
    TOPIC_HEADER_ROOM_BYTES = 64 * 1024,
    // Kafka's own default for a record batch: what events and states may need.
    TOPIC_RECORD_BYTES_MIN = 1048588,
};

typedef struct TopicFound {
    bool exists;
    bool has_leaders; // every partition
    int partitions;
    int replicas;       // the fewest that a partition has
    char refusal[160];  // why its configuration isn't known, or why it was not made; else empty
    bool is_configured; // the following ones are known
    char cleanup_policy[32];
    int64_t max_message_bytes;
    int64_t retention_ms;        // -1: kept for ever
    int64_t retention_bytes;     // of a partition; -1: no limit
    int64_t delete_retention_ms; // of tombstones
    int64_t min_insync_replicas;
} TopicFound;

typedef enum TopicVerdict {
    TOPIC_OK,
    TOPIC_NOTE,
    TOPIC_FAULT, // a guarantee doesn't hold
} TopicVerdict;

// A sentence with the remedy; valid during the call only.
typedef void TopicTeller(void *context, TopicRole role, TopicVerdict verdict, const char *text);

// By role; those without a fault get TOPIC_OK last. Looks at the settings topics.partitions and
// .replication, commands.max_bytes and .max_age, ledger.retention.
void topic_rules_check(const TopicFound found[TOPIC_ROLES], const Settings *settings,
                       TopicTeller *teller, void *context);

// The largest record of the command topic.
int64_t topic_rules_commands_bytes(const Settings *settings);

#endif
