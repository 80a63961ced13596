/*
 * The configuration of provision-worker as values: parsed, checked, asked for by symbol. Where the
 * texts come from (file, environment, command line, in rising order) is sys/settings_source; this
 * is pure.
 *
 * kafka.<property>, kafka.consumer.<property> and kafka.producer.<property> pass through to
 * librdkafka; those that would break a guarantee are refused with the reason.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/settings_table.h"
#include "base/text.h"

typedef enum SettingId {
#define SETTING_ENUM(symbol, name, type, value, flags, help) SETTING_##symbol,
    SETTINGS_TABLE(SETTING_ENUM)
#undef SETTING_ENUM
        SETTING_COUNT_OF
} SettingId;

typedef enum SettingType {
    SETTING_TYPE_TEXT,
    SETTING_TYPE_SECRET,
    SETTING_TYPE_LIST,
    SETTING_TYPE_FLAG,
    SETTING_TYPE_COUNT,
    SETTING_TYPE_BYTES,
    SETTING_TYPE_DURATION,
    SETTING_TYPE_CHOICE,
} SettingType;

typedef enum KafkaClient {
    KAFKA_CLIENT_BOTH,
    KAFKA_CLIENT_CONSUMER,
    KAFKA_CLIENT_PRODUCER
} KafkaClient;

typedef struct Settings Settings;

enum { SETTINGS_TRANSACTION_TIMEOUT_MS = 10000 }; // the producer's, unless kafka.* says otherwise

Settings *settings_new(void); // all defaults
void settings_free(Settings *settings);
void settings_free_at(Settings **settings); // for CLEANUP

// Sets one by its name ("neon.api_url", "kafka.bootstrap.servers"); the last one wins. `origin`
// says where the text stands ("worker.ini:12", "PROVISION_NEON_API_URL", "--set") and appears in
// errors, the value of a secret never does. Errors: SETTING_UNKNOWN (names the nearest known one),
// SETTING_INVALID, SETTING_REFUSED (reason).
bool settings_set(Settings *settings, const char *name, const char *value, const char *origin,
                  Error *err);

// Whether `name` is a secret; Kafka's passwords, keys and PEM texts count as secrets, too.
bool settings_is_secret(const char *name);
// Whether `name` is "<setting>_file" of a setting that may stand in a file of its own, a secret or
// a list; ret_name then gets the setting's own name.
bool settings_is_file(const char *name, char *ret_name, size_t ret_name_bytes);

// What holds between settings: required ones, http:// only to loopback, check_login off only there,
// publish framing's ids, key lengths, limits within limits. Error: SETTING_INVALID.
bool settings_check(const Settings *settings, Error *err);

const char *settings_text(const Settings *settings, SettingId id); // TEXT, LIST and CHOICE
const Secret *settings_secret(const Settings *settings, SettingId id);
bool settings_flag(const Settings *settings, SettingId id);
// COUNT; BYTES in bytes; DURATION in ms.
int64_t settings_number(const Settings *settings, SettingId id);

// Calls `visit` for each property that `client` gets: those of both clients first, then its own.
typedef void SettingsKafkaVisitor(void *context, const char *property, const char *value,
                                  bool is_secret);
void settings_each_kafka(const Settings *settings, KafkaClient client, SettingsKafkaVisitor *visit,
                         void *context);

// Only those of exactly `client`.
void settings_each_own_kafka(const Settings *settings, KafkaClient client,
                             SettingsKafkaVisitor *visit, void *context);

// "name = value" lines in table order, then kafka.*; secrets as "***" (empty when unset).
void settings_print(const Settings *settings, Text *text);
// The table as README has it: Markdown, one row a setting, with the environment variable's name.
void settings_print_markdown(Text *text);
// Name of the environment variable of a setting: PROVISION_NEON_API_URL.
void settings_environment_name(const char *name, Text *text);
// The setting (or <secret>_file) that an environment variable stands for; false when none is known.
// In kafka.<property> each '_' is a '.', as librdkafka's names have it.
bool settings_from_environment_name(const char *variable, char *ret_name, size_t ret_name_bytes);

const char *settings_name(SettingId id);
// Whether neon.api_url is on loopback: a try-out, whose branches are on this machine, too.
bool settings_api_is_local(const Settings *settings);

#endif
