/*
 * One error value for every layer: no allocation, passed by the caller, last argument. The kind
 * says what happens to a command that meets it; the code is stable and upper-case, as events carry
 * it; the text says what to do and never holds a secret. Expected outcomes (not found, not ready)
 * are values of the result type, not errors.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

typedef enum ErrorKind {
    ERROR_NONE,
    ERROR_INVALID,     // the input can't be right: refused for good
    ERROR_CONFLICT,    // it can't be done in the present state: refused for good
    ERROR_DENIED,      // credentials or plan don't allow it: refused for good
    ERROR_BUSY,        // wait (retry_after_ms where known), then the same again
    ERROR_UNAVAILABLE, // a neighbour is away: wait, then the same again
    ERROR_INTERNAL,    // our mistake
} ErrorKind;

typedef struct Error {
    ErrorKind kind;
    uint32_t retry_after_ms; // 0 = not said
    char code[48];           // UPPER_CASE, stable
    char field[96];          // field of the command it is about, or empty
    char text[512];
} Error;

#define ERROR_INIT ((Error){.kind = ERROR_NONE})

// Sets code and formatted text (cut at the struct's size); the field is emptied. Returns false, so
// that a caller can `return error_set(…)`. `err` may be NULL: nothing is written.
bool error_set(Error *err, ErrorKind kind, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);

// As error_set, and names the field.
bool error_set_field(Error *err, ErrorKind kind, const char *code, const char *field,
                     const char *format, ...) PRINTF_LIKE(5, 6);

// Puts "context: " before the text. Returns false.
bool error_context(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);

// "invalid", "conflict", … for logs.
const char *error_kind_name(ErrorKind kind);

#endif
