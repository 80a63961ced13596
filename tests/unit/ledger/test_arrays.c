#include "ledger/arrays.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_literal(PgArray *array, const char *literal)
{
    assert_true(pg_array_finish(array));
    assert_string_equal(text_get(&array->text), literal);
    pg_array_clear(array);
    assert_int_equal(array->count, 0);
    assert_false(array->closed);
    assert_string_equal(text_get(&array->text), "");
}

static void an_array_without_elements_is_a_pair_of_braces(void **state)
{
    (void)state;
    PgArray array = PG_ARRAY_INIT;
    assert_literal(&array, "{}");
}

static void texts_are_always_quoted_and_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *element;
    } CASES[] = {
        {"plain", "{\"plain\"}"},
        {"", "{\"\"}"},
        {"NULL", "{\"NULL\"}"},
        {"a,b", "{\"a,b\"}"},
        {"{x}", "{\"{x}\"}"},
        {" blank ", "{\" blank \"}"},
        {"\"", "{\"\\\"\"}"},
        {"\\", "{\"\\\\\"}"},
        {"\\\"", "{\"\\\\\\\"\"}"},
        {"end\\", "{\"end\\\\\"}"},
        {"line\nbreak\ttab", "{\"line\nbreak\ttab\"}"},
        {"h\xc3\xa9", "{\"h\xc3\xa9\"}"},
        {NULL, "{NULL}"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        PgArray array = PG_ARRAY_INIT;
        pg_array_append_text(&array, CASES[i].text);
        assert_literal(&array, CASES[i].element);
    }
}

static void elements_are_separated_and_counted(void **state)
{
    (void)state;
    PgArray array = PG_ARRAY_INIT;
    pg_array_append_text(&array, "a");
    pg_array_append_null(&array);
    pg_array_append_text(&array, "b");
    assert_int_equal(array.count, 3);
    assert_literal(&array, "{\"a\",NULL,\"b\"}");
}

static void numbers_and_flags_are_bare(void **state)
{
    (void)state;
    PgArray numbers = PG_ARRAY_INIT;
    pg_array_append_int64(&numbers, 0);
    pg_array_append_int64(&numbers, INT64_MIN);
    pg_array_append_int64(&numbers, INT64_MAX);
    assert_literal(&numbers, "{0,-9223372036854775808,9223372036854775807}");
    PgArray flags = PG_ARRAY_INIT;
    pg_array_append_bool(&flags, true);
    pg_array_append_bool(&flags, false);
    assert_literal(&flags, "{true,false}");
}

static void bytes_become_hex_with_an_escaped_backslash(void **state)
{
    (void)state;
    PgArray array = PG_ARRAY_INIT;
    pg_array_append_bytes(&array, (Bytes){(const uint8_t *)"\x00\xff\x22", 3});
    pg_array_append_bytes(&array, (Bytes){NULL, 0});
    assert_literal(&array, "{\"\\\\x00ff22\",\"\\\\x\"}");
}

static void long_bytes_are_written_to_the_last_digit(void **state)
{
    (void)state;
    uint8_t bytes[600]; // more than the digits are collected in
    char literal[2 * sizeof bytes + 16] = "{\"\\\\x";
    size_t length = strlen(literal);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
        length += (size_t)snprintf(literal + length, sizeof literal - length, "%02x", bytes[i]);
    }
    (void)snprintf(literal + length, sizeof literal - length, "\"}");
    PgArray array = PG_ARRAY_INIT;
    pg_array_append_bytes(&array, (Bytes){bytes, sizeof bytes});
    assert_literal(&array, literal);
}

static void a_text_that_is_no_utf8_fails_the_array(void **state)
{
    (void)state;
    PgArray array = PG_ARRAY_INIT;
    pg_array_append_text(&array, "good");
    pg_array_append_text(&array, "bad \xff");
    pg_array_append_text(&array, "good");
    assert_false(pg_array_finish(&array));
    pg_array_clear(&array);
    assert_literal(&array, "{}");
}

static void what_goes_over_the_limit_fails_the_array(void **state)
{
    (void)state;
    PgArray array = PG_ARRAY_INIT;
    array.text.limit_bytes = 5;
    pg_array_append_text(&array, "a");
    assert_true(text_ok(&array.text));
    PgArray larger = PG_ARRAY_INIT;
    larger.text.limit_bytes = 5;
    pg_array_append_text(&larger, "ab");
    assert_false(pg_array_finish(&larger));
    assert_true(pg_array_finish(&array));
    pg_array_clear(&larger);
    pg_array_clear(&array);
    assert_int_equal(array.text.limit_bytes, PG_ARRAY_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_without_elements_is_a_pair_of_braces),
        cmocka_unit_test(texts_are_always_quoted_and_escaped),
        cmocka_unit_test(elements_are_separated_and_counted),
        cmocka_unit_test(numbers_and_flags_are_bare),
        cmocka_unit_test(bytes_become_hex_with_an_escaped_backslash),
        cmocka_unit_test(long_bytes_are_written_to_the_last_digit),
        cmocka_unit_test(a_text_that_is_no_utf8_fails_the_array),
        cmocka_unit_test(what_goes_over_the_limit_fails_the_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
