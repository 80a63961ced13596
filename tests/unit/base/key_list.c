#include "base/key_list.h"

#include <string.h>

#include "unit.h"

#define A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define B "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define C "200102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define D "300102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define E "400102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void keys_stand_apart_the_first_first(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *first; // digits of the first byte of each key
    } CASES[] = {
        {"", ""},
        {" , ", ""},
        {A, "0"},
        {B "," A, "10"},
        {" " C ", " B " " A ",", "210"},
        {A "," B "," C "," D, "0123"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        KeyList list;
        assert_true(key_list_parse(CASES[i].text, &list));
        assert_int_equal(list.count, strlen(CASES[i].first));
        for (size_t k = 0; k < list.count; k++) {
            assert_int_equal(list.keys[k][0] >> 4, CASES[i].first[k] - '0');
        }
        key_list_clear(&list);
        assert_int_equal(list.count, 0);
    }
}

static void what_is_no_list_of_keys_is_refused(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "x",     A "0",    A A,
        A ";" B, A "," A,  A "," B "," C "," D "," E,
        "g" A,   A "\n" B, "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    };
    for (size_t i = 0; i < UNIT_COUNT(REFUSED); i++) {
        KeyList list;
        assert_false(key_list_parse(REFUSED[i], &list));
        assert_int_equal(list.count, 0);
    }
}

static void a_sealed_value_names_its_key(void **state)
{
    (void)state;
    static const uint8_t KEY_BYTES[CRYPTO_KEY_BYTES] = {1, 2, 3};
    static const uint8_t NONCE[CRYPTO_NONCE_BYTES] = {4};
    CLEANUP(buffer_clear) Buffer sealed = {.data = NULL};
    char wanted[CRYPTO_KEY_ID_BYTES];
    char id[CRYPTO_KEY_ID_BYTES];
    crypto_aead_seal(KEY_BYTES, NONCE, bytes_of(""), bytes_of("x"), &sealed);
    crypto_key_id(KEY_BYTES, wanted);
    assert_true(crypto_aead_key_id(buffer_view(&sealed), id));
    assert_string_equal(id, wanted);
    assert_false(crypto_aead_key_id((Bytes){sealed.data, 48}, id));
    sealed.data[0] = 2;
    assert_false(crypto_aead_key_id(buffer_view(&sealed), id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_stand_apart_the_first_first),
        cmocka_unit_test(a_sealed_value_names_its_key),
        cmocka_unit_test(what_is_no_list_of_keys_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
