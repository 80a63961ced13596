#include "base/metrics_row.h"

#define BUCKETS_VALUES(symbol, ...) static const double VALUES_##symbol[] = {__VA_ARGS__};
METRICS_BUCKETS(BUCKETS_VALUES)
#undef BUCKETS_VALUES

#define BUCKETS_CHECK(symbol, ...)                                                                 \
    _Static_assert(sizeof VALUES_##symbol / sizeof(double) <= METRICS_BOUNDS_MAX, #symbol);        \
    static const MetricBounds BOUNDS_##symbol = {sizeof VALUES_##symbol / sizeof(double),          \
                                                 VALUES_##symbol};
METRICS_BUCKETS(BUCKETS_CHECK)
#undef BUCKETS_CHECK

static const MetricRow ROWS[] = {
#define METRIC_ROW(symbol, name, type, labels, buckets, series, help)                              \
    {name, METRIC_TYPE_##type, labels, &BOUNDS_##buckets, series, help},
    METRICS_TABLE(METRIC_ROW)
#undef METRIC_ROW
};

const MetricRow *metrics_row(MetricId id)
{
    return &ROWS[id];
}

size_t metrics_label_count(const MetricRow *row)
{
    size_t count = row->labels[0] != '\0' ? 1 : 0;
    for (const char *c = row->labels; *c != '\0'; c++) {
        count += *c == ',' ? 1 : 0;
    }
    return count;
}
