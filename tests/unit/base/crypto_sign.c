#include <sodium.h>
#include <string.h>

#include "base/crypto.h"
#include "unit.h"

typedef struct Vector {
    const char *seed;
    const char *public_key;
    const char *message; // hex
    const char *signature;
} Vector;

// RFC 8032 section 7.1, tests 1 to 3.
static const Vector VECTORS[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void decode(const char *hex, uint8_t *ret_bytes, size_t size)
{
    assert_true(crypto_hex_decode(hex, ret_bytes, size));
}

static void set_signer(const char *seed_hex, CryptoSigner *ret_signer)
{
    uint8_t seed[CRYPTO_KEY_BYTES];
    decode(seed_hex, seed, sizeof seed);
    *ret_signer = (CryptoSigner){.private_key = SECRET_INIT};
    crypto_signer_set(ret_signer, seed);
}

static void signatures_are_those_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(VECTORS); i++) {
        const Vector *vector = &VECTORS[i];
        uint8_t message[2];
        uint8_t public_key[CRYPTO_KEY_BYTES];
        uint8_t expected[CRYPTO_SIGNATURE_BYTES];
        uint8_t signature[CRYPTO_SIGNATURE_BYTES];
        size_t size = strlen(vector->message) / 2;
        decode(vector->message, message, size);
        decode(vector->public_key, public_key, sizeof public_key);
        decode(vector->signature, expected, sizeof expected);
        CLEANUP(crypto_signer_clear) CryptoSigner signer;
        set_signer(vector->seed, &signer);
        assert_memory_equal(signer.public_key, public_key, sizeof public_key);
        // cut anywhere, it is the same message
        for (size_t cut = 0; cut <= size; cut++) {
            const Bytes parts[] = {{message, cut}, {NULL, 0}, {message + cut, size - cut}};
            crypto_sign_parts(&signer, parts, UNIT_COUNT(parts), signature);
            assert_memory_equal(signature, expected, sizeof expected);
            assert_true(crypto_verify_parts(public_key, parts, UNIT_COUNT(parts), signature));
        }
    }
}

static void what_was_changed_is_not_believed(void **state)
{
    (void)state;
    uint8_t message[] = "move 10 to bob";
    const Bytes whole = {message, sizeof message};
    CLEANUP(crypto_signer_clear) CryptoSigner signer;
    CLEANUP(crypto_signer_clear) CryptoSigner other;
    uint8_t signature[CRYPTO_SIGNATURE_BYTES];
    set_signer(VECTORS[0].seed, &signer);
    set_signer(VECTORS[1].seed, &other);
    crypto_sign_parts(&signer, &whole, 1, signature);
    assert_true(crypto_verify_parts(signer.public_key, &whole, 1, signature));
    assert_false(crypto_verify_parts(other.public_key, &whole, 1, signature));
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] ^= 1;
        assert_false(crypto_verify_parts(signer.public_key, &whole, 1, signature));
        message[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 1;
        assert_false(crypto_verify_parts(signer.public_key, &whole, 1, signature));
        signature[i] ^= 1;
    }
}

static void a_signers_id_is_that_of_its_public_key(void **state)
{
    (void)state;
    CLEANUP(crypto_signer_clear) CryptoSigner signer;
    char id[CRYPTO_KEY_ID_BYTES];
    set_signer(VECTORS[2].seed, &signer);
    crypto_key_id(signer.public_key, id);
    assert_string_equal(signer.id, id);
}

static void keys_that_anybody_could_sign_for_are_none(void **state)
{
    (void)state;
    // the neutral point, one of order 8, and no point at all
    static const char *const NONE[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "0200000000000000000000000000000000000000000000000000000000000000"};
    uint8_t key[CRYPTO_KEY_BYTES];
    for (size_t i = 0; i < UNIT_COUNT(NONE); i++) {
        decode(NONE[i], key, sizeof key);
        assert_false(crypto_is_verify_key(key));
    }
    for (size_t i = 0; i < UNIT_COUNT(VECTORS); i++) {
        decode(VECTORS[i].public_key, key, sizeof key);
        assert_true(crypto_is_verify_key(key));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_rfc),
        cmocka_unit_test(what_was_changed_is_not_believed),
        cmocka_unit_test(a_signers_id_is_that_of_its_public_key),
        cmocka_unit_test(keys_that_anybody_could_sign_for_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
