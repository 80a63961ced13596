#include "base/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/metrics_row.h"
#include "unit.h"

static Metrics *metrics;

static int set_up(void **state)
{
    (void)state;
    metrics = metrics_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    metrics_free(metrics);
    metrics_free(NULL);
    return 0;
}

static void assert_double(double value, double wanted)
{
    assert_true(fabs(value - wanted) < 1e-9);
}

static void assert_printed(const char *lines)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(1 << 20);
    metrics_print(metrics, &text);
    assert_true(text_ok(&text));
    if (strstr(text_get(&text), lines) == NULL) {
        print_error("not found:\n%s\nin:\n%s", lines, text_get(&text));
        fail();
    }
}

static void a_counter_counts_each_combination_of_its_labels(void **state)
{
    (void)state;
    metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS("connect_account", "done"), 1);
    metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS("connect_account", "expired"), 1);
    metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS("connect_account", "done"), 2);
    assert_double(metrics_value(metrics, METRIC_COMMANDS, METRIC_LABELS("connect_account", "done")),
                  3);
    assert_double(metrics_value(metrics, METRIC_COMMANDS, METRIC_LABELS("done", "connect_account")),
                  0);
    assert_printed("# HELP provision_commands_total commands that ended; outcome: done, expired, "
                   "cancelled, superseded or the code of the failure\n"
                   "# TYPE provision_commands_total counter\n"
                   "provision_commands_total{action=\"connect_account\",outcome=\"done\"} 3\n"
                   "provision_commands_total{action=\"connect_account\",outcome=\"expired\"} 1\n"
                   "# HELP ");
}

static void what_ends_one_value_does_not_begin_the_next(void **state)
{
    (void)state;
    metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS("ab", "c"), 1);
    metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS("a", "bc"), 2);
    assert_double(metrics_value(metrics, METRIC_COMMANDS, METRIC_LABELS("ab", "c")), 1);
    assert_double(metrics_value(metrics, METRIC_COMMANDS, METRIC_LABELS("a", "bc")), 2);
}

static void a_gauge_is_set_and_shows_as_0_before(void **state)
{
    (void)state;
    assert_printed("# TYPE provision_commands_held gauge\nprovision_commands_held 0\n");
    metrics_set(metrics, METRIC_HELD, NULL, 7);
    metrics_add(metrics, METRIC_HELD, NULL, -2.5);
    assert_double(metrics_value(metrics, METRIC_HELD, NULL), 4.5);
    assert_printed("\nprovision_commands_held 4.5\n");
}

static void large_figures_keep_their_digits(void **state)
{
    (void)state;
    metrics_set(metrics, METRIC_PROCESS_START, NULL, 1795000000.125);
    metrics_set(metrics, METRIC_PROCESS_MEMORY, NULL, 123456789012345.0);
    assert_printed("\nprocess_start_time_seconds 1795000000.125\n");
    assert_printed("\nprocess_resident_memory_bytes 123456789012345\n");
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
    (void)state;
    const double VALUES[] = {1, 2, 2.5, 1000, 1001};
    for (size_t i = 0; i < UNIT_COUNT(VALUES); i++) {
        metrics_observe(metrics, METRIC_LEDGER_ROWS, METRIC_LABELS("claim"), VALUES[i]);
    }
    assert_int_equal(metrics_count(metrics, METRIC_LEDGER_ROWS, METRIC_LABELS("claim")), 5);
    assert_double(metrics_sum(metrics, METRIC_LEDGER_ROWS, METRIC_LABELS("claim")), 2006.5);
    assert_int_equal(metrics_count(metrics, METRIC_LEDGER_ROWS, METRIC_LABELS("save")), 0);
    assert_printed("provision_ledger_statement_rows_bucket{kind=\"claim\",le=\"1\"} 1\n"
                   "provision_ledger_statement_rows_bucket{kind=\"claim\",le=\"2\"} 2\n"
                   "provision_ledger_statement_rows_bucket{kind=\"claim\",le=\"5\"} 3\n");
    assert_printed("provision_ledger_statement_rows_bucket{kind=\"claim\",le=\"1000\"} 4\n"
                   "provision_ledger_statement_rows_bucket{kind=\"claim\",le=\"+Inf\"} 5\n"
                   "provision_ledger_statement_rows_sum{kind=\"claim\"} 2006.5\n"
                   "provision_ledger_statement_rows_count{kind=\"claim\"} 5\n");
}

static void a_histogram_without_labels_has_only_its_bounds(void **state)
{
    (void)state;
    metrics_observe(metrics, METRIC_LOOP_TURN, NULL, 0.0005);
    assert_printed("# TYPE provision_loop_turn_seconds histogram\n"
                   "provision_loop_turn_seconds_bucket{le=\"0.0001\"} 0\n"
                   "provision_loop_turn_seconds_bucket{le=\"0.0005\"} 1\n");
    assert_printed("\nprovision_loop_turn_seconds_sum 0.0005\n"
                   "provision_loop_turn_seconds_count 1\n");
}

static void values_of_labels_are_escaped(void **state)
{
    (void)state;
    metrics_add(metrics, METRIC_NEON_WAITS, METRIC_LABELS("a\"b\\c\nd}"), 1);
    assert_printed("\nprovision_neon_waits_total{reason=\"a\\\"b\\\\c\\nd}\"} 1\n");
}

