#include <inttypes.h>
#include <string.h>

#include "base/metrics.h"
#include "base/metrics_row.h"

static const char *const TYPE_NAMES[] = {
    [METRIC_TYPE_COUNTER] = "counter",
    [METRIC_TYPE_GAUGE] = "gauge",
    [METRIC_TYPE_HISTOGRAM] = "histogram",
};

static void print_line(const MetricRow *row, const MetricSeries *series, const char *suffix,
                       double value, Text *text)
{
    text_append(text, row->name);
    text_append(text, suffix);
    if (series->rendered[0] != '\0') {
        text_append_char(text, '{');
        text_append(text, series->rendered);
        text_append_char(text, '}');
    }
    text_printf(text, " %.15g\n", value);
}

static void print_bucket(const MetricRow *row, const MetricSeries *series, const char *bound,
                         uint64_t count, Text *text)
{
    text_printf(text, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", row->name, series->rendered,
                series->rendered[0] != '\0' ? "," : "", bound, count);
}

static void print_histogram(const MetricRow *row, const MetricSeries *series, Text *text)
{
    uint64_t count = 0;
    for (size_t i = 0; i < row->bounds->count; i++) {
        CLEANUP(text_clear) Text bound = TEXT_INIT(32);
        text_printf(&bound, "%g", row->bounds->values[i]);
        count += series->buckets[i];
        print_bucket(row, series, text_get(&bound), count, text);
    }
    print_bucket(row, series, "+Inf", series->count, text);
    print_line(row, series, "_sum", series->value, text);
    print_line(row, series, "_count", (double)series->count, text);
}

static void print_family(const MetricRow *row, const MetricFamily *family, Text *text)
{
    text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                TYPE_NAMES[row->type]);
    for (size_t i = 0; i < family->count; i++) {
        if (row->type == METRIC_TYPE_HISTOGRAM) {
            print_histogram(row, &family->series[i], text);
        } else {
            print_line(row, &family->series[i], "", family->series[i].value, text);
        }
    }
}

void metrics_print(const Metrics *metrics, Text *text)
{
    for (MetricId id = 0; id < METRIC_COUNT_OF; id++) {
        if (metrics->families[id].count > 0) {
            print_family(metrics_row(id), &metrics->families[id], text);
        }
    }
}

static void print_labels(const char *labels, Text *text)
{
    while (labels[0] != '\0') {
        size_t length = strcspn(labels, ",");
        text_append_char(text, '`');
        text_append_bytes(text, labels, length);
        text_append(text, labels[length] == ',' ? "`, " : "`");
        labels += length + (labels[length] == ',' ? 1 : 0);
    }
}

void metrics_print_markdown(Text *text)
{
    text_append(text, "| metric | type | labels | what it is |\n|---|---|---|---|\n");
    for (MetricId id = 0; id < METRIC_COUNT_OF; id++) {
        const MetricRow *row = metrics_row(id);
        text_printf(text, "| `%s` | %s | ", row->name, TYPE_NAMES[row->type]);
        print_labels(row->labels, text);
        text_printf(text, " | %s |\n", row->help);
    }
}
