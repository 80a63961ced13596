/*
 * Keys of which several are good at once, so that one can be replaced while everything runs: 64 hex
 * digits each, the newest first, apart by commas or spaces.
 */
#ifndef BASE_KEY_LIST_H
#define BASE_KEY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

enum { KEY_LIST_MAX = 4 };

typedef struct KeyList {
    uint8_t keys[KEY_LIST_MAX][CRYPTO_KEY_BYTES];
    size_t count;
} KeyList;

// False: something in it is no key, one stands there twice, or they are more than KEY_LIST_MAX. An
// empty text has none.
bool key_list_parse(const char *text, KeyList *ret_list);
void key_list_clear(KeyList *list); // zeroes

#endif
