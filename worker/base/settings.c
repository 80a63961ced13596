#include "base/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/settings_kafka.h"
#include "base/settings_value.h"

typedef struct Value {
    Secret text; // of every type, so that one way of freeing zeroes them all
    int64_t number;
} Value;

typedef struct KafkaProperty {
    KafkaClient client;
    char *property;
    Secret value;
} KafkaProperty;

struct Settings {
    Value values[SETTING_COUNT_OF];
    KafkaProperty *kafka;
    size_t kafka_count;
};

Settings *settings_new(void)
{
    Settings *settings = alloc_zeroed(1, sizeof *settings);
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        const SettingRow *row = settings_row(id);
        bool valid =
            settings_value_check(row, row->value, "default", &settings->values[id].number, NULL);
        assert(valid);
        (void)valid;
        secret_set_text(&settings->values[id].text, row->value);
    }
    return settings;
}

void settings_free(Settings *settings)
{
    if (settings == NULL) {
        return;
    }
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        secret_clear(&settings->values[id].text);
    }
    for (size_t i = 0; i < settings->kafka_count; i++) {
        free(settings->kafka[i].property);
        secret_clear(&settings->kafka[i].value);
    }
    free(settings->kafka);
    free(settings);
}

void settings_free_at(Settings **settings)
{
    settings_free(*settings);
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

enum { COMPARED_BYTES = 64 };

// Insertions, deletions and replacements from one name to the other (Levenshtein), of their starts.
static size_t distance(const char *a, const char *b)
{
    size_t row[COMPARED_BYTES + 1];
    size_t columns = strnlen(b, COMPARED_BYTES);
    for (size_t j = 0; j <= columns; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < COMPARED_BYTES && a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < columns; j++) {
            size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = smallest(replaced, row[j] + 1, row[j + 1] + 1);
        }
    }
    return row[columns];
}

static const char *nearest_name(const char *name)
{
    SettingId nearest = 0;
    for (SettingId id = 1; id < SETTING_COUNT_OF; id++) {
        if (distance(name, settings_name(id)) < distance(name, settings_name(nearest))) {
            nearest = id;
        }
    }
    return settings_name(nearest);
}

// SETTING_COUNT_OF when there is none.
static SettingId find(const char *name)
{
    SettingId id = 0;
    while (id < SETTING_COUNT_OF && strcmp(settings_name(id), name) != 0) {
        id++;
    }
    return id;
}

static KafkaProperty *kafka_property(Settings *settings, KafkaClient client, const char *property)
{
    for (size_t i = 0; i < settings->kafka_count; i++) {
        KafkaProperty *known = &settings->kafka[i];
        if (known->client == client && strcmp(known->property, property) == 0) {
            return known;
        }
    }
    settings->kafka_count++;
    settings->kafka =
        alloc_resize(settings->kafka, settings->kafka_count * sizeof *settings->kafka);
    KafkaProperty *added = &settings->kafka[settings->kafka_count - 1];
    *added = (KafkaProperty){.client = client, .property = alloc_text(property)};
    return added;
}

bool settings_set(Settings *settings, const char *name, const char *value, const char *origin,
                  Error *err)
{
    KafkaClient client = KAFKA_CLIENT_BOTH;
    const char *property = NULL;
    if (settings_kafka_split(name, &client, &property)) {
        if (!settings_kafka_check(name, property, value, origin, err)) {
            return false;
        }
        secret_set_text(&kafka_property(settings, client, property)->value, value);
        return true;
    }
    SettingId id = find(name);
    if (id == SETTING_COUNT_OF) {
        return error_set(err, ERROR_INVALID, "SETTING_UNKNOWN",
                         "%s: there is no setting %.64s; the nearest is %s", origin, name,
                         nearest_name(name));
    }
    int64_t number = 0;
    if (!settings_value_check(settings_row(id), value, origin, &number, err)) {
        return false;
    }
    secret_set_text(&settings->values[id].text, value);
    settings->values[id].number = number;
    return true;
}

static bool is_of_type(const char *name, SettingType type)
{
    SettingId id = find(name);
    return id != SETTING_COUNT_OF && settings_row(id)->type == type;
}

bool settings_is_secret(const char *name)
{
    KafkaClient client = KAFKA_CLIENT_BOTH;
    const char *property = NULL;
    if (settings_kafka_split(name, &client, &property)) {
        return settings_kafka_is_secret(property);
    }
    return is_of_type(name, SETTING_TYPE_SECRET);
}

bool settings_is_file(const char *name, char *ret_name, size_t ret_name_bytes)
{
    static const char SUFFIX[] = "_file";
    size_t length = strlen(name);
    size_t suffix_length = sizeof SUFFIX - 1;
    if (length <= suffix_length || length - suffix_length >= ret_name_bytes ||
        strcmp(name + length - suffix_length, SUFFIX) != 0) {
        return false;
    }
    memcpy(ret_name, name, length - suffix_length);
    ret_name[length - suffix_length] = '\0';
    return settings_is_secret(ret_name) || is_of_type(ret_name, SETTING_TYPE_LIST);
}

const char *settings_text(const Settings *settings, SettingId id)
{
    assert(settings_row(id)->type != SETTING_TYPE_SECRET);
    return secret_reveal(&settings->values[id].text);
}

const Secret *settings_secret(const Settings *settings, SettingId id)
{
    assert(settings_row(id)->type == SETTING_TYPE_SECRET);
    return &settings->values[id].text;
}

bool settings_flag(const Settings *settings, SettingId id)
{
    assert(settings_row(id)->type == SETTING_TYPE_FLAG);
    return settings->values[id].number != 0;
}

int64_t settings_number(const Settings *settings, SettingId id)
{
    return settings->values[id].number;
}

void settings_each_own_kafka(const Settings *settings, KafkaClient client,
                             SettingsKafkaVisitor *visit, void *context)
{
    for (size_t i = 0; i < settings->kafka_count; i++) {
        const KafkaProperty *property = &settings->kafka[i];
        if (property->client == client) {
            visit(context, property->property, secret_reveal(&property->value),
                  settings_kafka_is_secret(property->property));
        }
    }
}

void settings_each_kafka(const Settings *settings, KafkaClient client, SettingsKafkaVisitor *visit,
                         void *context)
{
    settings_each_own_kafka(settings, KAFKA_CLIENT_BOTH, visit, context);
    if (client != KAFKA_CLIENT_BOTH) {
        settings_each_own_kafka(settings, client, visit, context);
    }
}

const char *settings_name(SettingId id)
{
    return settings_row(id)->name;
}
