/*
 * A key or password: no formatter takes it, and its memory is zeroed before it is freed.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>

#include "base/bytes.h"

typedef struct Secret {
    char *data;  // NUL-terminated; NULL when empty
    size_t size; // without the NUL
} Secret;

#define SECRET_INIT ((Secret){.data = NULL})

void secret_set(Secret *secret, Bytes bytes); // copies; what it held is zeroed and freed
void secret_set_text(Secret *secret, const char *text);
void secret_move(Secret *to, Secret *from);
void secret_clear(Secret *secret);
bool secret_is_empty(const Secret *secret);
Bytes secret_bytes(const Secret *secret);
// For handing to a driver only; never to a formatter. "" when empty.
const char *secret_reveal(const Secret *secret);

// Zeroes so that the compiler doesn't leave it out.
void secret_zero(void *data, size_t size);

#endif
