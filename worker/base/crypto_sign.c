#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"

static_assert(CRYPTO_KEY_BYTES == crypto_sign_SEEDBYTES, "Ed25519");
static_assert(CRYPTO_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");
static_assert(CRYPTO_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");

void crypto_signer_set(CryptoSigner *signer, const uint8_t seed[CRYPTO_KEY_BYTES])
{
    uint8_t private_key[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_seed_keypair(signer->public_key, private_key, seed);
    secret_set(&signer->private_key, (Bytes){private_key, sizeof private_key});
    secret_zero(private_key, sizeof private_key);
    crypto_key_id(signer->public_key, signer->id);
}

void crypto_signer_clear(CryptoSigner *signer)
{
    secret_clear(&signer->private_key);
}

// Ed25519 hashes its message twice, so that it takes no stream (RFC 8032 section 8.3).
static Buffer join(const Bytes *parts, size_t count)
{
    Buffer whole = {.size = 0};
    for (size_t i = 0; i < count; i++) {
        whole.size += parts[i].size;
    }
    whole.data = alloc_bytes(whole.size + 1);
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0) {
            memcpy(whole.data + filled, parts[i].data, parts[i].size);
        }
        filled += parts[i].size;
    }
    return whole;
}

// A command may hold an API key in clear.
static void forget(Buffer *whole)
{
    secret_zero(whole->data, whole->size);
    buffer_clear(whole);
}

void crypto_sign_parts(const CryptoSigner *signer, const Bytes *parts, size_t count,
                       uint8_t ret_signature[CRYPTO_SIGNATURE_BYTES])
{
    Buffer whole CLEANUP(forget) = join(parts, count);
    (void)crypto_sign_detached(ret_signature, NULL, whole.data, whole.size,
                               secret_bytes(&signer->private_key).data);
}

bool crypto_verify_parts(const uint8_t public_key[CRYPTO_KEY_BYTES], const Bytes *parts,
                         size_t count, const uint8_t signature[CRYPTO_SIGNATURE_BYTES])
{
    Buffer whole CLEANUP(forget) = join(parts, count);
    return crypto_sign_verify_detached(signature, whole.data, whole.size, public_key) == 0;
}

bool crypto_is_verify_key(const uint8_t public_key[CRYPTO_KEY_BYTES])
{
    return crypto_core_ed25519_is_valid_point(public_key) == 1;
}
