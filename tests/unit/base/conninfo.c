#include "base/conninfo.h"

#include <stddef.h>

#include "unit.h"

static void what_may_be_a_part_of_the_password_is_not_repeated(void **state)
{
    (void)state;
    static const struct {
        const char *keyword;
        const char *value;
        bool safe;
    } CASES[] = {
        {"host", NULL, true},
        {"host", "db.example.org", true},
        {"host", "a,b", true},
        {"host", "/run/postgresql", true},
        {"host", "cret@db.example.org", false},
        {"hostaddr", "127.0.0.1", true},
        {"hostaddr", "cret@127.0.0.1", false},
        {"port", "5432", true},
        {"port", "5432,5433", true},
        {"port", "secret@db", false},
        {"user", "some@body", true},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        if (conninfo_is_safe_to_repeat(CASES[i].keyword, CASES[i].value) != CASES[i].safe) {
            fail_msg("case %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_a_part_of_the_password_is_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
