/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

// Length of the character at the start of `bytes` (1 to 4) and its code point; 0 when there is
// none.
size_t utf8_next(Bytes bytes, uint32_t *ret_code_point);
bool utf8_is_valid(Bytes bytes);
// Size of `bytes` without a character that was cut off at the end.
size_t utf8_whole_bytes(Bytes bytes);

#endif
