/*
 * The properties of librdkafka 2.0.2 that pass through as kafka.<property>, and those that don't:
 * what the worker promises (exactly once, one order per application, no command skipped) rests on
 * their values.
 */
#ifndef BASE_SETTINGS_KAFKA_H
#define BASE_SETTINGS_KAFKA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/settings.h"

enum { SETTINGS_KAFKA_PROPERTY_BYTES = 128 };

// Splits "kafka.[consumer.|producer.]<property>"; false when it isn't of that form.
bool settings_kafka_split(const char *name, KafkaClient *ret_client, const char **ret_property);
// "kafka.", "kafka.consumer." or "kafka.producer.".
const char *settings_kafka_prefix(KafkaClient client);
bool settings_kafka_is_secret(const char *property);
// Error: SETTING_REFUSED with the reason; SETTING_INVALID for what can't be a property. Properties
// that aren't known here are librdkafka's to judge.
bool settings_kafka_check(const char *name, const char *property, const char *value,
                          const char *origin, Error *err);

#endif
