#include "base/crypto.h"

#include <sodium.h>
#include <string.h>

#include "unit.h"

// The hex digits of `bytes`, valid until the next call.
static const char *hex(Bytes bytes)
{
    static char digits[512];
    assert_true(bytes.size * 2 < sizeof digits);
    return sodium_bin2hex(digits, sizeof digits, bytes.data, bytes.size);
}

typedef struct DigestCase {
    const char *parts[3];
    const char *digest;
} DigestCase;

// NIST's examples for FIPS 180-4.
static const DigestCase DIGESTS[] = {
    {{"", "", ""}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {{"abc", "", ""}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {{"", "a", "bc"}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {{"abcdbcdecdefdefgefghfghighij", "hijkijkljklmklmnlmnomnopnopq", ""},
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void digests_are_those_of_nist(void **state)
{
    (void)state;
    uint8_t digest[CRYPTO_SHA256_BYTES];
    for (size_t i = 0; i < UNIT_COUNT(DIGESTS); i++) {
        const char *const *parts = DIGESTS[i].parts;
        Bytes bytes[] = {bytes_of(parts[0]), bytes_of(parts[1]), bytes_of(parts[2])};
        crypto_sha256(bytes, UNIT_COUNT(bytes), digest);
        assert_string_equal(hex((Bytes){digest, sizeof digest}), DIGESTS[i].digest);
    }
    crypto_sha256(NULL, 0, digest);
    assert_string_equal(hex((Bytes){digest, sizeof digest}), DIGESTS[0].digest);
}

// RFC 4231, test cases 1 and 2: a shorter key counts as one that ends with zeros.
static void codes_of_messages_are_those_of_the_rfc(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_KEY_BYTES] = {0};
    uint8_t code[CRYPTO_SHA256_BYTES];
    memset(key, 0x0b, 20);
    crypto_hmac_sha256(key, &(Bytes){(const uint8_t *)"Hi There", 8}, 1, code);
    assert_string_equal(hex((Bytes){code, sizeof code}),
                        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    const uint8_t other_key[CRYPTO_KEY_BYTES] = {'J', 'e', 'f', 'e'};
    const Bytes parts[] = {bytes_of("what do ya want "), bytes_of(""), bytes_of("for nothing?")};
    crypto_hmac_sha256(other_key, parts, UNIT_COUNT(parts), code);
    assert_string_equal(hex((Bytes){code, sizeof code}),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// RFC 7914 section 11, the first half of each; and a password longer than a block, by Python.
static void keys_of_passwords_are_those_of_the_rfc(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_SHA256_BYTES];
    crypto_pbkdf2_sha256(bytes_of("passwd"), bytes_of("salt"), 1, key);
    assert_string_equal(hex((Bytes){key, sizeof key}),
                        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    crypto_pbkdf2_sha256(bytes_of("Password"), bytes_of("NaCl"), 80000, key);
    assert_string_equal(hex((Bytes){key, sizeof key}),
                        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
    crypto_pbkdf2_sha256(bytes_of("0123456789012345678901234567890123456789"
                                  "0123456789012345678901234567890123456789"),
                         bytes_of("NaCl"), 2, key);
    assert_string_equal(hex((Bytes){key, sizeof key}),
                        "e781385eaf8652996dc2d9575c7e1322a689aa6baed0245d7313fe9795bf74dd");
}

// Key pair, ids and boxes were computed apart from libsodium: X25519 and Poly1305 of OpenSSL,
// XSalsa20 by its paper, BLAKE2b of Python, put together as libsodium's documentation of sealed
// boxes says.
static const char PRIVATE[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char PUBLIC[] = "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f";
static const char BOX[] = "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a"
                          "55fdd927f83d3e6401ffdd4eb576028fa739f11046e9fbede95d36";
static const char EMPTY_BOX[] = "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a"
                                "df4bcbf8f841cce7972db30b8a4adf20";

static void a_private_key_has_its_public_key_and_id(void **state)
{
    (void)state;
    uint8_t private_key[CRYPTO_KEY_BYTES];
    uint8_t public_key[CRYPTO_KEY_BYTES];
    char id[CRYPTO_KEY_ID_BYTES];
    assert_true(crypto_hex_decode(PRIVATE, private_key, sizeof private_key));
    crypto_public_key(private_key, public_key);
    assert_string_equal(hex((Bytes){public_key, sizeof public_key}), PUBLIC);
    crypto_key_id(public_key, id);
    assert_string_equal(id, "eedd883da0a94515");
}

static void a_box_opens_with_its_private_key(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_KEY_BYTES];
    uint8_t box[59];
    uint8_t empty[48];
    Secret plain = SECRET_INIT;
    Error err = ERROR_INIT;
    assert_true(crypto_hex_decode(PRIVATE, key, sizeof key));
    assert_true(crypto_hex_decode(BOX, box, sizeof box));
    assert_true(crypto_hex_decode(EMPTY_BOX, empty, sizeof empty));
    assert_true(crypto_open_box((Bytes){box, sizeof box}, key, &plain, &err));
    assert_string_equal(secret_reveal(&plain), "napi_secret");
    assert_true(crypto_open_box((Bytes){empty, sizeof empty}, key, &plain, &err));
    assert_true(secret_is_empty(&plain));
    assert_int_equal(err.kind, ERROR_NONE);
}

// The ephemeral key of the boxes above.
static const char EPHEMERAL[] = "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f";

static void sealing_gives_the_same_boxes(void **state)
{
    (void)state;
    uint8_t public_key[CRYPTO_KEY_BYTES];
    uint8_t ephemeral[CRYPTO_KEY_BYTES];
    Buffer box = {NULL, 0};
    assert_true(crypto_hex_decode(PUBLIC, public_key, sizeof public_key));
    assert_true(crypto_hex_decode(EPHEMERAL, ephemeral, sizeof ephemeral));
    crypto_seal_box(bytes_of("napi_secret"), public_key, ephemeral, &box);
    assert_string_equal(hex(buffer_view(&box)), BOX);
    crypto_seal_box((Bytes){NULL, 0}, public_key, ephemeral, &box);
    assert_string_equal(hex(buffer_view(&box)), EMPTY_BOX);
    buffer_clear(&box);
}

// 0, 1, and a point of order 8: https://cr.yp.to/ecdh.html#validate
static void points_of_small_order_are_no_public_keys(void **state)
{
    (void)state;
    static const char *const POINTS[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    };
    uint8_t key[CRYPTO_KEY_BYTES];
    for (size_t i = 0; i < UNIT_COUNT(POINTS); i++) {
        assert_true(crypto_hex_decode(POINTS[i], key, sizeof key));
        assert_false(crypto_is_public_key(key));
    }
    assert_true(crypto_hex_decode(PUBLIC, key, sizeof key));
    assert_true(crypto_is_public_key(key));
}

static void a_key_pair_opens_many_boxes(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_KEY_BYTES];
    uint8_t box[59];
    Secret plain CLEANUP(secret_clear) = SECRET_INIT;
    CryptoKeyPair pair CLEANUP(crypto_key_pair_clear) = {.private_key = SECRET_INIT};
    assert_true(crypto_hex_decode(PRIVATE, key, sizeof key));
    assert_true(crypto_hex_decode(BOX, box, sizeof box));
    crypto_key_pair_set(&pair, key);
    assert_string_equal(hex((Bytes){pair.public_key, sizeof pair.public_key}), PUBLIC);
    assert_string_equal(pair.id, "eedd883da0a94515");
    for (int i = 0; i < 2; i++) {
        assert_true(crypto_key_pair_open(&pair, (Bytes){box, sizeof box}, &plain, NULL));
        assert_string_equal(secret_reveal(&plain), "napi_secret");
    }
}

static void a_changed_cut_or_foreign_box_stays_closed(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_KEY_BYTES];
    uint8_t box[59];
    Secret plain = SECRET_INIT;
    secret_set_text(&plain, "before");
    assert_true(crypto_hex_decode(PRIVATE, key, sizeof key));
    assert_true(crypto_hex_decode(BOX, box, sizeof box));
    for (size_t i = 0; i < sizeof box; i++) {
        Error err = ERROR_INIT;
        box[i] ^= 1;
        assert_false(crypto_open_box((Bytes){box, sizeof box}, key, &plain, &err));
        box[i] ^= 1;
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_string_equal(err.code, "SECRET_NOT_OPENABLE");
        assert_false(crypto_open_box((Bytes){box, i}, key, &plain, NULL));
    }
    assert_false(crypto_open_box((Bytes){NULL, 0}, key, &plain, NULL));
    key[3] ^= 1;
    assert_false(crypto_open_box((Bytes){box, sizeof box}, key, &plain, NULL));
    assert_string_equal(secret_reveal(&plain), "before");
    secret_clear(&plain);
}

typedef struct AeadCase {
    uint8_t key[CRYPTO_KEY_BYTES];
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    Bytes associated;
    Bytes plain;
} AeadCase;

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
static const char PLAIN[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one "
    "tip for the future, sunscreen would be it.";
static const char CIPHERTEXT_AND_TAG[] =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
    "21f9664c97637da9768812f615c68b13b52e"
    "c0875924c1c7987947deafd8780acf49";
static const char HEADER[] = "01"
                             "82d86408530b765e"
                             "404142434445464748494a4b4c4d4e4f5051525354555657";

static AeadCase draft_case(void)
{
    static const uint8_t ASSOCIATED[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
                                         0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
    AeadCase c = {.associated = {ASSOCIATED, sizeof ASSOCIATED}, .plain = bytes_of(PLAIN)};
    for (size_t i = 0; i < CRYPTO_KEY_BYTES; i++) {
        c.key[i] = (uint8_t)(0x80 + i);
    }
    for (size_t i = 0; i < CRYPTO_NONCE_BYTES; i++) {
        c.nonce[i] = (uint8_t)(0x40 + i);
    }
    return c;
}

static void sealing_gives_header_ciphertext_and_tag_of_the_draft(void **state)
{
    (void)state;
    AeadCase c = draft_case();
    Buffer sealed = {NULL, 0};
    Secret plain = SECRET_INIT;
    crypto_aead_seal(c.key, c.nonce, c.associated, c.plain, &sealed);
    const char *digits = hex(buffer_view(&sealed));
    assert_memory_equal(digits, HEADER, strlen(HEADER));
    assert_string_equal(digits + strlen(HEADER), CIPHERTEXT_AND_TAG);
    assert_true(crypto_aead_open(c.key, c.associated, buffer_view(&sealed), &plain, NULL));
    assert_string_equal(secret_reveal(&plain), PLAIN);
    secret_clear(&plain);
    buffer_clear(&sealed);
}

static void nothing_can_be_sealed(void **state)
{
    (void)state;
    AeadCase c = draft_case();
    Buffer sealed = {NULL, 0};
    Secret plain = SECRET_INIT;
    crypto_aead_seal(c.key, c.nonce, (Bytes){NULL, 0}, (Bytes){NULL, 0}, &sealed);
    assert_int_equal(sealed.size, 1 + 8 + 24 + 16);
    assert_true(crypto_aead_open(c.key, (Bytes){NULL, 0}, buffer_view(&sealed), &plain, NULL));
    assert_true(secret_is_empty(&plain));
    buffer_clear(&sealed);
}

static void assert_not_openable(const AeadCase *c, Bytes sealed)
{
    Secret plain = SECRET_INIT;
    Error err = ERROR_INIT;
    assert_false(crypto_aead_open(c->key, c->associated, sealed, &plain, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_string_equal(err.code, "SECRET_NOT_OPENABLE");
    assert_true(secret_is_empty(&plain));
}

static void a_changed_cut_or_foreign_value_stays_closed(void **state)
{
    (void)state;
    AeadCase c = draft_case();
    Buffer sealed = {NULL, 0};
    crypto_aead_seal(c.key, c.nonce, c.associated, c.plain, &sealed);
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 1;
        assert_not_openable(&c, buffer_view(&sealed));
        sealed.data[i] ^= 1;
        assert_not_openable(&c, (Bytes){sealed.data, i});
    }
    AeadCase other_key = c;
    other_key.key[0] ^= 1;
    assert_not_openable(&other_key, buffer_view(&sealed));
    AeadCase other_owner = c;
    other_owner.associated = bytes_of("another account");
    assert_not_openable(&other_owner, buffer_view(&sealed));
    buffer_clear(&sealed);
}

static void hex_goes_both_ways(void **state)
{
    (void)state;
    Text text = TEXT_INIT(100);
    uint8_t bytes[3] = {0};
    crypto_hex_append(&text, (Bytes){(const uint8_t *)"\x00\xab\xff", 3});
    assert_string_equal(text_get(&text), "00abff");
    assert_true(crypto_hex_decode("00ABff", bytes, sizeof bytes));
    assert_memory_equal(bytes, "\x00\xab\xff", 3);
    text_clear(&text);
}

static void other_hex_is_refused(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {"",       "00ab",   "00abf",   "00abff0", "00abff00",
                                          "00abfg", "00 bff", "0x00abf", "00:ab:ff"};
    uint8_t bytes[3];
    for (size_t i = 0; i < UNIT_COUNT(REFUSED); i++) {
        assert_false(crypto_hex_decode(REFUSED[i], bytes, sizeof bytes));
    }
}

typedef struct Base64Case {
    const char *plain;
    const char *encoded;
} Base64Case;

// RFC 4648 §10 without the padding, and the two characters of §5.
static const Base64Case BASE64[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xef\xff", "--__"},
};

static void base64url_goes_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(BASE64); i++) {
        const Base64Case *c = &BASE64[i];
        Text text = TEXT_INIT(100);
        Buffer bytes = {NULL, 0};
        crypto_base64url_append(&text, bytes_of(c->plain));
        assert_string_equal(text_get(&text), c->encoded);
        assert_true(crypto_base64url_decode(c->encoded, strlen(c->encoded), &bytes));
        assert_true(bytes_equal(buffer_view(&bytes), bytes_of(c->plain)));
        text_clear(&text);
        buffer_clear(&bytes);
    }
}

static void other_base64_is_refused(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {"Z",    "Zg==", "Zm9v=", "Zh",    "Zm9",    "++//",
                                          "Zm 9", "Zg\n", "Zm9v!", "Zm9vY", "Zm9\xff"};
    for (size_t i = 0; i < UNIT_COUNT(REFUSED); i++) {
        Buffer bytes = {NULL, 0};
        assert_false(crypto_base64url_decode(REFUSED[i], strlen(REFUSED[i]), &bytes));
        assert_null(bytes.data);
    }
}

// RFC 4648 section 10; other letters, no padding.
static void padded_base64_is_decoded(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {"Zg", "Zg=", "Zm8", "Z", "_-8=", "Zg== "};
    Buffer bytes = {NULL, 0};
    assert_true(crypto_base64_decode("Zm9vYg==", 8, &bytes));
    assert_string_equal((const char *)bytes.data, "foob");
    assert_true(crypto_base64_decode("/+8=$", 4, &bytes));
    assert_string_equal(hex(buffer_view(&bytes)), "ffef");
    for (size_t i = 0; i < UNIT_COUNT(REFUSED); i++) {
        assert_false(crypto_base64_decode(REFUSED[i], strlen(REFUSED[i]), &bytes));
    }
    buffer_clear(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_nist),
        cmocka_unit_test(codes_of_messages_are_those_of_the_rfc),
        cmocka_unit_test(keys_of_passwords_are_those_of_the_rfc),
        cmocka_unit_test(a_private_key_has_its_public_key_and_id),
        cmocka_unit_test(a_box_opens_with_its_private_key),
        cmocka_unit_test(a_key_pair_opens_many_boxes),
        cmocka_unit_test(sealing_gives_the_same_boxes),
        cmocka_unit_test(points_of_small_order_are_no_public_keys),
        cmocka_unit_test(a_changed_cut_or_foreign_box_stays_closed),
        cmocka_unit_test(sealing_gives_header_ciphertext_and_tag_of_the_draft),
        cmocka_unit_test(nothing_can_be_sealed),
        cmocka_unit_test(a_changed_cut_or_foreign_value_stays_closed),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(other_hex_is_refused),
        cmocka_unit_test(base64url_goes_both_ways),
        cmocka_unit_test(other_base64_is_refused),
        cmocka_unit_test(padded_base64_is_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
