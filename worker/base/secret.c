#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void secret_zero(void *data, size_t size)
{
    if (size > 0) {
        explicit_bzero(data, size);
    }
}

void secret_clear(Secret *secret)
{
    secret_zero(secret->data, secret->size);
    free(secret->data);
    *secret = SECRET_INIT;
}

void secret_set(Secret *secret, Bytes bytes)
{
    Secret copy = SECRET_INIT;
    if (bytes.size > 0) {
        copy = (Secret){alloc_bytes(bytes.size + 1), bytes.size};
        memcpy(copy.data, bytes.data, bytes.size);
        copy.data[bytes.size] = '\0';
    }
    secret_clear(secret);
    *secret = copy;
}

void secret_set_text(Secret *secret, const char *text)
{
    secret_set(secret, bytes_of(text));
}

void secret_move(Secret *to, Secret *from)
{
    if (to == from) {
        return;
    }
    secret_clear(to);
    *to = *from;
    *from = SECRET_INIT;
}

bool secret_is_empty(const Secret *secret)
{
    return secret->size == 0;
}

Bytes secret_bytes(const Secret *secret)
{
    return (Bytes){(const uint8_t *)secret->data, secret->size};
}

const char *secret_reveal(const Secret *secret)
{
    return secret->data == NULL ? "" : secret->data;
}
