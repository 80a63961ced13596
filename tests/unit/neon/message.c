#include "neon/message.h"

#include "unit.h"

static void messages_lose_control_characters_and_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *copy;
    } CASES[] = {
        {"", ""},
        {"branch not ready yet", "branch not ready yet"},
        {"a\nb\tc\x7f"
         "d\x1b[0m",
         "a b c d [0m"},
        {"C1 \xc2\x85, LS \xe2\x80\xa8, PS \xe2\x80\xa9.", "C1  , LS  , PS  ."},
        {"h\xc3\xa9 \xe2\x82\xac", "h\xc3\xa9 \xe2\x82\xac"},
        {"bad \xff\xc3", "bad ??"},
        {"postgresql://owner:secret@ep-1.x/db?a=b", "postgresql://***@ep-1.x/db?a=b"},
        {"uri \"postgres://o:p@q@h/d\" end", "uri \"postgres://***@h/d\" end"},
        {"see https://neon.com/docs or mail a@b", "see https://neon.com/docs or mail a@b"},
        {"https://x", "https://x"},
        {"npg_AbCdEf123456 and xnpg_1", "*** and xnpg_1"},
        {"key napi_abc.", "key ***."},
        {"password:\"pw 1\"", "password:\"*** 1\""},
        {"{\"Password\": \"pw\"}", "{\"Password\": \"***\"}"},
        {"{\\\"password\\\":\\\"pw\\\"}", "{\\\"password\\\":\\\"***\\\"}"},
        {"password=pw&x=y", "password=***&x=y"},
        {"password = pw", "password = ***"},
        {"Storing passwords is disabled", "Storing passwords is disabled"},
        {"x: y = z", "x: y = z"},
        {": a", ": a"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        char copy[80] = "x";
        neon_message_copy(copy, sizeof copy, CASES[i].text);
        assert_string_equal(copy, CASES[i].copy);
    }
}

static void messages_are_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        size_t bytes;
        const char *copy;
    } CASES[] = {{1, ""},
                 {2, "a"},
                 {3, "ab"},
                 {4, "ab"},
                 {5, "ab\xc3\xa9"},
                 {6, "ab\xc3\xa9"
                     "c"},
                 {7, "ab\xc3\xa9"
                     "c"}};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        char copy[8] = "xxxxxxx";
        neon_message_copy(copy, CASES[i].bytes,
                          "ab\xc3\xa9"
                          "c");
        assert_string_equal(copy, CASES[i].copy);
    }
}

static void a_secret_across_the_cut_does_not_show(void **state)
{
    (void)state;
    char copy[24] = "";
    neon_message_copy(copy, sizeof copy, "postgresql://owner:secret@host/db");
    assert_string_equal(copy, "postgresql://***@host/d");
    char shorter[16] = "";
    neon_message_copy(shorter, sizeof shorter, "postgresql://owner:secret@host/db");
    assert_string_equal(shorter, "postgresql://");
}

static void a_user_part_is_looked_for_within_bounds(void **state)
{
    (void)state;
    char text[3000] = "a://";
    memset(text + 4, 'b', sizeof text - 5);
    text[sizeof text - 2] = '@';
    text[sizeof text - 1] = '\0';
    char copy[8] = "";
    neon_message_copy(copy, sizeof copy, text);
    assert_string_equal(copy, "a://bbb");
}

static void tokens_are_printable_or_empty(void **state)
{
    (void)state;
    static const struct {
        const char *token;
        const char *copy;
    } CASES[] = {
        {"", ""},          {"abc-123", "abc-123"}, {"~!", "~!"},     {"a b", ""},   {"a\n", ""},
        {"h\xc3\xa9", ""}, {"0123456", "0123456"}, {"01234567", ""}, {"a\x7f", ""},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        char copy[8] = "x";
        neon_message_copy_token(copy, sizeof copy, CASES[i].token);
        assert_string_equal(copy, CASES[i].copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_lose_control_characters_and_secrets),
        cmocka_unit_test(messages_are_cut_between_characters),
        cmocka_unit_test(a_secret_across_the_cut_does_not_show),
        cmocka_unit_test(a_user_part_is_looked_for_within_bounds),
        cmocka_unit_test(tokens_are_printable_or_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
