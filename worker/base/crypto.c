#include "base/crypto.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static_assert(CRYPTO_SHA256_BYTES == crypto_hash_sha256_BYTES, "FIPS 180-4");
static_assert(CRYPTO_SHA256_BYTES == crypto_auth_hmacsha256_BYTES, "RFC 2104");
static_assert(CRYPTO_KEY_BYTES == crypto_box_SECRETKEYBYTES, "X25519");
static_assert(CRYPTO_KEY_BYTES == crypto_box_PUBLICKEYBYTES, "X25519");
static_assert(CRYPTO_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "XChaCha20");
static_assert(CRYPTO_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "XChaCha20");

enum {
    SEALED_VERSION = 1,
    KEY_ID_RAW_BYTES = 8,
    SEALED_HEADER_BYTES = 1 + KEY_ID_RAW_BYTES + CRYPTO_NONCE_BYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    HEX_BLOCK_BYTES = 64,
};

void crypto_sha256(const Bytes *parts, size_t count, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < count; i++) {
        crypto_hash_sha256_update(&state, parts[i].data, parts[i].size);
    }
    crypto_hash_sha256_final(&state, ret_digest);
    secret_zero(&state, sizeof state);
}

void crypto_hmac_sha256(const uint8_t key[CRYPTO_KEY_BYTES], const Bytes *parts, size_t count,
                        uint8_t ret_code[CRYPTO_SHA256_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, CRYPTO_KEY_BYTES);
    for (size_t i = 0; i < count; i++) {
        crypto_auth_hmacsha256_update(&state, parts[i].data, parts[i].size);
    }
    crypto_auth_hmacsha256_final(&state, ret_code);
    secret_zero(&state, sizeof state);
}

void crypto_pbkdf2_sha256(Bytes password, Bytes salt, uint32_t iterations,
                          uint8_t ret_key[CRYPTO_SHA256_BYTES])
{
    static const uint8_t FIRST_BLOCK[] = {0, 0, 0, 1};
    crypto_auth_hmacsha256_state keyed; // to hash the password once is half of the work
    crypto_auth_hmacsha256_state state;
    uint8_t last[CRYPTO_SHA256_BYTES];
    crypto_auth_hmacsha256_init(&keyed, password.data, password.size);
    state = keyed;
    crypto_auth_hmacsha256_update(&state, salt.data, salt.size);
    crypto_auth_hmacsha256_update(&state, FIRST_BLOCK, sizeof FIRST_BLOCK);
    crypto_auth_hmacsha256_final(&state, last);
    memcpy(ret_key, last, sizeof last);
    for (uint32_t i = 1; i < iterations; i++) {
        state = keyed;
        crypto_auth_hmacsha256_update(&state, last, sizeof last);
        crypto_auth_hmacsha256_final(&state, last);
        for (size_t j = 0; j < sizeof last; j++) {
            ret_key[j] ^= last[j];
        }
    }
    secret_zero(&keyed, sizeof keyed);
    secret_zero(&state, sizeof state);
    secret_zero(last, sizeof last);
}

static void raw_key_id(const uint8_t key[CRYPTO_KEY_BYTES], uint8_t ret_id[KEY_ID_RAW_BYTES])
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(&(Bytes){key, CRYPTO_KEY_BYTES}, 1, digest);
    memcpy(ret_id, digest, KEY_ID_RAW_BYTES);
}

void crypto_key_id(const uint8_t key[CRYPTO_KEY_BYTES], char ret_id[CRYPTO_KEY_ID_BYTES])
{
    uint8_t id[KEY_ID_RAW_BYTES];
    raw_key_id(key, id);
    sodium_bin2hex(ret_id, CRYPTO_KEY_ID_BYTES, id, sizeof id);
}

void crypto_public_key(const uint8_t private_key[CRYPTO_KEY_BYTES],
                       uint8_t ret_public[CRYPTO_KEY_BYTES])
{
    // Fails for no private key: the base point isn't of small order.
    int failed = crypto_scalarmult_base(ret_public, private_key);
    assert(failed == 0);
    (void)failed;
}

bool crypto_is_public_key(const uint8_t key[CRYPTO_KEY_BYTES])
{
    // any private key tells: clamping makes each a multiple of all small orders
    static const uint8_t ANY[CRYPTO_KEY_BYTES] = {1};
    uint8_t shared[CRYPTO_KEY_BYTES];
    return crypto_scalarmult(shared, ANY, key) == 0;
}

