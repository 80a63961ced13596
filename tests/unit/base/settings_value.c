#include "base/settings_value.h"

#include <string.h>

#include "unit.h"

typedef struct NumberCase {
    SettingType type;
    const char *value;
    int64_t number; // -1: refused
} NumberCase;

static const NumberCase NUMBERS[] = {
    {SETTING_TYPE_COUNT, "0", 0},
    {SETTING_TYPE_COUNT, "007", 7},
    {SETTING_TYPE_COUNT, "10000000000", 10000000000},
    {SETTING_TYPE_COUNT, "10000000001", -1},
    {SETTING_TYPE_COUNT, "99999999999999999999999999", -1},
    {SETTING_TYPE_COUNT, "", -1},
    {SETTING_TYPE_COUNT, "-1", -1},
    {SETTING_TYPE_COUNT, "+1", -1},
    {SETTING_TYPE_COUNT, " 1", -1},
    {SETTING_TYPE_COUNT, "1 ", -1},
    {SETTING_TYPE_COUNT, "1.5", -1},
    {SETTING_TYPE_COUNT, "1s", -1},
    {SETTING_TYPE_COUNT, "0x1", -1},
    {SETTING_TYPE_BYTES, "17", 17},
    {SETTING_TYPE_BYTES, "2KiB", 2048},
    {SETTING_TYPE_BYTES, "3MiB", 3145728},
    {SETTING_TYPE_BYTES, "3MB", -1},
    {SETTING_TYPE_BYTES, "3 MiB", -1},
    {SETTING_TYPE_BYTES, "MiB", -1},
    {SETTING_TYPE_DURATION, "5ms", 5},
    {SETTING_TYPE_DURATION, "5s", 5000},
    {SETTING_TYPE_DURATION, "5m", 300000},
    {SETTING_TYPE_DURATION, "5h", 18000000},
    {SETTING_TYPE_DURATION, "30d", 2592000000},
    {SETTING_TYPE_DURATION, "10000000000d", 864000000000000000},
    {SETTING_TYPE_DURATION, "5", -1},
    {SETTING_TYPE_DURATION, "5S", -1},
    {SETTING_TYPE_DURATION, "5sec", -1},
    {SETTING_TYPE_DURATION, "1h30m", -1},
    {SETTING_TYPE_TEXT, "5", -1},
};

static void numbers_have_the_units_of_their_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(NUMBERS); i++) {
        int64_t number = -1;
        bool taken = settings_value_number(NUMBERS[i].type, NUMBERS[i].value, &number);
        assert_int_equal(taken, NUMBERS[i].number != -1);
        assert_true(number == NUMBERS[i].number);
    }
}

static void choices_are_whole_words(void **state)
{
    (void)state;
    assert_true(settings_value_is_choice("a|bc|d", "a"));
    assert_true(settings_value_is_choice("a|bc|d", "bc"));
    assert_true(settings_value_is_choice("a|bc|d", "d"));
    assert_false(settings_value_is_choice("a|bc|d", "b"));
    assert_false(settings_value_is_choice("a|bc|d", "a|bc"));
    assert_false(settings_value_is_choice("a|bc|d", ""));
    assert_false(settings_value_is_choice("a|bc|d", "A"));
}

static void both_ends_of_a_range_belong_to_it(void **state)
{
    (void)state;
    assert_true(settings_value_is_within(SETTING_TYPE_DURATION, "500ms..10s", 500));
    assert_true(settings_value_is_within(SETTING_TYPE_DURATION, "500ms..10s", 10000));
    assert_false(settings_value_is_within(SETTING_TYPE_DURATION, "500ms..10s", 499));
    assert_false(settings_value_is_within(SETTING_TYPE_DURATION, "500ms..10s", 10001));
    assert_false(settings_value_is_within(SETTING_TYPE_DURATION, "500ms", 500));
    assert_false(settings_value_is_within(SETTING_TYPE_DURATION, "1..10s", 500));
    assert_false(settings_value_is_within(SETTING_TYPE_DURATION, "1s..10", 5000));
}

