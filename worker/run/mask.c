#include "run/mask.h"

#include <string.h>

static uint8_t *find(const uint8_t *data, size_t size, Bytes needle)
{
    return size == 0 || needle.size == 0 ? NULL : memmem(data, size, needle.data, needle.size);
}

bool mask_finds(Bytes bytes, const Secret *secret)
{
    return find(bytes.data, bytes.size, secret_bytes(secret)) != NULL;
}

Bytes mask_bytes(Bytes bytes, const Secret *secret, Buffer *copy)
{
    Bytes needle = secret_bytes(secret);
    if (!mask_finds(bytes, secret)) {
        return bytes;
    }
    buffer_set(copy, bytes);
    uint8_t *end = copy->data + copy->size;
    uint8_t *rest = copy->data; // behind what is done: the secret might be asterisks itself
    uint8_t *found;
    while ((found = find(rest, (size_t)(end - rest), needle)) != NULL) {
        memset(found, '*', needle.size);
        rest = found + needle.size;
    }
    return buffer_view(copy);
}
