/*
 * Deterministic crypto on libsodium: every input, nonces and the keys of sealed boxes included,
 * comes from the caller.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"

enum {
    CRYPTO_SHA256_BYTES = 32,
    CRYPTO_KEY_BYTES = 32,       // X25519 keys, key-encryption keys
    CRYPTO_NONCE_BYTES = 24,     // XChaCha20-Poly1305 (IETF)
    CRYPTO_KEY_ID_BYTES = 17,    // 16 hex digits and a NUL
    CRYPTO_SIGNATURE_BYTES = 64, // Ed25519
};

// SHA-256 of the concatenation of `count` parts (FIPS 180-4).
void crypto_sha256(const Bytes *parts, size_t count, uint8_t ret_digest[CRYPTO_SHA256_BYTES]);

// HMAC-SHA-256 of the concatenation of `count` parts (RFC 2104).
void crypto_hmac_sha256(const uint8_t key[CRYPTO_KEY_BYTES], const Bytes *parts, size_t count,
                        uint8_t ret_code[CRYPTO_SHA256_BYTES]);

// PBKDF2 with HMAC-SHA-256, one block of it (RFC 8018 section 5.2): 1 to 3 ms for 4,096 iterations.
void crypto_pbkdf2_sha256(Bytes password, Bytes salt, uint32_t iterations,
                          uint8_t ret_key[CRYPTO_SHA256_BYTES]);

// First 8 bytes of the SHA-256 of a public key or key-encryption key, lower-case hex.
void crypto_key_id(const uint8_t key[CRYPTO_KEY_BYTES], char ret_id[CRYPTO_KEY_ID_BYTES]);

// The X25519 public key of a private key.
void crypto_public_key(const uint8_t private_key[CRYPTO_KEY_BYTES],
                       uint8_t ret_public[CRYPTO_KEY_BYTES]);

// Whether a box can be sealed to it: false for the few points of small order, with which no secret
// can be shared (RFC 7748 section 6.1).
bool crypto_is_public_key(const uint8_t key[CRYPTO_KEY_BYTES]);

// A libsodium sealed box, which crypto_box_seal_open opens. `public_key`: one that
// crypto_is_public_key takes. `ephemeral_key`: random, of this box alone.
// https://doc.libsodium.org/public-key_cryptography/sealed_boxes#algorithm-details
void crypto_seal_box(Bytes plain, const uint8_t public_key[CRYPTO_KEY_BYTES],
                     const uint8_t ephemeral_key[CRYPTO_KEY_BYTES], Buffer *ret_box);
// A private key with what follows from it, which takes as long as opening a box.
typedef struct CryptoKeyPair {
    Secret private_key; // raw
    uint8_t public_key[CRYPTO_KEY_BYTES];
    char id[CRYPTO_KEY_ID_BYTES]; // of the public key
} CryptoKeyPair;

void crypto_key_pair_set(CryptoKeyPair *pair, const uint8_t private_key[CRYPTO_KEY_BYTES]);
void crypto_key_pair_clear(CryptoKeyPair *pair);

// Opens a libsodium sealed box. Error: SECRET_NOT_OPENABLE.
bool crypto_key_pair_open(const CryptoKeyPair *pair, Bytes box, Secret *ret_plain, Error *err);
bool crypto_open_box(Bytes box, const uint8_t private_key[CRYPTO_KEY_BYTES], Secret *ret_plain,
                     Error *err);

// XChaCha20-Poly1305 with associated data. Format of the result: version byte 1, 8 bytes key id,
// nonce, ciphertext with tag. Error of open: SECRET_NOT_OPENABLE (other key, other associated data,
// changed).
void crypto_aead_seal(const uint8_t key[CRYPTO_KEY_BYTES], const uint8_t nonce[CRYPTO_NONCE_BYTES],
                      Bytes associated, Bytes plain, Buffer *ret_sealed);
bool crypto_aead_open(const uint8_t key[CRYPTO_KEY_BYTES], Bytes associated, Bytes sealed,
                      Secret *ret_plain, Error *err);

// The key that a sealed value asks for, as crypto_key_id names it; false: it is no sealed value.
bool crypto_aead_key_id(Bytes sealed, char ret_id[CRYPTO_KEY_ID_BYTES]);

// Ed25519 (RFC 8032). Its private key is 32 random bytes, the seed of section 5.1.5.
typedef struct CryptoSigner {
    Secret private_key; // seed and public key, as libsodium wants them; empty: none
    uint8_t public_key[CRYPTO_KEY_BYTES];
    char id[CRYPTO_KEY_ID_BYTES]; // of the public key
} CryptoSigner;

void crypto_signer_set(CryptoSigner *signer, const uint8_t seed[CRYPTO_KEY_BYTES]);
void crypto_signer_clear(CryptoSigner *signer);
// Of the concatenation of `count` parts; the same input always has the same signature.
void crypto_sign_parts(const CryptoSigner *signer, const Bytes *parts, size_t count,
                       uint8_t ret_signature[CRYPTO_SIGNATURE_BYTES]);
bool crypto_verify_parts(const uint8_t public_key[CRYPTO_KEY_BYTES], const Bytes *parts,
                         size_t count, const uint8_t signature[CRYPTO_SIGNATURE_BYTES]) MUST_USE;
// Whether signatures by it can be believed: a point of Ed25519's main subgroup.
bool crypto_is_verify_key(const uint8_t public_key[CRYPTO_KEY_BYTES]);

void crypto_hex_append(Text *text, Bytes bytes);
// Even number of hex digits of either case, exactly `size` bytes, else false.
bool crypto_hex_decode(const char *hex, uint8_t *ret_bytes, size_t size) MUST_USE;
// RFC 4648 §5 without padding; decode refuses anything else.
void crypto_base64url_append(Text *text, Bytes bytes);
bool crypto_base64url_decode(const char *text, size_t length, Buffer *ret_bytes) MUST_USE;
// RFC 4648 §4, with padding.
bool crypto_base64_decode(const char *text, size_t length, Buffer *ret_bytes) MUST_USE;

#endif
