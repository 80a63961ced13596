#include "base/instant.h"

#include <time.h>

#include "unit.h"

typedef struct Case {
    const char *text;
    int64_t instant_ms;
} Case;

static const Case FORMATTED[] = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2026-11-22T08:07:00.000Z", 1795334820000},
    {"2000-02-29T12:34:56.789Z", 951827696789},
    {"2100-03-01T00:00:00.000Z", 4107542400000},
    {"2000-12-31T23:59:59.999Z", 978307199999},
    {"1900-02-28T23:59:59.999Z", -2203891200001},
    {"0000-01-01T00:00:00.000Z", -62167219200000},
    {"0001-01-01T00:00:00.000Z", -62135596800000},
    {"0000-12-31T00:00:00.000Z", -62135683200000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
};

static void formatting_and_parsing_are_each_others_reverse(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(FORMATTED); i++) {
        char text[INSTANT_TEXT_BYTES];
        int64_t instant_ms = 1;
        instant_format(FORMATTED[i].instant_ms, text);
        assert_string_equal(text, FORMATTED[i].text);
        assert_true(instant_parse(text, &instant_ms));
        assert_true(instant_ms == FORMATTED[i].instant_ms);
    }
}

static void what_lies_outside_becomes_the_nearest(void **state)
{
    (void)state;
    char text[INSTANT_TEXT_BYTES];
    instant_format_seconds(INT64_C(1795334820999), text);
    assert_string_equal(text, "2026-11-22T08:07:00Z");
    instant_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    instant_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

// The C library computes the same dates on its own: every 36 hours and a bit of 800 years.
static void dates_are_those_of_the_c_library(void **state)
{
    (void)state;
    for (time_t at = -12000000000; at < 13000000000; at += 131071) {
        struct tm parts;
        char expected[INSTANT_TEXT_BYTES];
        char text[INSTANT_TEXT_BYTES];
        assert_non_null(gmtime_r(&at, &parts));
        assert_int_not_equal(strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &parts),
                             0);
        instant_format((int64_t)at * 1000, text);
        assert_string_equal(text, expected);
        int64_t instant_ms = 0;
        assert_true(instant_parse(text, &instant_ms));
        assert_true(instant_ms == (int64_t)at * 1000);
    }
}

static const Case PARSED[] = {
    {"1970-01-01t00:00:00z", 0},
    {"1970-01-01T00:00:00.5Z", 500},
    {"1970-01-01T00:00:00.123999999Z", 123},
    {"1970-01-01T00:00:00.0009Z", 0},
    {"1970-01-01T01:30:00+01:30", 0},
    {"1969-12-31T23:30:00-00:30", 0},
    {"1970-01-01T00:00:00-23:59", 86340000},
    {"2016-12-31T23:59:60Z", 1483228800000},
    {"2024-02-29T00:00:00Z", 1709164800000},
};

static void other_forms_of_the_rfc_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(PARSED); i++) {
        int64_t instant_ms = 1;
        assert_true(instant_parse(PARSED[i].text, &instant_ms));
        assert_true(instant_ms == PARSED[i].instant_ms);
    }
}

static const char *const REFUSED[] = {
    "",
    "1970",
    "1970-01-01",
    "1970-01-01T00:00:00",
    "1970-01-01 00:00:00Z",
    "1970-01-01T00:00Z",
    "1970-01-01T00:00:00.Z",
    "1970-01-01T00:00:00,5Z",
    "1970-01-01T00:00:00ZZ",
    "1970-01-01T00:00:00Z ",
    " 1970-01-01T00:00:00Z",
    "1970-00-01T00:00:00Z",
    "1970-13-01T00:00:00Z",
    "1970-01-00T00:00:00Z",
    "1970-01-32T00:00:00Z",
    "1970-04-31T00:00:00Z",
    "1970-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "1970-01-01T24:00:00Z",
    "1970-01-01T00:60:00Z",
    "1970-01-01T00:00:61Z",
    "1970-01-01T00:00:00+24:00",
    "1970-01-01T00:00:00+00:60",
    "1970-01-01T00:00:00+0000",
    "1970-01-01T00:00:00+00",
    "1970-01-01T00:00:00*00:00",
    "1970/01-01T00:00:00Z",
    "1970-01/01T00:00:00Z",
    "1970-01-01T00.00:00Z",
    "1970-01-01T00:00.00Z",
    "197a-01-01T00:00:00Z",
    "19700-01-01T00:00:00Z",
    "-970-01-01T00:00:00Z",
};

static void anything_else_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(REFUSED); i++) {
        int64_t instant_ms = 42;
        assert_false(instant_parse(REFUSED[i], &instant_ms));
        assert_true(instant_ms == 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formatting_and_parsing_are_each_others_reverse),
        cmocka_unit_test(what_lies_outside_becomes_the_nearest),
        cmocka_unit_test(dates_are_those_of_the_c_library),
        cmocka_unit_test(other_forms_of_the_rfc_are_read),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
