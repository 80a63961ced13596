/*
 * A text that grows up to a limit given at the start. What would go over the limit is not appended
 * at all and the text is marked failed for good, so that one check at the end is enough and nothing
 * is ever cut silently.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/bytes.h"

typedef struct Text {
    char *data; // NUL-terminated; NULL while empty
    size_t length;
    size_t capacity;
    size_t limit_bytes; // of the length, without the NUL
    bool failed;
} Text;

#define TEXT_INIT(limit) ((Text){.limit_bytes = (limit)})

void text_clear(Text *text); // frees; the limit stays; not failed any more
void text_append(Text *text, const char *piece);
void text_append_bytes(Text *text, const void *data, size_t size);
void text_append_char(Text *text, char c);
void text_printf(Text *text, const char *format, ...) PRINTF_LIKE(2, 3);
// Percent-encodes everything but RFC 3986 unreserved characters.
void text_append_url(Text *text, const char *piece);
bool text_ok(const Text *text);
// Never NULL.
const char *text_get(const Text *text);
Bytes text_bytes(const Text *text);

// Copies a text into a fixed field, or returns false and leaves the field empty when it (with its
// NUL) doesn't fit.
bool text_copy(char *field, size_t field_bytes, const char *text) MUST_USE;

#endif
