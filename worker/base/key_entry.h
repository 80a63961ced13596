/*
 * Lists of public keys in settings: APPLICATION=HEX entries apart by commas or white space.
 */
#ifndef BASE_KEY_ENTRY_H
#define BASE_KEY_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/name.h"

#define KEY_ENTRY_ANY "*" // instead of an application's name, where a list takes it

typedef struct KeyEntry {
    bool is_right; // else the rest is nothing
    char application_id[NAME_APPLICATION_BYTES];
    uint8_t public_key[CRYPTO_KEY_BYTES]; // 32 bytes that nobody has looked at
} KeyEntry;

// The next entry of *list, which is moved behind it; false at the end.
bool key_entry_next(const char **list, KeyEntry *ret_entry);

#endif
