/*
 * The table of metrics as values, and what the registry's two halves share.
 */
#ifndef BASE_METRICS_ROW_H
#define BASE_METRICS_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/metrics.h"

enum { METRICS_LABELS_MAX = 4, METRICS_BOUNDS_MAX = 12, METRICS_VALUE_BYTES_MAX = 80 };

typedef enum MetricType {
    METRIC_TYPE_COUNTER,
    METRIC_TYPE_GAUGE,
    METRIC_TYPE_HISTOGRAM
} MetricType;

typedef struct MetricBounds {
    size_t count;
    const double *values; // rising
} MetricBounds;

typedef struct MetricRow {
    const char *name;
    MetricType type;
    const char *labels; // names, comma-separated
    const MetricBounds *bounds;
    size_t series_max;
    const char *help;
} MetricRow;

const MetricRow *metrics_row(MetricId id);
size_t metrics_label_count(const MetricRow *row);

typedef struct MetricSeries {
    uint64_t hash;
    char *values;   // of its labels, one after the other, each with its NUL
    char *rendered; // action="x",outcome="y"; empty without labels
    double value;   // of a histogram: the sum
    uint64_t count;
    uint64_t *buckets; // of a histogram: one a bound, each counting only its own
} MetricSeries;

typedef struct MetricFamily {
    MetricSeries *series;
    size_t count;
    size_t capacity;
    uint16_t *slots; // open addressing: index into `series`, plus one
} MetricFamily;

struct Metrics {
    MetricFamily families[METRIC_COUNT_OF];
};

#endif
