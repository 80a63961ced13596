#include "ctl/event_edits.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, DECIMAL = 10, NEVER = -1 };

// The JSON form has 64-bit numbers as texts, and leaves zero out.
static int64_t number_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text == NULL ? json_integer_value(value) : strtoll(text, NULL, DECIMAL);
}

// In the largest unit that divides it.
static void append_span(Text *text, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        char name;
    } UNITS[] = {{DAY, 'd'}, {HOUR, 'h'}, {MINUTE, 'm'}};
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (seconds != 0 && seconds % UNITS[i].seconds == 0) {
            text_printf(text, "%" PRId64 "%c", seconds / UNITS[i].seconds, UNITS[i].name);
            return;
        }
    }
    text_printf(text, "%" PRId64 "s", seconds);
}

static void append_suspend(Text *text, const json_t *value)
{
    int64_t seconds = number_of(value);
    if (value == NULL || seconds == 0) {
        text_append(text, "default");
    } else if (seconds == NEVER) {
        text_append(text, "never");
    } else {
        append_span(text, seconds);
    }
}

static void append_units(Text *text, const json_t *value)
{
    if (json_is_number(value)) {
        text_printf(text, "%g CU", json_number_value(value));
    } else {
        text_append(text, "default");
    }
}

void event_edits_project(Text *text, const json_t *body)
{
    if (!json_is_true(json_object_get(body, "changed"))) {
        text_append(text, "as wanted already");
        return;
    }
    text_append(text, "history ");
    append_span(text, number_of(json_object_get(body, "historyRetentionSecondsBefore")));
    text_append(text, " → ");
    append_span(text, number_of(json_object_get(body, "historyRetentionSecondsAfter")));
    size_t index = 0;
    const json_t *sibling = NULL;
    json_array_foreach(json_object_get(body, "siblingEnvironments"), index, sibling)
    {
        text_append(text, index == 0 ? "  of " : ", ");
        text_append(text, json_string_value(sibling));
    }
    text_append(text, index == 0 ? "" : ", too");
    long long omitted = json_integer_value(json_object_get(body, "siblingsOmitted"));
    if (omitted > 0) {
        text_printf(text, "; %lld more are not told", omitted);
    }
}

void event_edits_endpoint(Text *text, const json_t *body)
{
    static const struct {
        const char *name;
        const char *key;
        void (*append)(Text *text, const json_t *value);
    } SETTINGS[] = {
        {"min", "autoscalingLimitMinCu", append_units},
        {"max", "autoscalingLimitMaxCu", append_units},
        {"suspended after", "suspendTimeoutSeconds", append_suspend},
    };
    if (!json_is_true(json_object_get(body, "changed"))) {
        text_append(text, "as wanted already");
        return;
    }
    bool first = true;
    for (size_t i = 0; i < sizeof(SETTINGS) / sizeof(SETTINGS[0]); i++) {
        const json_t *before = json_object_get(json_object_get(body, "before"), SETTINGS[i].key);
        const json_t *after = json_object_get(json_object_get(body, "after"), SETTINGS[i].key);
        if (json_equal(before, after) == 1 || (before == NULL && after == NULL)) {
            continue;
        }
        text_printf(text, "%s%s ", first ? "" : ", ", SETTINGS[i].name);
        SETTINGS[i].append(text, before);
        text_append(text, " → ");
        SETTINGS[i].append(text, after);
        first = false;
    }
}
