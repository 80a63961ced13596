#include "base/utf8.h"

#include "unit.h"

typedef struct Case {
    const char *bytes;
    size_t length; // of the first character; 0 when there is none
    uint32_t code_point;
} Case;

// Borders from RFC 3629 §4.
static const Case CASES[] = {
    {"a", 1, 'a'},
    {"\x7f", 1, 0x7f},
    {"\xc2\x80", 2, 0x80},
    {"\xdf\xbf", 2, 0x7ff},
    {"\xe0\xa0\x80", 3, 0x800},
    {"\xe2\x82\xac more", 3, 0x20ac},
    {"\xed\x9f\xbf", 3, 0xd7ff},
    {"\xee\x80\x80", 3, 0xe000},
    {"\xef\xbf\xbf", 3, 0xffff},
    {"\xf0\x90\x80\x80", 4, 0x10000},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"", 0, 0},
    {"\x80", 0, 0},
    {"\xbf", 0, 0},
    {"\xff", 0, 0},
    {"\xc2", 0, 0},
    {"\xc2z", 0, 0},
    {"\xe2\x82", 0, 0},
    {"\xe2\x82z", 0, 0},
    {"\xc1\xbf", 0, 0},
    {"\xe0\x9f\xbf", 0, 0},
    {"\xed\xa0\x80", 0, 0},
    {"\xed\xbf\xbf", 0, 0},
    {"\xf0\x8f\xbf\xbf", 0, 0},
    {"\xf4\x90\x80\x80", 0, 0},
    {"\xf8\x88\x80\x80\x80", 0, 0},
};

static void characters_are_read_as_the_rfc_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        uint32_t code_point = 0;
        assert_int_equal(utf8_next(bytes_of(CASES[i].bytes), &code_point), CASES[i].length);
        assert_int_equal(code_point, CASES[i].code_point);
    }
}

static void a_text_is_valid_when_all_its_characters_are(void **state)
{
    (void)state;
    assert_true(utf8_is_valid((Bytes){NULL, 0}));
    assert_true(utf8_is_valid(bytes_of("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x98")));
    assert_true(utf8_is_valid((Bytes){(const uint8_t *)"a\0b", 3}));
    assert_false(utf8_is_valid(bytes_of("gr\xfc\xdf")));
    assert_false(utf8_is_valid(bytes_of("ok\xf0\x9f\x90")));
}

typedef struct CutCase {
    const char *bytes;
    size_t whole;
} CutCase;

static const CutCase CUTS[] = {
    {"", 0},
    {"abc", 3},
    {"ab\xc3\xbc", 4},
    {"ab\xc3", 2},
    {"a\xf0\x9f\x90\x98", 5},
    {"a\xf0\x9f\x90", 1},
    {"a\xf0\x9f", 1},
    {"a\xf0", 1},
    {"\xf0", 0},
    // Not UTF-8 anyway: left as it is.
    {"\x80\x80\x80\x80\x80", 5},
    {"\xff", 1},
};

static void half_a_character_at_the_end_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CUTS); i++) {
        assert_int_equal(utf8_whole_bytes(bytes_of(CUTS[i].bytes)), CUTS[i].whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_read_as_the_rfc_says),
        cmocka_unit_test(a_text_is_valid_when_all_its_characters_are),
        cmocka_unit_test(half_a_character_at_the_end_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
