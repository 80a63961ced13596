#include "base/text.h"

#include <string.h>

#include "unit.h"

static void pieces_add_up(void **state)
{
    (void)state;
    Text text = TEXT_INIT(1000);
    assert_string_equal(text_get(&text), "");
    assert_int_equal(text_bytes(&text).size, 0);
    text_append(&text, "a");
    text_append_char(&text, '-');
    text_append_bytes(&text, "b\0c", 3);
    text_append(&text, "");
    text_printf(&text, "%d%s", 7, "x");
    assert_true(text_ok(&text));
    assert_int_equal(text.length, 7);
    assert_memory_equal(text_get(&text), "a-b\0c7x", 8);
    assert_int_equal(text_bytes(&text).size, 7);
    text_clear(&text);
    assert_string_equal(text_get(&text), "");
    assert_int_equal(text.limit_bytes, 1000);
}

static void an_empty_piece_makes_an_empty_text(void **state)
{
    (void)state;
    Text text = TEXT_INIT(0);
    text_append(&text, "");
    text_printf(&text, "%s", "");
    assert_true(text_ok(&text));
    assert_string_equal(text_get(&text), "");
    text_clear(&text);
}

static void what_exactly_fits_is_taken(void **state)
{
    (void)state;
    Text text = TEXT_INIT(3);
    text_append(&text, "abc");
    assert_true(text_ok(&text));
    assert_string_equal(text_get(&text), "abc");
    text_clear(&text);
    text_printf(&text, "%s", "abc");
    assert_true(text_ok(&text));
    assert_string_equal(text_get(&text), "abc");
    text_clear(&text);
}

static void what_does_not_fit_is_left_out_and_fails_for_good(void **state)
{
    (void)state;
    Text text = TEXT_INIT(3);
    text_append(&text, "ab");
    text_append(&text, "cd");
    assert_false(text_ok(&text));
    assert_string_equal(text_get(&text), "ab");
    text_append(&text, "c");
    assert_false(text_ok(&text));
    assert_string_equal(text_get(&text), "ab");
    text_clear(&text);
    assert_true(text_ok(&text));
    text_printf(&text, "%s", "abcd");
    assert_false(text_ok(&text));
    assert_string_equal(text_get(&text), "");
    text_clear(&text);
}

static void pieces_of_every_length_are_formatted_whole(void **state)
{
    (void)state;
    for (int length = 0; length < 400; length++) {
        Text text = TEXT_INIT(401);
        text_append(&text, "<");
        text_printf(&text, "%0*d", length, 0);
        text_append(&text, ">");
        assert_true(text_ok(&text));
        size_t wanted = length > 0 ? (size_t)length : 1; // a number has a digit
        assert_int_equal(strspn(text_get(&text) + 1, "0"), wanted);
        assert_string_equal(text_get(&text) + 1 + wanted, ">");
        text_clear(&text);
    }
}

static void a_text_grows_to_its_limit(void **state)
{
    (void)state;
    Text text = TEXT_INIT(100000);
    for (int i = 0; i < 10000; i++) {
        text_append(&text, "0123456789");
    }
    assert_true(text_ok(&text));
    assert_int_equal(text.length, 100000);
    assert_int_equal(strlen(text_get(&text)), 100000);
    text_append_char(&text, 'x');
    assert_false(text_ok(&text));
    text_clear(&text);
}

static void one_large_piece_is_taken_at_once(void **state)
{
    (void)state;
    char large[5000];
    memset(large, 'x', sizeof large);
    Text text = TEXT_INIT(sizeof large + 1);
    text_append_char(&text, 'y');
    text_append_bytes(&text, large, sizeof large);
    assert_true(text_ok(&text));
    assert_int_equal(text.length, sizeof large + 1);
    text_clear(&text);
}

// A wide character outside of the C locale's can't be written.
static void what_cannot_be_formatted_fails(void **state)
{
    (void)state;
    Text text = TEXT_INIT(100);
    text_printf(&text, "%ls", L"\x20ac");
    assert_false(text_ok(&text));
    text_clear(&text);
}

static void all_but_unreserved_characters_are_percent_encoded(void **state)
{
    (void)state;
    Text text = TEXT_INIT(200);
    text_append_url(&text, "AZaz09-._~ /?%&\xc3\xbc:@[`{\x7f");
    assert_string_equal(text_get(&text), "AZaz09-._~%20%2F%3F%25%26%C3%BC%3A%40%5B%60%7B%7F");
    text_clear(&text);
}

static void a_field_takes_a_text_whole_or_not_at_all(void **state)
{
    (void)state;
    char field[4] = "old";
    assert_true(text_copy(field, sizeof field, "abc"));
    assert_string_equal(field, "abc");
    assert_true(text_copy(field, sizeof field, field + 1));
    assert_string_equal(field, "bc");
    assert_false(text_copy(field, sizeof field, "abcd"));
    assert_string_equal(field, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_add_up),
        cmocka_unit_test(an_empty_piece_makes_an_empty_text),
        cmocka_unit_test(what_exactly_fits_is_taken),
        cmocka_unit_test(what_does_not_fit_is_left_out_and_fails_for_good),
        cmocka_unit_test(pieces_of_every_length_are_formatted_whole),
        cmocka_unit_test(a_text_grows_to_its_limit),
        cmocka_unit_test(one_large_piece_is_taken_at_once),
        cmocka_unit_test(what_cannot_be_formatted_fails),
        cmocka_unit_test(all_but_unreserved_characters_are_percent_encoded),
        cmocka_unit_test(a_field_takes_a_text_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
