#include "run/skip.h"

#include "unit.h"

static void coordinates_are_a_partition_and_an_offset(void **state)
{
    (void)state;
    int32_t partition = -1;
    int64_t offset = -1;
    Error err = ERROR_INIT;
    assert_true(skip_parse("3:123456789012", &partition, &offset, &err));
    assert_int_equal(partition, 3);
    assert_int_equal(offset, 123456789012);
    assert_true(skip_parse("0:0", &partition, &offset, &err));
    assert_true(skip_parse("2147483647:9223372036854775807", &partition, &offset, &err));
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "",      "3",     "3:",    ":3",   "3:x",          "x:3",
        "3:4:5", "-1:3",  "3:-1",  " 3:4", "3: 4",         "3:4 ",
        "+3:4",  "0x3:4", "3.0:4", "3;4",  "2147483648:1", "1:9223372036854775808",
    };
    for (size_t i = 0; i < UNIT_COUNT(REFUSED); i++) {
        int32_t partition = 0;
        int64_t offset = 0;
        Error err = ERROR_INIT;
        assert_false(skip_parse(REFUSED[i], &partition, &offset, &err));
        assert_string_equal(err.code, "INVALID_COORDINATES");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coordinates_are_a_partition_and_an_offset),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
