#include "base/uuid.h"

#include "unit.h"

typedef struct Case {
    const char *text;
    bool valid;
} Case;

static const Case CASES[] = {
    {"919108f7-52d1-4320-9bac-f847db4148a8", true},
    {"919108F7-52D1-4320-9BAC-F847DB4148A8", true},
    {"ffffffff-ffff-ffff-ffff-ffffffffffff", true},
    {"00000000-0000-0000-0000-000000000001", true},
    {"00000000-0000-0000-0000-000000000000", false},
    {"", false},
    {"919108f7-52d1-4320-9bac-f847db4148a", false},
    {"919108f7-52d1-4320-9bac-f847db4148a89", false},
    {"919108f7x52d1-4320-9bac-f847db4148a8", false},
    {"919108f7-52d1x4320-9bac-f847db4148a8", false},
    {"919108f7-52d1-4320x9bac-f847db4148a8", false},
    {"919108f7-52d1-4320-9bacxf847db4148a8", false},
    {"919108g7-52d1-4320-9bac-f847db4148a8", false},
    {"919108G7-52d1-4320-9bac-f847db4148a8", false},
    {"91910-f7-52d1-4320-9bac-f847db4148a8", false},
    {"{19108f7-52d1-4320-9bac-f847db4148a}", false},
};

static void a_uuid_has_the_form_of_the_rfc_and_is_not_nil(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_int_equal(uuid_is_valid(CASES[i].text), CASES[i].valid);
    }
}

static void normalising_lowers_the_letters(void **state)
{
    (void)state;
    char uuid[UUID_TEXT_BYTES];
    uuid_normalise("919108F7-52d1-4320-9BAC-F847DB4148A8", uuid);
    assert_string_equal(uuid, "919108f7-52d1-4320-9bac-f847db4148a8");
}

static const uint8_t ONES[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t BYTES[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                  0x08, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x0f};

static void a_hash_becomes_version_8(void **state)
{
    (void)state;
    char uuid[UUID_TEXT_BYTES];
    uuid_from_hash(BYTES, uuid);
    assert_string_equal(uuid, "00112233-4455-8677-8899-aabbccddee0f");
    uuid_from_hash(ONES, uuid);
    assert_string_equal(uuid, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    assert_true(uuid_is_valid(uuid));
}

static void random_bytes_become_version_4(void **state)
{
    (void)state;
    char uuid[UUID_TEXT_BYTES];
    uuid_from_random(BYTES, uuid);
    assert_string_equal(uuid, "00112233-4455-4677-8899-aabbccddee0f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_has_the_form_of_the_rfc_and_is_not_nil),
        cmocka_unit_test(normalising_lowers_the_letters),
        cmocka_unit_test(a_hash_becomes_version_8),
        cmocka_unit_test(random_bytes_become_version_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
