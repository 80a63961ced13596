#include "base/settings_value.h"

#include <string.h>

#include "base/utf8.h"

static const SettingRow ROWS[] = {
#define SETTING_ROW(symbol, name, type, value, flags, help)                                        \
    {name, SETTING_TYPE_##type, value, flags, help},
    SETTINGS_TABLE(SETTING_ROW)
#undef SETTING_ROW
};

const SettingRow *settings_row(SettingId id)
{
    return &ROWS[id];
}

typedef struct Unit {
    SettingType type;
    const char *suffix;
    int64_t factor;
} Unit;

static const Unit UNITS[] = {
    {SETTING_TYPE_COUNT, "", 1},
    {SETTING_TYPE_BYTES, "", 1},
    {SETTING_TYPE_BYTES, "KiB", 1 << 10},
    {SETTING_TYPE_BYTES, "MiB", 1 << 20},
    {SETTING_TYPE_DURATION, "ms", 1},
    {SETTING_TYPE_DURATION, "s", 1000},
    {SETTING_TYPE_DURATION, "m", 60000},
    {SETTING_TYPE_DURATION, "h", 3600000},
    {SETTING_TYPE_DURATION, "d", 86400000},
};

enum { UNIT_COUNT_OF = sizeof UNITS / sizeof UNITS[0] };

static const int64_t NUMBER_MAX = 10000000000; // in days it is 2^59.6 ms

// As settings_value_number, of the first `length` bytes.
static bool parse_number(SettingType type, const char *value, size_t length, int64_t *ret_number)
{
    int64_t number = 0;
    size_t digits = 0;
    for (; digits < length && value[digits] >= '0' && value[digits] <= '9'; digits++) {
        number = number * 10 + (value[digits] - '0');
        if (number > NUMBER_MAX) {
            return false;
        }
    }
    for (size_t i = 0; i < UNIT_COUNT_OF && digits > 0; i++) {
        const Unit *unit = &UNITS[i];
        if (unit->type == type &&
            bytes_equal(bytes_of(unit->suffix),
                        (Bytes){(const uint8_t *)value + digits, length - digits})) {
            *ret_number = number * unit->factor;
            return true;
        }
    }
    return false;
}

bool settings_value_number(SettingType type, const char *value, int64_t *ret_number)
{
    return parse_number(type, value, strlen(value), ret_number);
}

bool settings_value_is_choice(const char *choices, const char *value)
{
    Bytes wanted = bytes_of(value);
    for (;;) {
        size_t length = strcspn(choices, "|");
        if (bytes_equal(wanted, (Bytes){(const uint8_t *)choices, length})) {
            return true;
        }
        if (choices[length] == '\0') {
            return false;
        }
        choices += length + 1;
    }
}

bool settings_value_is_within(SettingType type, const char *range, int64_t number)
{
    int64_t first = 0;
    int64_t last = 0;
    const char *dots = strstr(range, "..");
    return dots != NULL && parse_number(type, range, (size_t)(dots - range), &first) &&
           settings_value_number(type, dots + 2, &last) && number >= first && number <= last;
}

bool settings_value_is_required(const SettingRow *row)
{
    return strcmp(row->flags, "required") == 0 ||
           (row->value[0] != '\0' && strcmp(row->flags, "optional") != 0);
}

void settings_value_describe(const SettingRow *row, Text *text)
{
    static const char *const TYPES[] = {
        [SETTING_TYPE_TEXT] = "text",
        [SETTING_TYPE_SECRET] = "secret",
        [SETTING_TYPE_LIST] = "a list",
        [SETTING_TYPE_FLAG] = "on or off",
        [SETTING_TYPE_COUNT] = "a whole number",
        [SETTING_TYPE_BYTES] = "a number of bytes, KiB or MiB",
        [SETTING_TYPE_DURATION] = "a number of ms, s, m, h or d",
        [SETTING_TYPE_CHOICE] = "one of",
    };
    text_append(text, TYPES[row->type]);
    if (row->flags[0] != '\0') {
        text_printf(text, "%s %s", row->type == SETTING_TYPE_CHOICE ? "" : ",", row->flags);
    }
}

static bool is_printable(const char *value, const char *others)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (((unsigned char)*c < 0x20 || *c == 0x7f) && strchr(others, *c) == NULL) {
            return false;
        }
    }
    return utf8_is_valid(bytes_of(value));
}

static bool is_allowed(const SettingRow *row, const char *value, int64_t *ret_number)
{
    switch (row->type) {
    case SETTING_TYPE_TEXT:
    case SETTING_TYPE_SECRET:
        return is_printable(value, "");
    case SETTING_TYPE_LIST:
        return is_printable(value, "\t\r\n");
    case SETTING_TYPE_FLAG:
        *ret_number = strcmp(value, "on") == 0;
        return settings_value_is_choice("on|off", value);
    case SETTING_TYPE_CHOICE:
        return settings_value_is_choice(row->flags, value);
    case SETTING_TYPE_COUNT:
    case SETTING_TYPE_BYTES:
    case SETTING_TYPE_DURATION:
        break;
    }
    return settings_value_number(row->type, value, ret_number) &&
           settings_value_is_within(row->type, row->flags, *ret_number);
}

bool settings_value_check(const SettingRow *row, const char *value, const char *origin,
                          int64_t *ret_number, Error *err)
{
    if (is_allowed(row, value, ret_number)) {
        return true;
    }
    Text wanted = TEXT_INIT(sizeof err->text);
    settings_value_describe(row, &wanted);
    (void)error_set(err, ERROR_INVALID, "SETTING_INVALID", "%s: %s must be %s", origin, row->name,
                    text_get(&wanted));
    text_clear(&wanted);
    return false;
}
