#include "verifier.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERIFIER_KEY_BYTES = 32,
    VERIFIER_SALT_MOST = 64,
    VERIFIER_PART_BYTES = 128,
    VERIFIER_ITERATIONS_MOST = 1000000,
};

static const char VERIFIER_PREFIX[] = "SCRAM-SHA-256$";

static bool decode(const char *text, unsigned char *ret_bytes, size_t most, size_t *ret_count)
{
    return sodium_base642bin(ret_bytes, most, text, strlen(text), NULL, ret_count, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0;
}

bool verifier_matches(const char *verifier, const char *password)
{
    char salt_text[VERIFIER_PART_BYTES];
    char stored_text[VERIFIER_PART_BYTES];
    unsigned char salt[VERIFIER_SALT_MOST];
    unsigned char stored[VERIFIER_KEY_BYTES];
    unsigned char salted[VERIFIER_KEY_BYTES];
    unsigned char client[VERIFIER_KEY_BYTES];
    unsigned char hashed[crypto_hash_sha256_BYTES];
    size_t salt_bytes = 0;
    size_t stored_bytes = 0;
    if (strncmp(verifier, VERIFIER_PREFIX, sizeof(VERIFIER_PREFIX) - 1) != 0) {
        return false;
    }
    char *rest = NULL;
    long iterations = strtol(verifier + sizeof(VERIFIER_PREFIX) - 1, &rest, 10);
    if (iterations <= 0 || iterations > VERIFIER_ITERATIONS_MOST ||
        sscanf(rest, ":%127[^$]$%127[^:]:", salt_text, stored_text) != 2 ||
        !decode(salt_text, salt, sizeof(salt), &salt_bytes) ||
        !decode(stored_text, stored, sizeof(stored), &stored_bytes) ||
        stored_bytes != sizeof(stored)) {
        return false;
    }
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)salt_bytes, (int)iterations,
                          EVP_sha256(), sizeof(salted), salted) != 1) {
        return false;
    }
    HMAC(EVP_sha256(), salted, sizeof(salted), (const unsigned char *)"Client Key", 10, client,
         NULL);
    crypto_hash_sha256(hashed, client, sizeof(client));
    sodium_memzero(salted, sizeof(salted));
    sodium_memzero(client, sizeof(client));
    return sodium_memcmp(hashed, stored, sizeof(hashed)) == 0;
}
