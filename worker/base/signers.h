/*
 * Who may sign commands (commands.signers): Ed25519 public keys as APPLICATION=HEX entries apart by
 * commas or white space, each for the commands of one application, or of any ("*"). An application
 * may have several, so that a new key is there before the old one goes.
 */
#ifndef BASE_SIGNERS_H
#define BASE_SIGNERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

typedef struct Signers Signers;

// Number, from 1, of the first entry that can't be right; 0: none.
size_t signers_first_wrong(const char *list);

// Of a list without wrong entries.
Signers *signers_new(const char *list);
void signers_free(Signers *signers);
void signers_free_at(Signers **signers); // for CLEANUP
// One more, for all applications.
void signers_add(Signers *signers, const uint8_t public_key[CRYPTO_KEY_BYTES]);

// The key with this id (crypto_key_id) that signs for the application, or NULL; belongs to the
// signers.
const uint8_t *signers_find(const Signers *signers, const char *application_id, const char *key_id);

#endif
