/*
 * Who may be sent passwords (reveal.recipients): X25519 public keys, each listed for one
 * application, as a text of APPLICATION=HEX entries apart by commas or white space. An application
 * may have several. Nobody is listed by default.
 */
#ifndef BASE_RECIPIENTS_H
#define BASE_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

// Number, from 1, of the first entry that can't be right; 0: none. An entry is the name of an
// application, '=' and the 64 hex digits of a public key.
size_t recipients_first_wrong(const char *list);
// Whether the key is listed for the application.
bool recipients_has(const char *list, const char *application_id,
                    const uint8_t public_key[CRYPTO_KEY_BYTES]);

#endif
