#include "base/metrics.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/metrics_row.h"
#include "base/utf8.h"

enum { RENDERED_BYTES_MAX = METRICS_LABELS_MAX * 2 * (METRICS_VALUE_BYTES_MAX + 64) };

static const char OTHER[] = "other";

// One more than the table's: a series for "other".
static size_t series_limit(MetricId id)
{
    return metrics_row(id)->series_max + 1;
}

// A power of two, at most half full.
static size_t slot_count(MetricId id)
{
    size_t count = 2;
    while (count < series_limit(id) * 2) {
        count *= 2;
    }
    return count;
}

// Eight bytes at a time; values come from our own tables, so nobody chooses them to collide.
static uint64_t hash_text(uint64_t hash, const char *text)
{
    size_t left = strlen(text);
    hash ^= left;
    while (left > 0) {
        uint64_t word = 0;
        size_t size = left < sizeof word ? left : sizeof word;
        memcpy(&word, text, size);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15U; // Knuth's multiplier, 2^64 / golden ratio
        hash ^= hash >> 29;
        text += size;
        left -= size;
    }
    return hash;
}

static uint64_t hash_of(const char *const *labels, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        hash = hash_text(hash, labels[i]);
    }
    return hash;
}

static bool has_values(const MetricSeries *series, const char *const *labels, size_t count)
{
    const char *known = series->values;
    bool is_same = true;
    for (size_t i = 0; i < count && is_same; i++) {
        is_same = strcmp(known, labels[i]) == 0;
        known += strlen(known) + 1;
    }
    return is_same;
}

// The slot of the series, or the free one where it would be.
static size_t find_slot(const MetricFamily *family, MetricId id, const char *const *labels,
                        size_t count, uint64_t hash)
{
    size_t mask = slot_count(id) - 1;
    size_t slot = (size_t)(hash ^ (hash >> 32)) & mask;
    while (family->slots[slot] != 0) {
        const MetricSeries *series = &family->series[family->slots[slot] - 1];
        if (series->hash == hash && has_values(series, labels, count)) {
            break;
        }
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void append_escaped(Text *text, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            text_append(text, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"') {
            text_append_char(text, '\\');
        }
        text_append_char(text, *value);
    }
}

static char *rendered(const char *names, const char *const *labels, size_t count)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(RENDERED_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(names, ",");
        text_append(&text, i > 0 ? "," : "");
        text_append_bytes(&text, names, length);
        text_append(&text, "=\"");
        append_escaped(&text, labels[i]);
        text_append_char(&text, '"');
        names += length + 1;
    }
    assert(text_ok(&text));
    return alloc_text(text_get(&text));
}

static char *joined(const char *const *labels, size_t count)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(RENDERED_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        text_append_bytes(&text, labels[i], strlen(labels[i]) + 1);
    }
    char *values = alloc_bytes(text.length + 1);
    memcpy(values, text_get(&text), text.length + 1);
    return values;
}

static MetricSeries *add_series(MetricFamily *family, MetricId id, const char *const *labels,
                                size_t count, uint64_t hash)
{
    const MetricRow *row = metrics_row(id);
    if (family->count == family->capacity) {
        family->capacity = family->capacity == 0 ? 1 : family->capacity * 2;
        family->series = alloc_resize(family->series, family->capacity * sizeof *family->series);
    }
    MetricSeries *series = &family->series[family->count++];
    *series = (MetricSeries){
        .hash = hash,
        .values = joined(labels, count),
        .rendered = rendered(row->labels, labels, count),
        .buckets = row->type == METRIC_TYPE_HISTOGRAM
                       ? alloc_zeroed(row->bounds->count, sizeof *series->buckets)
                       : NULL,
    };
    return series;
}

static bool is_fit(const char *value)
{
    Bytes bytes = bytes_of(value);
    return bytes.size <= METRICS_VALUE_BYTES_MAX && utf8_is_valid(bytes);
}

