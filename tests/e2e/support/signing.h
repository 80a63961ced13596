/*
 * Keys that sign commands, and records with signatures of any form.
 */
#ifndef E2E_SIGNING_H
#define E2E_SIGNING_H

#include "base/crypto.h"
#include "support/world.h"

typedef struct SigningKey {
    uint8_t seed[CRYPTO_KEY_BYTES]; // a secret of the world
    CryptoSigner signer;            // cleared with crypto_signer_clear
    const char *public_hex;         // for commands.signers
} SigningKey;

void signing_make_key(World *world, SigningKey *ret_key);
// The same by provisionctl keygen --signing: DIR/present.key.
void signing_make_key_by_ctl(World *world, SigningKey *ret_key);
// The header's value; kept until the program ends.
const char *signing_text(const SigningKey *key, const char *application, Bytes value);
// Headers of a record with up to two of them; NULL: none.
rd_kafka_headers_t *signing_headers(const char *first, const char *second);

#endif
