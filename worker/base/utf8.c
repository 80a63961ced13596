#include "base/utf8.h"

typedef struct Lead {
    uint8_t mask;
    uint8_t value;
    uint32_t first; // a smaller code point has a shorter form
} Lead;

static const Lead LEADS[] = {
    {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

enum { LEAD_COUNT = sizeof LEADS / sizeof LEADS[0] };

// Bytes of the character that begins with `first`, 0 when none begins so.
static size_t sequence_bytes(uint8_t first)
{
    for (size_t i = 0; i < LEAD_COUNT; i++) {
        if ((first & LEADS[i].mask) == LEADS[i].value) {
            return i + 1;
        }
    }
    return 0;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t utf8_next(Bytes bytes, uint32_t *ret_code_point)
{
    size_t length = bytes.size == 0 ? 0 : sequence_bytes(bytes.data[0]);
    if (length == 0 || length > bytes.size) {
        return 0;
    }
    uint32_t code_point = bytes.data[0] & (uint8_t)~LEADS[length - 1].mask;
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(bytes.data[i])) {
            return 0;
        }
        code_point = code_point << 6 | (bytes.data[i] & 0x3f);
    }
    bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (code_point < LEADS[length - 1].first || code_point > 0x10ffff || surrogate) {
        return 0;
    }
    *ret_code_point = code_point;
    return length;
}

bool utf8_is_valid(Bytes bytes)
{
    while (bytes.size > 0) {
        uint32_t code_point = 0;
        size_t length = utf8_next(bytes, &code_point);
        if (length == 0) {
            return false;
        }
        bytes.data += length;
        bytes.size -= length;
    }
    return true;
}

size_t utf8_whole_bytes(Bytes bytes)
{
    for (size_t back = 1; back <= 4 && back <= bytes.size; back++) {
        uint8_t byte = bytes.data[bytes.size - back];
        if (!is_continuation(byte)) {
            return sequence_bytes(byte) > back ? bytes.size - back : bytes.size;
        }
    }
    return bytes.size;
}