// For label values that the metric has no series for: where they count.
static MetricSeries *admit(MetricFamily *family, MetricId id, const char *const *labels,
                           size_t count)
{
    const char *values[METRICS_LABELS_MAX];
    // the last place is for "other" alone
    bool is_full = count > 0 && family->count + 1 >= series_limit(id);
    for (size_t i = 0; i < count; i++) {
        values[i] = is_full || !is_fit(labels[i]) ? OTHER : labels[i];
    }
    uint64_t hash = hash_of(values, count);
    size_t slot = find_slot(family, id, values, count, hash);
    if (family->slots[slot] == 0) {
        MetricSeries *series = add_series(family, id, values, count, hash);
        family->slots[slot] = (uint16_t)family->count;
        return series;
    }
    return &family->series[family->slots[slot] - 1];
}

static size_t checked_count(MetricId id, const char *const *labels)
{
    size_t count = metrics_label_count(metrics_row(id));
    assert(labels == NULL ? count == 0 : labels[count] == NULL);
    (void)labels;
    return count;
}

static MetricSeries *series_of(Metrics *metrics, MetricId id, const char *const *labels)
{
    MetricFamily *family = &metrics->families[id];
    size_t count = checked_count(id, labels);
    size_t slot = find_slot(family, id, labels, count, hash_of(labels, count));
    return family->slots[slot] != 0 ? &family->series[family->slots[slot] - 1]
                                    : admit(family, id, labels, count);
}

static void clear_series(MetricFamily *family)
{
    for (size_t i = 0; i < family->count; i++) {
        free(family->series[i].values);
        free(family->series[i].rendered);
        free(family->series[i].buckets);
    }
    family->count = 0;
}

Metrics *metrics_new(void)
{
    Metrics *metrics = alloc_zeroed(1, sizeof *metrics);
    for (MetricId id = 0; id < METRIC_COUNT_OF; id++) {
        MetricFamily *family = &metrics->families[id];
        family->slots = alloc_zeroed(slot_count(id), sizeof *family->slots);
        if (metrics_label_count(metrics_row(id)) == 0) {
            series_of(metrics, id, NULL); // shows as 0 from the start
        }
    }
    return metrics;
}

void metrics_free(Metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    for (MetricId id = 0; id < METRIC_COUNT_OF; id++) {
        clear_series(&metrics->families[id]);
        free(metrics->families[id].series);
        free(metrics->families[id].slots);
    }
    free(metrics);
}

void metrics_add(Metrics *metrics, MetricId id, const char *const *labels, double amount)
{
    assert(metrics_row(id)->type != METRIC_TYPE_HISTOGRAM);
    series_of(metrics, id, labels)->value += amount;
}

void metrics_set(Metrics *metrics, MetricId id, const char *const *labels, double value)
{
    assert(metrics_row(id)->type != METRIC_TYPE_HISTOGRAM);
    series_of(metrics, id, labels)->value = value;
}

void metrics_observe(Metrics *metrics, MetricId id, const char *const *labels, double value)
{
    assert(metrics_row(id)->type == METRIC_TYPE_HISTOGRAM);
    const MetricBounds *bounds = metrics_row(id)->bounds;
    MetricSeries *series = series_of(metrics, id, labels);
    assert(series->buckets != NULL);
    size_t bucket = 0;
    while (bucket < bounds->count && value > bounds->values[bucket]) {
        bucket++;
    }
    if (bucket < bounds->count) {
        series->buckets[bucket]++;
    }
    series->count++;
    series->value += value;
}

void metrics_reset(Metrics *metrics, MetricId id)
{
    MetricFamily *family = &metrics->families[id];
    clear_series(family);
    memset(family->slots, 0, slot_count(id) * sizeof *family->slots);
}

static const MetricSeries *known_series(const Metrics *metrics, MetricId id,
                                        const char *const *labels)
{
    const MetricFamily *family = &metrics->families[id];
    size_t count = checked_count(id, labels);
    size_t slot = find_slot(family, id, labels, count, hash_of(labels, count));
    static const MetricSeries NOTHING = {.value = 0};
    return family->slots[slot] != 0 ? &family->series[family->slots[slot] - 1] : &NOTHING;
}

double metrics_value(const Metrics *metrics, MetricId id, const char *const *labels)
{
    return known_series(metrics, id, labels)->value;
}

uint64_t metrics_count(const Metrics *metrics, MetricId id, const char *const *labels)
{
    return known_series(metrics, id, labels)->count;
}

double metrics_sum(const Metrics *metrics, MetricId id, const char *const *labels)
{
    return metrics_value(metrics, id, labels);
}
