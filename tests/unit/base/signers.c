#include "base/signers.h"

#include <string.h>

#include "unit.h"

// Public keys and ids of the seeds 01…, 02… and 03…, by Python's cryptography.
#define ONE "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define TWO "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"
#define THREE "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1"
#define ONE_ID "34750f98bd59fcfc"
#define TWO_ID "6a3803d5f059902a"
#define THREE_ID "b62e867fa2f33afe"
#define SMALL "0100000000000000000000000000000000000000000000000000000000000000"

static void an_entry_is_an_application_or_all_and_a_public_key(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        size_t wrong;
    } CASES[] = {
        {"", 0},
        {" ,\n", 0},
        {"shop=" ONE ",*=" TWO "\nshop=" THREE, 0},
        {"shop=" SMALL, 1},
        {"shop=" ONE " **=" ONE, 2},
        {"shop=" ONE " " ONE, 2},
        {"=" ONE, 1},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_int_equal(signers_first_wrong(CASES[i].list), CASES[i].wrong);
    }
}

static bool has(const Signers *signers, const char *application, const char *id, const char *hex)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    assert_true(crypto_hex_decode(hex, key, sizeof key));
    const uint8_t *found = signers_find(signers, application, id);
    return found != NULL && memcmp(found, key, sizeof key) == 0;
}

static void a_key_signs_for_its_application_only(void **state)
{
    (void)state;
    CLEANUP(signers_free_at)
    Signers *signers = signers_new("shop=" ONE ",shop=" TWO ",blog=" TWO ",shop=" ONE);
    assert_true(has(signers, "shop", ONE_ID, ONE));
    assert_true(has(signers, "shop", TWO_ID, TWO));
    assert_true(has(signers, "blog", TWO_ID, TWO));
    assert_null(signers_find(signers, "blog", ONE_ID));
    assert_null(signers_find(signers, "shop", THREE_ID));
    assert_null(signers_find(signers, "desk", ONE_ID));
    assert_null(signers_find(signers, "*", ONE_ID));
}

static void some_sign_for_all(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_KEY_BYTES];
    CLEANUP(signers_free_at) Signers *signers = signers_new("*=" ONE " shop=" TWO);
    assert_true(has(signers, "shop", ONE_ID, ONE));
    assert_true(has(signers, "blog", ONE_ID, ONE));
    assert_null(signers_find(signers, "blog", THREE_ID));
    assert_true(crypto_hex_decode(THREE, key, sizeof key));
    signers_add(signers, key);
    assert_true(has(signers, "blog", THREE_ID, THREE));
    signers_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_an_application_or_all_and_a_public_key),
        cmocka_unit_test(a_key_signs_for_its_application_only),
        cmocka_unit_test(some_sign_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
