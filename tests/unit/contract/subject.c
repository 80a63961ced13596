#include "contract/subject.h"

#include <string.h>

#include "kit.h"

typedef struct Case {
    Subject subject;
    const char *text;
} Case;

static void a_subject_is_written_as_events_name_it(void **state)
{
    (void)state;
    const Case cases[] = {
        {{.kind = SUBJECT_APPLICATION}, "applications/shop"},
        {subject_environment("production"), "applications/shop/environments/production"},
        {subject_environment("pr:72"), "applications/shop/environments/pr:72"},
        {subject_account("main"), "applications/shop/accounts/main"},
    };
    for (size_t i = 0; i < KIT_COUNT(cases); i++) {
        char text[SUBJECT_TEXT_BYTES];
        subject_format("shop", &cases[i].subject, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    const char *longest = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    Subject subject = subject_environment(longest);
    char text[SUBJECT_TEXT_BYTES];
    subject_format(longest, &subject, text);
    assert_int_equal(strlen(text), strlen("applications/") + 63 + strlen("/environments/") + 63);
}

static void subjects_are_equal_by_kind_and_name(void **state)
{
    (void)state;
    Subject environment = subject_environment("main");
    Subject same = subject_environment("main");
    Subject other = subject_environment("other");
    Subject account = subject_account("main");
    assert_true(subject_equal(&environment, &same));
    assert_false(subject_equal(&environment, &other));
    assert_false(subject_equal(&environment, &account));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subject_is_written_as_events_name_it),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(subjects_are_equal_by_kind_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
