/*
 * Counts what the worker does, by the table of metrics, for one thread. To count costs one look-up
 * in a hash table: nothing is formatted or allocated once a combination of label values is known.
 * Memory is bounded: over a metric's number of series every new combination counts under "other".
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/metrics_table.h"
#include "base/text.h"

typedef enum MetricId {
#define METRIC_ENUM(symbol, name, type, labels, buckets, series, help) METRIC_##symbol,
    METRICS_TABLE(METRIC_ENUM)
#undef METRIC_ENUM
        METRIC_COUNT_OF
} MetricId;

typedef struct Metrics Metrics;

// The values of a metric's labels, in the order of the table; of a metric without labels: NULL. A
// value of more than 80 bytes, or that is not UTF-8, is "other".
#define METRIC_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);

// COUNTER, or GAUGE (which may go down).
void metrics_add(Metrics *metrics, MetricId id, const char *const *labels, double amount);
// GAUGE, or COUNTER that is counted elsewhere.
void metrics_set(Metrics *metrics, MetricId id, const char *const *labels, double value);
// HISTOGRAM; durations are in seconds.
void metrics_observe(Metrics *metrics, MetricId id, const char *const *labels, double value);
// Forgets every series of a metric: for gauges that are filled anew at each scrape.
void metrics_reset(Metrics *metrics, MetricId id);

// COUNTER or GAUGE; 0 of a series that isn't there.
double metrics_value(const Metrics *metrics, MetricId id, const char *const *labels);
// HISTOGRAM: how many values, and their sum.
uint64_t metrics_count(const Metrics *metrics, MetricId id, const char *const *labels);
double metrics_sum(const Metrics *metrics, MetricId id, const char *const *labels);

// Prometheus' text format 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
void metrics_print(const Metrics *metrics, Text *text);
// The table as README has it: Markdown, one row a metric.
void metrics_print_markdown(Text *text);

#endif