// BLAKE2b of both public keys: each box has its own key, so the nonce needs no randomness.
static void box_nonce(const uint8_t ephemeral_public[CRYPTO_KEY_BYTES],
                      const uint8_t public_key[CRYPTO_KEY_BYTES],
                      uint8_t ret_nonce[crypto_box_NONCEBYTES])
{
    uint8_t both[2 * CRYPTO_KEY_BYTES];
    memcpy(both, ephemeral_public, CRYPTO_KEY_BYTES);
    memcpy(both + CRYPTO_KEY_BYTES, public_key, CRYPTO_KEY_BYTES);
    (void)crypto_generichash(ret_nonce, crypto_box_NONCEBYTES, both, sizeof both, NULL, 0);
}

void crypto_seal_box(Bytes plain, const uint8_t public_key[CRYPTO_KEY_BYTES],
                     const uint8_t ephemeral_key[CRYPTO_KEY_BYTES], Buffer *ret_box)
{
    uint8_t nonce[crypto_box_NONCEBYTES];
    size_t size = plain.size + crypto_box_SEALBYTES;
    uint8_t *box = alloc_bytes(size + 1);
    crypto_public_key(ephemeral_key, box);
    box_nonce(box, public_key, nonce);
    int failed = crypto_box_easy(box + CRYPTO_KEY_BYTES, plain.data, plain.size, nonce, public_key,
                                 ephemeral_key);
    assert(failed == 0 && "the caller has checked the public key");
    (void)failed;
    box[size] = '\0';
    buffer_clear(ret_box);
    *ret_box = (Buffer){box, size};
}

void crypto_key_pair_set(CryptoKeyPair *pair, const uint8_t private_key[CRYPTO_KEY_BYTES])
{
    secret_set(&pair->private_key, (Bytes){private_key, CRYPTO_KEY_BYTES});
    crypto_public_key(private_key, pair->public_key);
    crypto_key_id(pair->public_key, pair->id);
}

void crypto_key_pair_clear(CryptoKeyPair *pair)
{
    secret_clear(&pair->private_key);
}

bool crypto_key_pair_open(const CryptoKeyPair *pair, Bytes box, Secret *ret_plain, Error *err)
{
    size_t plain_bytes = box.size < crypto_box_SEALBYTES ? 0 : box.size - crypto_box_SEALBYTES;
    uint8_t *plain = alloc_bytes(plain_bytes);
    bool opened = box.size >= crypto_box_SEALBYTES &&
                  crypto_box_seal_open(plain, box.data, box.size, pair->public_key,
                                       secret_bytes(&pair->private_key).data) == 0;
    if (opened) {
        secret_set(ret_plain, (Bytes){plain, plain_bytes});
    }
    secret_zero(plain, plain_bytes);
    free(plain);
    return opened ||
           error_set(err, ERROR_INVALID, "SECRET_NOT_OPENABLE",
                     "the sealed box can't be opened: seal it to this fleet's public key");
}

bool crypto_open_box(Bytes box, const uint8_t private_key[CRYPTO_KEY_BYTES], Secret *ret_plain,
                     Error *err)
{
    CLEANUP(crypto_key_pair_clear) CryptoKeyPair pair = {.private_key = SECRET_INIT};
    crypto_key_pair_set(&pair, private_key);
    return crypto_key_pair_open(&pair, box, ret_plain, err);
}

void crypto_aead_seal(const uint8_t key[CRYPTO_KEY_BYTES], const uint8_t nonce[CRYPTO_NONCE_BYTES],
                      Bytes associated, Bytes plain, Buffer *ret_sealed)
{
    size_t size = SEALED_HEADER_BYTES + plain.size + TAG_BYTES;
    uint8_t *sealed = alloc_bytes(size + 1);
    sealed[0] = SEALED_VERSION;
    raw_key_id(key, sealed + 1);
    memcpy(sealed + 1 + KEY_ID_RAW_BYTES, nonce, CRYPTO_NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + SEALED_HEADER_BYTES, NULL, plain.data,
                                                     plain.size, associated.data, associated.size,
                                                     NULL, nonce, key);
    sealed[size] = '\0';
    buffer_clear(ret_sealed);
    *ret_sealed = (Buffer){sealed, size};
}

