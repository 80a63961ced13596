/* The name that a TLS client asks for, read from its first message: RFC 8446 §4.1.2, RFC 6066 §3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum HelloResult {
    HELLO_INCOMPLETE, /* more bytes are needed */
    HELLO_NAMELESS,   /* names no host, or is no ClientHello */
    HELLO_NAMED,
} HelloResult;

/* Reads a ClientHello that fits into one record, and puts the host's name into ret_name when it
 * fits there. */
HelloResult hello_read(const unsigned char *data, size_t bytes, char *ret_name, size_t name_bytes);