static void over_its_series_a_metric_counts_under_other(void **state)
{
    (void)state;
    size_t max = metrics_row(METRIC_COMMANDS)->series_max;
    for (size_t i = 0; i < max + 50; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "code-%zu", i);
        metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS("x", value), 1);
    }
    assert_double(metrics_value(metrics, METRIC_COMMANDS, METRIC_LABELS("x", "code-0")), 1);
    assert_double(metrics_value(metrics, METRIC_COMMANDS, METRIC_LABELS("other", "other")), 50);
    assert_int_equal(metrics->families[METRIC_COMMANDS].count, max + 1);
    metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS("x", "code-0"), 1);
    assert_double(metrics_value(metrics, METRIC_COMMANDS, METRIC_LABELS("x", "code-0")), 2);
}

static void unfit_values_are_other(void **state)
{
    (void)state;
    char at_limit[METRICS_VALUE_BYTES_MAX + 1];
    char over_limit[METRICS_VALUE_BYTES_MAX + 2];
    memset(at_limit, 'x', sizeof at_limit);
    memset(over_limit, 'x', sizeof over_limit);
    at_limit[sizeof at_limit - 1] = '\0';
    over_limit[sizeof over_limit - 1] = '\0';
    metrics_add(metrics, METRIC_NEON_REQUESTS, METRIC_LABELS(over_limit, "200"), 1);
    metrics_add(metrics, METRIC_NEON_REQUESTS, METRIC_LABELS("\xff", "200"), 1);
    metrics_add(metrics, METRIC_NEON_REQUESTS, METRIC_LABELS(at_limit, "200"), 1);
    assert_double(metrics_value(metrics, METRIC_NEON_REQUESTS, METRIC_LABELS("other", "200")), 2);
    assert_double(metrics_value(metrics, METRIC_NEON_REQUESTS, METRIC_LABELS(at_limit, "200")), 1);
    assert_int_equal(metrics->families[METRIC_NEON_REQUESTS].count, 2);
}

static void a_reset_forgets_all_series(void **state)
{
    (void)state;
    metrics_set(metrics, METRIC_PARTITION_BACKLOG, METRIC_LABELS("3"), 12);
    metrics_set(metrics, METRIC_PARTITION_BACKLOG, METRIC_LABELS("4"), 13);
    metrics_reset(metrics, METRIC_PARTITION_BACKLOG);
    assert_double(metrics_value(metrics, METRIC_PARTITION_BACKLOG, METRIC_LABELS("3")), 0);
    metrics_set(metrics, METRIC_PARTITION_BACKLOG, METRIC_LABELS("4"), 5);
    CLEANUP(text_clear) Text text = TEXT_INIT(1 << 20);
    metrics_print(metrics, &text);
    assert_null(strstr(text_get(&text), "partition=\"3\""));
    assert_non_null(strstr(text_get(&text), "provision_partition_backlog{partition=\"4\"} 5\n"));
}

// https://prometheus.io/docs/practices/naming/
static void every_row_keeps_the_conventions(void **state)
{
    (void)state;
    for (MetricId id = 0; id < METRIC_COUNT_OF; id++) {
        const MetricRow *row = metrics_row(id);
        const char *total = strstr(row->name, "_total");
        bool is_total = total != NULL && total[6] == '\0';
        size_t allowed = strspn(row->name, "abcdefghijklmnopqrstuvwxyz_");
        assert_int_equal(is_total, row->type == METRIC_TYPE_COUNTER);
        assert_int_equal(row->name[allowed], '\0');
        assert_true(metrics_label_count(row) <= METRICS_LABELS_MAX);
        assert_true(metrics_label_count(row) > 0 || row->series_max == 1);
        assert_true(row->series_max >= 1 && row->series_max <= 1000);
        assert_int_equal(row->bounds->count > 1, row->type == METRIC_TYPE_HISTOGRAM);
        assert_null(strpbrk(row->help, "\\|\n"));
        for (size_t i = 1; i < row->bounds->count; i++) {
            assert_true(row->bounds->values[i - 1] < row->bounds->values[i]);
        }
        for (MetricId other = 0; other < id; other++) {
            assert_string_not_equal(row->name, metrics_row(other)->name);
        }
    }
}

static void the_markdown_table_has_a_row_a_metric(void **state)
{
    (void)state;
    CLEANUP(text_clear) Text text = TEXT_INIT(1 << 16);
    metrics_print_markdown(&text);
    size_t lines = 0;
    for (const char *c = text_get(&text); *c != '\0'; c++) {
        lines += *c == '\n' ? 1 : 0;
    }
    assert_true(text_ok(&text));
    assert_int_equal(lines, METRIC_COUNT_OF + 2);
    assert_non_null(strstr(text_get(&text), "\n| `provision_step_seconds` | histogram | `action`, "
                                            "`step` | one effect of a step"));
    assert_non_null(strstr(text_get(&text), "\n| `provision_ready` | gauge |  | 1 while"));
}

#define METRICS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        METRICS_TEST(a_counter_counts_each_combination_of_its_labels),
        METRICS_TEST(what_ends_one_value_does_not_begin_the_next),
        METRICS_TEST(a_gauge_is_set_and_shows_as_0_before),
        METRICS_TEST(large_figures_keep_their_digits),
        METRICS_TEST(a_histogram_counts_up_to_each_bound),
        METRICS_TEST(a_histogram_without_labels_has_only_its_bounds),
        METRICS_TEST(values_of_labels_are_escaped),
        METRICS_TEST(over_its_series_a_metric_counts_under_other),
        METRICS_TEST(unfit_values_are_other),
        METRICS_TEST(a_reset_forgets_all_series),
        METRICS_TEST(every_row_keeps_the_conventions),
        METRICS_TEST(the_markdown_table_has_a_row_a_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