typedef struct CheckCase {
    SettingRow row;
    const char *value;
    const char *refusal; // NULL: taken
} CheckCase;

#define DURATION_ROW                                                                               \
    {                                                                                              \
        "a.b", SETTING_TYPE_DURATION, "1s", "1s..5m", ""                                           \
    }
#define CHOICE_ROW                                                                                 \
    {                                                                                              \
        "a.b", SETTING_TYPE_CHOICE, "x", "x|y", ""                                                 \
    }
#define FLAG_ROW                                                                                   \
    {                                                                                              \
        "a.b", SETTING_TYPE_FLAG, "on", "", ""                                                     \
    }
#define TEXT_ROW                                                                                   \
    {                                                                                              \
        "a.b", SETTING_TYPE_TEXT, "", "", ""                                                       \
    }
#define SECRET_ROW                                                                                 \
    {                                                                                              \
        "a.b", SETTING_TYPE_SECRET, "", "required", ""                                             \
    }
#define LIST_ROW                                                                                   \
    {                                                                                              \
        "a.b", SETTING_TYPE_LIST, "", "", ""                                                       \
    }
#define BYTES_ROW                                                                                  \
    {                                                                                              \
        "a.b", SETTING_TYPE_BYTES, "1MiB", "1KiB..2MiB", ""                                        \
    }
#define COUNT_ROW                                                                                  \
    {                                                                                              \
        "a.b", SETTING_TYPE_COUNT, "1", "1..9", ""                                                 \
    }

static const CheckCase CHECKS[] = {
    {DURATION_ROW, "5m", NULL},
    {DURATION_ROW, "6m", "w:1: a.b must be a number of ms, s, m, h or d, 1s..5m"},
    {DURATION_ROW, "", "w:1: a.b must be a number of ms, s, m, h or d, 1s..5m"},
    {BYTES_ROW, "2MiB", NULL},
    {BYTES_ROW, "1023", "w:1: a.b must be a number of bytes, KiB or MiB, 1KiB..2MiB"},
    {COUNT_ROW, "9", NULL},
    {COUNT_ROW, "nine", "w:1: a.b must be a whole number, 1..9"},
    {CHOICE_ROW, "y", NULL},
    {CHOICE_ROW, "z", "w:1: a.b must be one of x|y"},
    {FLAG_ROW, "on", NULL},
    {FLAG_ROW, "off", NULL},
    {FLAG_ROW, "true", "w:1: a.b must be on or off"},
    {TEXT_ROW, "", NULL},
    {TEXT_ROW, "gr\xc3\xbc\xc3\x9f", NULL},
    {TEXT_ROW, "gr\xfc", "w:1: a.b must be text"},
    {TEXT_ROW, "a\nb", "w:1: a.b must be text"},
    {TEXT_ROW, "a\x7f", "w:1: a.b must be text"},
    {LIST_ROW, "", NULL},
    {LIST_ROW, "a,b c\r\n\td\n", NULL},
    {LIST_ROW, "a\x01", "w:1: a.b must be a list"},
    {SECRET_ROW, "hush", NULL},
    {SECRET_ROW, "hush\x01", "w:1: a.b must be secret, required"},
};

static void values_are_taken_or_refused_with_what_they_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CHECKS); i++) {
        const CheckCase *c = &CHECKS[i];
        Error err = ERROR_INIT;
        int64_t number = 0;
        bool taken = settings_value_check(&c->row, c->value, "w:1", &number, &err);
        assert_int_equal(taken, c->refusal == NULL);
        assert_string_equal(err.text, taken ? "" : c->refusal);
        assert_string_equal(err.code, taken ? "" : "SETTING_INVALID");
        assert_null(strstr(err.text, "hush"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_units_of_their_type),
        cmocka_unit_test(choices_are_whole_words),
        cmocka_unit_test(both_ends_of_a_range_belong_to_it),
        cmocka_unit_test(values_are_taken_or_refused_with_what_they_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
