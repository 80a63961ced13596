#include "base/uuid.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char NIL[] = "00000000-0000-0000-0000-000000000000";

static bool is_hyphen_position(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool uuid_is_valid(const char *text)
{
    if (strlen(text) != UUID_TEXT_BYTES - 1 || strcmp(text, NIL) == 0) {
        return false;
    }
    for (size_t i = 0; i < UUID_TEXT_BYTES - 1; i++) {
        if (is_hyphen_position(i) ? text[i] != '-' : !is_hex_digit(text[i])) {
            return false;
        }
    }
    return true;
}

void uuid_normalise(const char *text, char ret_uuid[UUID_TEXT_BYTES])
{
    assert(uuid_is_valid(text));
    for (size_t i = 0; i < UUID_TEXT_BYTES; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'F';
        ret_uuid[i] = (char)(upper ? text[i] - 'A' + 'a' : text[i]);
    }
}

// RFC 9562 §4: the version is the high half of byte 6, the variant the two high bits of byte 8.
static void format_version(const uint8_t bytes[16], unsigned version,
                           char ret_uuid[UUID_TEXT_BYTES])
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        unsigned byte = bytes[i];
        byte = i == 6 ? (byte & 0x0f) | version << 4 : byte;
        byte = i == 8 ? (byte & 0x3f) | 0x80 : byte;
        if (is_hyphen_position(at)) {
            ret_uuid[at++] = '-';
        }
        ret_uuid[at++] = DIGITS[byte >> 4];
        ret_uuid[at++] = DIGITS[byte & 0x0f];
    }
    ret_uuid[at] = '\0';
}

void uuid_from_hash(const uint8_t bytes[16], char ret_uuid[UUID_TEXT_BYTES])
{
    format_version(bytes, 8, ret_uuid);
}

void uuid_from_random(const uint8_t bytes[16], char ret_uuid[UUID_TEXT_BYTES])
{
    format_version(bytes, 4, ret_uuid);
}
