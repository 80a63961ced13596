#include "neon/mark.h"

#include "unit.h"

static const NeonMark OURS = {"i", "a", "e", "c"};

static void an_empty_mark_is_empty_and_equals_nothing(void **state)
{
    (void)state;
    NeonMark empty = {0};
    assert_true(neon_mark_is_empty(&empty));
    assert_false(neon_mark_is_empty(&OURS));
    assert_false(neon_mark_equal(&empty, &empty));
    assert_false(neon_mark_same_environment(&empty, &empty));
    assert_true(neon_mark_equal(&OURS, &OURS));
    assert_true(neon_mark_same_environment(&OURS, &OURS));
}

static void marks_differ_in_any_part(void **state)
{
    (void)state;
    static const struct {
        NeonMark mark;
        bool same_environment;
    } CASES[] = {
        {{"x", "a", "e", "c"}, false}, {{"i", "x", "e", "c"}, false}, {{"i", "a", "x", "c"}, false},
        {{"i", "a", "e", "x"}, true},  {{"", "a", "e", "c"}, false},  {{"i", "", "e", "c"}, false},
        {{"i", "a", "", "c"}, false},  {{"i", "a", "e", ""}, false},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_false(neon_mark_is_empty(&CASES[i].mark));
        assert_false(neon_mark_equal(&OURS, &CASES[i].mark));
        assert_false(neon_mark_equal(&CASES[i].mark, &OURS));
        assert_int_equal(neon_mark_same_environment(&OURS, &CASES[i].mark),
                         CASES[i].same_environment);
        assert_int_equal(neon_mark_same_environment(&CASES[i].mark, &OURS),
                         CASES[i].same_environment);
    }
}

static void what_is_partly_empty_does_not_even_equal_itself(void **state)
{
    (void)state;
    static const NeonMark CASES[] = {
        {"", "a", "e", "c"}, {"i", "", "e", "c"}, {"i", "a", "", "c"}, {"i", "a", "e", ""}};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_false(neon_mark_is_empty(&CASES[i]));
        assert_false(neon_mark_equal(&CASES[i], &CASES[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_mark_is_empty_and_equals_nothing),
        cmocka_unit_test(marks_differ_in_any_part),
        cmocka_unit_test(what_is_partly_empty_does_not_even_equal_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
