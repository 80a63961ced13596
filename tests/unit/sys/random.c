#include "sys/random.h"

#include <string.h>

#include "unit.h"

static int install(void **state)
{
    (void)state;
    random_install();
    return 0;
}

// That all differ fails by chance once in 2^108.
static void numbers_differ(void **state)
{
    (void)state;
    uint8_t keys[4][16] = {{0}};
    for (size_t i = 0; i < 4; i++) {
        random_bytes(keys[i], sizeof keys[i]);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(keys[i], keys[j], sizeof keys[i]);
        }
    }
    uint32_t first = random_u32();
    uint32_t different = 0;
    for (size_t i = 0; i < 4; i++) {
        different |= first ^ random_u32();
    }
    assert_int_not_equal(different, 0);
}

static void a_uuid_is_of_version_4(void **state)
{
    (void)state;
    char one[UUID_TEXT_BYTES];
    char other[UUID_TEXT_BYTES];
    random_uuid(one);
    random_uuid(other);
    assert_true(uuid_is_valid(one));
    assert_int_equal(one[14], '4');
    assert_non_null(strchr("89ab", one[19]));
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_differ),
        cmocka_unit_test(a_uuid_is_of_version_4),
    };
    return cmocka_run_group_tests(tests, install, NULL);
}