bool crypto_aead_key_id(Bytes sealed, char ret_id[CRYPTO_KEY_ID_BYTES])
{
    if (sealed.size < SEALED_HEADER_BYTES + TAG_BYTES || sealed.data[0] != SEALED_VERSION) {
        return false;
    }
    sodium_bin2hex(ret_id, CRYPTO_KEY_ID_BYTES, sealed.data + 1, KEY_ID_RAW_BYTES);
    return true;
}

static bool header_fits(const uint8_t key[CRYPTO_KEY_BYTES], Bytes sealed, Error *err)
{
    if (sealed.size < SEALED_HEADER_BYTES + TAG_BYTES || sealed.data[0] != SEALED_VERSION) {
        return error_set(err, ERROR_INVALID, "SECRET_NOT_OPENABLE",
                         "the sealed value isn't of version %d", SEALED_VERSION);
    }
    uint8_t id[KEY_ID_RAW_BYTES];
    raw_key_id(key, id);
    if (memcmp(id, sealed.data + 1, sizeof id) != 0) {
        return error_set(
            err, ERROR_INVALID, "SECRET_NOT_OPENABLE",
            "the value was sealed with another key-encryption key: configure that one");
    }
    return true;
}

bool crypto_aead_open(const uint8_t key[CRYPTO_KEY_BYTES], Bytes associated, Bytes sealed,
                      Secret *ret_plain, Error *err)
{
    if (!header_fits(key, sealed, err)) {
        return false;
    }
    const uint8_t *nonce = sealed.data + 1 + KEY_ID_RAW_BYTES;
    size_t body_bytes = sealed.size - SEALED_HEADER_BYTES;
    size_t plain_bytes = body_bytes - TAG_BYTES;
    uint8_t *plain = alloc_bytes(plain_bytes);
    bool opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
                      plain, NULL, NULL, sealed.data + SEALED_HEADER_BYTES, body_bytes,
                      associated.data, associated.size, nonce, key) == 0;
    if (opened) {
        secret_set(ret_plain, (Bytes){plain, plain_bytes});
    }
    secret_zero(plain, plain_bytes);
    free(plain);
    return opened || error_set(err, ERROR_INVALID, "SECRET_NOT_OPENABLE",
                               "the sealed value was changed or belongs to another owner");
}

void crypto_hex_append(Text *text, Bytes bytes)
{
    char hex[2 * HEX_BLOCK_BYTES + 1];
    for (size_t begin = 0; begin < bytes.size; begin += HEX_BLOCK_BYTES) {
        size_t left = bytes.size - begin;
        size_t size = left < HEX_BLOCK_BYTES ? left : HEX_BLOCK_BYTES;
        sodium_bin2hex(hex, sizeof hex, bytes.data + begin, size);
        text_append_bytes(text, hex, 2 * size);
    }
    secret_zero(hex, sizeof hex);
}

bool crypto_hex_decode(const char *hex, uint8_t *ret_bytes, size_t size)
{
    size_t decoded = 0;
    return strlen(hex) == size * 2 &&
           sodium_hex2bin(ret_bytes, size, hex, size * 2, NULL, &decoded, NULL) == 0 &&
           decoded == size;
}

void crypto_base64url_append(Text *text, Bytes bytes)
{
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    size_t capacity = sodium_base64_encoded_len(bytes.size, variant);
    char *encoded = alloc_bytes(capacity);
    sodium_bin2base64(encoded, capacity, bytes.data, bytes.size, variant);
    text_append(text, encoded);
    secret_zero(encoded, capacity);
    free(encoded);
}

// libsodium 1.0.18 takes the byte 0xff for '_', or '/'.
static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] > 0x7f) {
            return false;
        }
    }
    return true;
}

static bool base64_decode(const char *text, size_t length, int variant, Buffer *ret_bytes)
{
    uint8_t *bytes = alloc_bytes(length);
    size_t size = 0;
    bool decoded = is_ascii(text, length) &&
                   sodium_base642bin(bytes, length, text, length, NULL, &size, NULL, variant) == 0;
    if (decoded) {
        buffer_set(ret_bytes, (Bytes){bytes, size});
    }
    secret_zero(bytes, length);
    free(bytes);
    return decoded;
}

bool crypto_base64url_decode(const char *text, size_t length, Buffer *ret_bytes)
{
    return base64_decode(text, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING, ret_bytes);
}

bool crypto_base64_decode(const char *text, size_t length, Buffer *ret_bytes)
{
    return base64_decode(text, length, sodium_base64_VARIANT_ORIGINAL, ret_bytes);
}
