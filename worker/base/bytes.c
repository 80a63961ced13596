#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

Bytes bytes_of(const char *text)
{
    return (Bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(Bytes a, Bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

Bytes buffer_view(const Buffer *buffer)
{
    return (Bytes){buffer->data, buffer->size};
}

void buffer_set(Buffer *buffer, Bytes bytes)
{
    uint8_t *data = alloc_bytes(bytes.size + 1);
    if (bytes.size > 0) {
        memcpy(data, bytes.data, bytes.size);
    }
    data[bytes.size] = '\0';
    buffer_clear(buffer);
    *buffer = (Buffer){data, bytes.size};
}

void buffer_clear(Buffer *buffer)
{
    if (buffer->data != NULL) {
        explicit_bzero(buffer->data, buffer->size);
    }
    free(buffer->data);
    *buffer = (Buffer){NULL, 0};
}
