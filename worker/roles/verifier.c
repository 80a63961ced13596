#include "roles/verifier.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/crypto.h"
#include "base/secret.h"

enum {
    ITERATIONS_MAX = 1000000,
    SALT_BYTES_MAX = 1024,
};

typedef struct Verifier {
    uint32_t iterations;
    Buffer salt;
    Buffer stored_key;
} Verifier;

static void verifier_clear(Verifier *verifier)
{
    buffer_clear(&verifier->salt);
    buffer_clear(&verifier->stored_key);
}

// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, the last three in base64.
static bool parse(const char *text, Verifier *ret_verifier)
{
    static const char HEAD[] = "SCRAM-SHA-256$";
    if (strncmp(text, HEAD, strlen(HEAD)) != 0) {
        return false;
    }
    char *end = NULL;
    unsigned long iterations = strtoul(text + strlen(HEAD), &end, 10);
    if (*end != ':' || iterations < 1 || iterations > ITERATIONS_MAX) {
        return false;
    }
    const char *salt = end + 1;
    size_t salt_length = strcspn(salt, "$");
    const char *key = salt + salt_length + (salt[salt_length] == '$' ? 1 : 0);
    size_t key_length = strcspn(key, ":");
    ret_verifier->iterations = (uint32_t)iterations;
    return key[key_length] == ':' && salt_length <= SALT_BYTES_MAX &&
           crypto_base64_decode(salt, salt_length, &ret_verifier->salt) &&
           crypto_base64_decode(key, key_length, &ret_verifier->stored_key) &&
           ret_verifier->stored_key.size == CRYPTO_SHA256_BYTES;
}

// RFC 5802 section 3: StoredKey := H(HMAC(SaltedPassword, "Client Key")).
static void derive(const Verifier *verifier, const char *password,
                   uint8_t ret_stored_key[CRYPTO_SHA256_BYTES])
{
    uint8_t salted[CRYPTO_SHA256_BYTES];
    uint8_t client_key[CRYPTO_SHA256_BYTES];
    crypto_pbkdf2_sha256(bytes_of(password), buffer_view(&verifier->salt), verifier->iterations,
                         salted);
    crypto_hmac_sha256(salted, &(Bytes){(const uint8_t *)"Client Key", 10}, 1, client_key);
    crypto_sha256(&(Bytes){client_key, sizeof client_key}, 1, ret_stored_key);
    secret_zero(salted, sizeof salted);
    secret_zero(client_key, sizeof client_key);
}

RolesVerified roles_verifier_check(const char *verifier, const char *password)
{
    CLEANUP(verifier_clear) Verifier parsed = {.iterations = 0};
    if (!parse(verifier, &parsed)) {
        return ROLES_VERIFIED_UNKNOWN;
    }
    uint8_t stored_key[CRYPTO_SHA256_BYTES];
    derive(&parsed, password, stored_key);
    bool equal =
        bytes_equal((Bytes){stored_key, sizeof stored_key}, buffer_view(&parsed.stored_key));
    return equal ? ROLES_VERIFIED_EQUAL : ROLES_VERIFIED_DIFFERENT;
}
