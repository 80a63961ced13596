#include "contract/waiting.h"

#include <string.h>

#include "kit.h"

static void every_word_is_unique_and_means_something(void **state)
{
    (void)state;
    for (Waiting one = WAITING_OPERATION; one < WAITING_COUNT_OF; one++) {
        assert_true(strlen(waiting_name(one)) > 2);
        assert_string_not_equal(waiting_text(waiting_name(one)), waiting_name(one));
        for (Waiting other = WAITING_OPERATION; other < one; other++) {
            assert_string_not_equal(waiting_name(one), waiting_name(other));
        }
    }
    assert_string_equal(waiting_name(WAITING_NOTHING), "");
    assert_string_equal(waiting_name(WAITING_RATE_LIMIT), "rate_limit");
}

static void a_word_of_a_later_program_is_shown_as_it_is(void **state)
{
    (void)state;
    assert_string_equal(waiting_text("full_moon"), "full_moon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_unique_and_means_something),
        cmocka_unit_test(a_word_of_a_later_program_is_shown_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
