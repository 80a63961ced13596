/*
 * One value as text: what it may be, by the type and flags columns of the table of settings.
 */
#ifndef BASE_SETTINGS_VALUE_H
#define BASE_SETTINGS_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"
#include "base/text.h"

typedef struct SettingRow {
    const char *name;
    SettingType type;
    const char *value; // the default
    const char *flags; // "1..1000", "a|b", "required" or empty
    const char *help;
} SettingRow;

const SettingRow *settings_row(SettingId id);

// The number of a COUNT, of BYTES (in bytes) or of a DURATION (in ms).
bool settings_value_number(SettingType type, const char *value, int64_t *ret_number);
// Whether `value` is one of "a|b|c", or a number of the type within "a..b".
bool settings_value_is_choice(const char *choices, const char *value);
bool settings_value_is_within(SettingType type, const char *range, int64_t number);
// Required, or with a default that only another text can replace.
bool settings_value_is_required(const SettingRow *row);

// What a value of the row looks like, for people: "a duration such as 500ms, 10s or 5m, 1s..10m".
void settings_value_describe(const SettingRow *row, Text *text);

// Whether the row takes `value`; ret_number is set for numbers and flags (1 = on). Error:
// SETTING_INVALID, which names `origin`, never the value.
bool settings_value_check(const SettingRow *row, const char *value, const char *origin,
                          int64_t *ret_number, Error *err);

#endif
