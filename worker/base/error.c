#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

// Copies what fits, without half a character at the end: error texts travel in protobuf strings.
static void copy_cut(char *field, size_t field_bytes, const char *text)
{
    size_t length = strlen(text);
    if (length >= field_bytes) {
        length = utf8_whole_bytes((Bytes){(const uint8_t *)text, field_bytes - 1});
    }
    memcpy(field, text, length);
    field[length] = '\0';
}

// The text is formatted aside, because an argument may point into `err`.
PRINTF_LIKE(2, 0)
static void set_text(Error *err, const char *format, va_list arguments)
{
    char text[sizeof err->text + 4];
    (void)vsnprintf(text, sizeof text, format, arguments);
    copy_cut(err->text, sizeof err->text, text);
}

bool error_set(Error *err, ErrorKind kind, const char *code, const char *format, ...)
{
    if (err == NULL) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    set_text(err, format, arguments);
    va_end(arguments);
    err->kind = kind;
    err->retry_after_ms = 0;
    err->field[0] = '\0';
    copy_cut(err->code, sizeof err->code, code);
    return false;
}

bool error_set_field(Error *err, ErrorKind kind, const char *code, const char *field,
                     const char *format, ...)
{
    if (err == NULL) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    set_text(err, format, arguments);
    va_end(arguments);
    err->kind = kind;
    err->retry_after_ms = 0;
    copy_cut(err->field, sizeof err->field, field);
    copy_cut(err->code, sizeof err->code, code);
    return false;
}

bool error_context(Error *err, const char *format, ...)
{
    if (err == NULL) {
        return false;
    }
    char text[sizeof err->text * 2 + 4];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof err->text, format, arguments);
    va_end(arguments);
    size_t length = strlen(text);
    (void)snprintf(text + length, sizeof text - length, ": %s", err->text);
    copy_cut(err->text, sizeof err->text, text);
    return false;
}

const char *error_kind_name(ErrorKind kind)
{
    static const char *const NAMES[] = {
        [ERROR_NONE] = "none",         [ERROR_INVALID] = "invalid",
        [ERROR_CONFLICT] = "conflict", [ERROR_DENIED] = "denied",
        [ERROR_BUSY] = "busy",         [ERROR_UNAVAILABLE] = "unavailable",
        [ERROR_INTERNAL] = "internal",
    };
    return NAMES[kind];
}
