/*
 * Asks a Kafka cluster about topics, and makes them, with librdkafka's admin client. Blocks.
 */
#ifndef RUN_TOPICS_ADMIN_H
#define RUN_TOPICS_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"
#include "contract/topic_rules.h"

enum { TOPICS_COUNT = TOPIC_ROLES, TOPICS_NAME_BYTES = 250, TOPICS_CONFIG_MAX = 3 };

typedef struct TopicConfig {
    const char *name; // NULL ends the list
    char value[24];
} TopicConfig;

typedef struct TopicWanted {
    char name[TOPICS_NAME_BYTES];
    TopicConfig config[TOPICS_CONFIG_MAX + 1];
} TopicWanted;

typedef struct TopicsAdmin TopicsAdmin;

// `creates`: naming a topic may make it.
TopicsAdmin *topics_admin_open(const Settings *settings, bool creates, Error *err);
void topics_admin_close_at(TopicsAdmin **admin);

// Fills `ret_found` but for the configuration. Error: KAFKA_UNAVAILABLE.
bool topics_admin_find(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                       TopicFound ret_found[TOPICS_COUNT], Error *err);
// Whether the cluster has a controller that answers requests about topics; after a find.
bool topics_admin_is_supported(const TopicsAdmin *admin);
// Adds the configuration of those that exist. Error: KAFKA_UNAVAILABLE.
bool topics_admin_describe(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                           TopicFound found[TOPICS_COUNT], Error *err);
// Makes those that don't exist; a refusal stands in `found`. Error: KAFKA_UNAVAILABLE.
bool topics_admin_create(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT], int partitions,
                         int replicas, TopicFound found[TOPICS_COUNT], Error *err);
// Makes those that don't exist by naming them, as the broker makes topics by itself.
void topics_admin_name(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                       const TopicFound found[TOPICS_COUNT]);
// Finds until all that weren't refused exist and have leaders, or `timeout_ms` are over.
bool topics_admin_await(TopicsAdmin *admin, const TopicWanted wanted[TOPICS_COUNT],
                        TopicFound found[TOPICS_COUNT], int64_t timeout_ms, Error *err);

#endif
