#include "base/recipients.h"

#include "unit.h"

#define KEY "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
#define UPPER "8F40C5ADB68F25624AE5B214EA767A6EC94D829D3D7B5E1AD1BA6F3E2138285F"
#define OTHER "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void an_entry_is_an_application_and_a_public_key(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        size_t wrong;
    } CASES[] = {
        {"", 0},
        {" ,\n", 0},
        {"shop=" KEY, 0},
        {"shop=" UPPER "\n", 0},
        {"shop=" KEY ",shop=" OTHER ", blog=" KEY "\r\n\tdesk=" KEY, 0},
        {"shop", 1},
        {"=" KEY, 1},
        {"shop=", 1},
        {"shop=" ZERO, 1},
        {"shop=" KEY "00", 1},
        {"shop =" KEY, 1},
        {"shop=" KEY " Shop=" KEY, 2},
        {"shop=" KEY " shop=" KEY "x", 2},
        {"shop=" KEY " " X64 "=" KEY, 2},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_int_equal(recipients_first_wrong(CASES[i].list), CASES[i].wrong);
    }
}

static void a_key_is_listed_for_an_application_only(void **state)
{
    (void)state;
    static const char LIST[] = "wrong, shop=" OTHER "\nshop=" KEY "\nblog=" OTHER;
    uint8_t key[CRYPTO_KEY_BYTES];
    assert_true(crypto_hex_decode(KEY, key, sizeof key));
    assert_true(recipients_has(LIST, "shop", key));
    assert_false(recipients_has(LIST, "blog", key));
    assert_false(recipients_has(LIST, "sho", key));
    assert_false(recipients_has(LIST, "", key));
    assert_false(recipients_has("", "shop", key));
    assert_true(crypto_hex_decode(ZERO, key, sizeof key));
    assert_false(recipients_has("shop=" ZERO, "shop", key));
    assert_true(crypto_hex_decode(KEY, key, sizeof key));
    key[31] ^= 1;
    assert_false(recipients_has(LIST, "shop", key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_an_application_and_a_public_key),
        cmocka_unit_test(a_key_is_listed_for_an_application_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
