#include "base/error.h"

#include <string.h>

#include "base/utf8.h"
#include "unit.h"

static void setting_returns_false_and_fills_everything(void **state)
{
    (void)state;
    Error err = {.retry_after_ms = 5, .field = "old"};
    assert_false(error_set(&err, ERROR_BUSY, "NEON_BUSY", "try %s in %d s", "again", 3));
    assert_int_equal(err.kind, ERROR_BUSY);
    assert_int_equal(err.retry_after_ms, 0);
    assert_string_equal(err.code, "NEON_BUSY");
    assert_string_equal(err.field, "");
    assert_string_equal(err.text, "try again in 3 s");
}

static void a_field_is_named(void **state)
{
    (void)state;
    Error err = {.retry_after_ms = 5};
    assert_false(error_set_field(&err, ERROR_INVALID, "INVALID_NAME", "create.name", "%s", "no"));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_int_equal(err.retry_after_ms, 0);
    assert_string_equal(err.code, "INVALID_NAME");
    assert_string_equal(err.field, "create.name");
    assert_string_equal(err.text, "no");
}

static void a_context_stands_before_the_text(void **state)
{
    (void)state;
    Error err = ERROR_INIT;
    (void)error_set(&err, ERROR_DENIED, "KEY_REJECTED", "Neon says no");
    assert_false(error_context(&err, "account %s", "a"));
    assert_string_equal(err.text, "account a: Neon says no");
    assert_int_equal(err.kind, ERROR_DENIED);
    assert_string_equal(err.code, "KEY_REJECTED");
}

static void nobody_has_to_want_the_error(void **state)
{
    (void)state;
    assert_false(error_set(NULL, ERROR_INTERNAL, "X", "x"));
    assert_false(error_set_field(NULL, ERROR_INTERNAL, "X", "f", "x"));
    assert_false(error_context(NULL, "x"));
}

static void an_argument_may_be_the_old_text(void **state)
{
    (void)state;
    Error err = ERROR_INIT;
    (void)error_set(&err, ERROR_INVALID, "A", "first");
    (void)error_set(&err, ERROR_INVALID, "B", "second after %s", err.text);
    assert_string_equal(err.text, "second after first");
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char longer[1200];
    for (size_t i = 0; i + 2 < sizeof longer; i += 2) {
        memcpy(longer + i, "\xc3\xbc", 3);
    }
    Error err = ERROR_INIT;
    (void)error_set_field(&err, ERROR_INVALID, longer, longer, "x%s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_true(utf8_is_valid(bytes_of(err.text)));
    assert_int_equal(strlen(err.field), sizeof err.field - 2);
    assert_int_equal(strlen(err.code), sizeof err.code - 2);
    (void)error_set(&err, ERROR_INVALID, "CODE", "%s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 2);
    (void)error_context(&err, "%s", "ctx");
    assert_memory_equal(err.text, "ctx: \xc3\xbc", 7);
    assert_true(utf8_is_valid(bytes_of(err.text)));
    (void)error_context(&err, "%s", longer);
    assert_true(strlen(err.text) < sizeof err.text);
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(error_kind_name(ERROR_NONE), "none");
    assert_string_equal(error_kind_name(ERROR_INVALID), "invalid");
    assert_string_equal(error_kind_name(ERROR_CONFLICT), "conflict");
    assert_string_equal(error_kind_name(ERROR_DENIED), "denied");
    assert_string_equal(error_kind_name(ERROR_BUSY), "busy");
    assert_string_equal(error_kind_name(ERROR_UNAVAILABLE), "unavailable");
    assert_string_equal(error_kind_name(ERROR_INTERNAL), "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_returns_false_and_fills_everything),
        cmocka_unit_test(a_field_is_named),
        cmocka_unit_test(a_context_stands_before_the_text),
        cmocka_unit_test(nobody_has_to_want_the_error),
        cmocka_unit_test(an_argument_may_be_the_old_text),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(every_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
