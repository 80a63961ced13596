#include "hello.h"

#include <string.h>

enum {
    RECORD_HANDSHAKE = 22,
    HANDSHAKE_CLIENT_HELLO = 1,
    EXTENSION_SERVER_NAME = 0,
    NAME_HOST = 0,
    VERSION_AND_RANDOM_BYTES = 34,
    RECORD_HEADER_BYTES = 5,
    HANDSHAKE_LENGTH_BYTES = 3,
};

/* What is left to read; a read past the end leaves nothing and `is_short`. */
typedef struct Rest {
    const unsigned char *data;
    size_t bytes;
    bool is_short;
} Rest;

static size_t take_number(Rest *rest, size_t width)
{
    if (rest->bytes < width) {
        *rest = (Rest){.is_short = true};
        return 0;
    }
    size_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | rest->data[i];
    }
    rest->data += width;
    rest->bytes -= width;
    return number;
}

static Rest take_bytes(Rest *rest, size_t bytes)
{
    if (rest->bytes < bytes) {
        *rest = (Rest){.is_short = true};
        return *rest;
    }
    Rest taken = {.data = rest->data, .bytes = bytes};
    rest->data += bytes;
    rest->bytes -= bytes;
    return taken;
}

/* A vector of TLS: its length in `width` bytes, then itself. */
static Rest take_vector(Rest *rest, size_t width)
{
    size_t bytes = take_number(rest, width);
    return take_bytes(rest, bytes);
}

static HelloResult copy_name(Rest names, char *ret_name, size_t name_bytes)
{
    Rest list = take_vector(&names, 2);
    size_t type = take_number(&list, 1);
    Rest name = take_vector(&list, 2);
    if (list.is_short || type != NAME_HOST || name.bytes == 0 || name.bytes >= name_bytes ||
        memchr(name.data, '\0', name.bytes) != NULL) {
        return HELLO_NAMELESS;
    }
    memcpy(ret_name, name.data, name.bytes);
    ret_name[name.bytes] = '\0';
    return HELLO_NAMED;
}

static HelloResult read_extensions(Rest hello, char *ret_name, size_t name_bytes)
{
    take_bytes(&hello, VERSION_AND_RANDOM_BYTES);
    take_vector(&hello, 1); /* session */
    take_vector(&hello, 2); /* ciphers */
    take_vector(&hello, 1); /* compressions */
    Rest extensions = take_vector(&hello, 2);
    while (extensions.bytes > 0) {
        size_t type = take_number(&extensions, 2);
        Rest extension = take_vector(&extensions, 2);
        if (!extensions.is_short && type == EXTENSION_SERVER_NAME) {
            return copy_name(extension, ret_name, name_bytes);
        }
    }
    return HELLO_NAMELESS;
}

HelloResult hello_read(const unsigned char *data, size_t bytes, char *ret_name, size_t name_bytes)
{
    Rest rest = {.data = data, .bytes = bytes};
    if (bytes > 0 && data[0] != RECORD_HANDSHAKE) {
        return HELLO_NAMELESS;
    }
    take_bytes(&rest, RECORD_HEADER_BYTES - 2);
    Rest record = take_vector(&rest, 2);
    if (rest.is_short) {
        return HELLO_INCOMPLETE;
    }
    bool is_hello = take_number(&record, 1) == HANDSHAKE_CLIENT_HELLO;
    Rest hello = take_vector(&record, HANDSHAKE_LENGTH_BYTES);
    if (record.is_short || !is_hello) {
        return HELLO_NAMELESS;
    }
    return read_extensions(hello, ret_name, name_bytes);
}
