/*
 * Bytes: a view that owns nothing. Buffer: bytes on the heap that it owns.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Bytes {
    const uint8_t *data; // may be NULL when size is 0
    size_t size;
} Bytes;

typedef struct Buffer {
    uint8_t *data;
    size_t size;
} Buffer;

// A view of a NUL-terminated text, without its NUL.
Bytes bytes_of(const char *text);
bool bytes_equal(Bytes a, Bytes b);
Bytes buffer_view(const Buffer *buffer);
// Copies `bytes`; what the buffer held is freed. A NUL follows the data, not counted.
void buffer_set(Buffer *buffer, Bytes bytes);
void buffer_clear(Buffer *buffer);

#endif
