#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

enum { FIRST_CAPACITY = 64, PIECE_BYTES = 128 };

void text_clear(Text *text)
{
    secret_zero(text->data, text->length);
    free(text->data);
    *text = TEXT_INIT(text->limit_bytes);
}

// Room for `size` more bytes and the NUL. Not by realloc, which leaves what it moved in freed
// memory.
static bool reserve(Text *text, size_t size)
{
    if (text->failed || size > text->limit_bytes - text->length) {
        text->failed = true;
        return false;
    }
    size_t needed = text->length + size + 1;
    if (needed <= text->capacity) {
        return true;
    }
    size_t capacity = text->capacity * 2 < FIRST_CAPACITY ? FIRST_CAPACITY : text->capacity * 2;
    capacity = capacity < needed ? needed : capacity;
    char *data = alloc_bytes(capacity);
    if (text->length > 0) {
        memcpy(data, text->data, text->length);
    }
    data[text->length] = '\0';
    secret_zero(text->data, text->length);
    free(text->data);
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_append_bytes(Text *text, const void *data, size_t size)
{
    if (!reserve(text, size) || size == 0) {
        return;
    }
    memcpy(text->data + text->length, data, size);
    text->length += size;
    text->data[text->length] = '\0';
}

void text_append(Text *text, const char *piece)
{
    text_append_bytes(text, piece, strlen(piece));
}

void text_append_char(Text *text, char c)
{
    text_append_bytes(text, &c, 1);
}

void text_printf(Text *text, const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    char piece[PIECE_BYTES];
    int length = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length)) {
        text->failed = true;
    } else if ((size_t)length < sizeof piece) {
        memcpy(text->data + text->length, piece, (size_t)length + 1);
        text->length += (size_t)length;
    } else {
        (void)vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    secret_zero(piece, sizeof piece);
}

// RFC 3986 §2.3; isalnum depends on the locale.
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void text_append_url(Text *text, const char *piece)
{
    for (; *piece != '\0'; piece++) {
        if (is_unreserved(*piece)) {
            text_append_char(text, *piece);
        } else {
            text_printf(text, "%%%02X", (unsigned char)*piece);
        }
    }
}

bool text_ok(const Text *text)
{
    return !text->failed;
}

const char *text_get(const Text *text)
{
    return text->data == NULL ? "" : text->data;
}

Bytes text_bytes(const Text *text)
{
    return (Bytes){(const uint8_t *)text->data, text->length};
}

bool text_copy(char *field, size_t field_bytes, const char *text)
{
    size_t bytes = strlen(text) + 1;
    if (bytes > field_bytes) {
        field[0] = '\0';
        return false;
    }
    memmove(field, text, bytes);
    return true;
}
