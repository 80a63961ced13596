#include "contract/completion_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/crypto.h"
#include "contract/completion.h"

enum {
    VERSION = 1,
    VARINT_BYTES_MAX = 9, // 63 bits
    FIXED_BYTES = 1 + 8 + 4,
    RAW_BYTES_MAX = (COMPLETION_TEXT_MAX - 1) / 4 * 3,
};

static const char *const UNREADABLE = "the offset's metadata is not a completion map";
static const char *const DAMAGED = "the completion map is damaged or belongs to another offset";

// ISO-HDLC, the CRC of gzip and Ethernet.
static uint32_t crc32(uint32_t crc, const uint8_t *data, size_t size)
{
    // of each half byte
    static const uint32_t TABLE[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc = TABLE[(crc ^ data[i]) & 0x0f] ^ crc >> 4;
        crc = TABLE[(crc ^ data[i] >> 4) & 0x0f] ^ crc >> 4;
    }
    return ~crc;
}

static void put_number(uint8_t *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
    }
}

static uint64_t get_number(const uint8_t *from, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++) {
        number = number << 8 | from[i];
    }
    return number;
}

static uint32_t checksum(const uint8_t *raw, size_t size, int64_t base)
{
    uint8_t base_bytes[8];
    put_number(base_bytes, (uint64_t)base, sizeof base_bytes);
    return crc32(crc32(0, raw, size), base_bytes, sizeof base_bytes);
}

static size_t varint_bytes(uint64_t number)
{
    size_t bytes = 1;
    for (; number >= 0x80; number >>= 7) {
        bytes++;
    }
    return bytes;
}

static size_t put_varint(uint8_t *to, uint64_t number)
{
    size_t bytes = 0;
    for (; number >= 0x80; number >>= 7) {
        to[bytes++] = (uint8_t)(number | 0x80);
    }
    to[bytes++] = (uint8_t)number;
    return bytes;
}

static bool take_varint(Bytes *rest, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < VARINT_BYTES_MAX && i < rest->size; i++) {
        number |= (uint64_t)(rest->data[i] & 0x7f) << (7 * i);
        if ((rest->data[i] & 0x80) == 0) {
            *rest = (Bytes){rest->data + i + 1, rest->size - i - 1};
            *ret_number = number;
            return true;
        }
    }
    return false;
}

static uint64_t distance(const CompletionMap *map, size_t index)
{
    return (uint64_t)(map->entries[index].offset - map->entries[index - 1].offset);
}

static uint64_t distance_of_end(const CompletionMap *map, int64_t end)
{
    return (uint64_t)(end - map->entries[0].offset);
}

// Bytes before encoding, but for those of the distances.
static size_t frame_bytes(const CompletionMap *map, size_t count, int64_t end)
{
    return FIXED_BYTES + varint_bytes(count) + varint_bytes(distance_of_end(map, end));
}

size_t completion_text_length(const CompletionMap *map)
{
    size_t bytes = frame_bytes(map, map->count, map->end);
    for (size_t i = 1; i < map->count; i++) {
        bytes += varint_bytes(distance(map, i));
    }
    return (bytes * 4 + 2) / 3;
}

// How many of the entries fit; with fewer than all of them, the next one is the map's end.
static size_t count_fitting(const CompletionMap *map)
{
    size_t distances = 0;
    size_t count = 1;
    for (; count < map->count && count < COMPLETION_UNFINISHED_MAX; count++) {
        distances += varint_bytes(distance(map, count));
        // Where this one becomes the last, the end behind it may be the farthest of all.
        if (distances + frame_bytes(map, COMPLETION_UNFINISHED_MAX, map->end) > RAW_BYTES_MAX) {
            break;
        }
    }
    return count;
}

void completion_text_append(const CompletionMap *map, Text *text)
{
    uint8_t raw[RAW_BYTES_MAX];
    size_t count = count_fitting(map);
    int64_t end = count < map->count ? map->entries[count].offset : map->end;
    size_t size = 0;
    raw[size++] = VERSION;
    put_number(raw + size, (uint64_t)map->entries[0].timestamp_ms, 8);
    size += 8;
    size += put_varint(raw + size, count);
    for (size_t i = 1; i < count; i++) {
        size += put_varint(raw + size, distance(map, i));
    }
    size += put_varint(raw + size, distance_of_end(map, end));
    put_number(raw + size, checksum(raw, size, map->entries[0].offset), 4);
    size += 4;
    crypto_base64url_append(text, (Bytes){raw, size});
}

// Adds a distance to an offset; false where it is no step forward or leads too far.
static bool step(int64_t from, uint64_t by, int64_t *ret_offset)
{
    if (by == 0 || by > (uint64_t)(INT64_MAX - from)) {
        return false;
    }
    *ret_offset = from + (int64_t)by;
    return true;
}

static bool read_entries(Bytes *rest, CompletionMap *map)
{
    for (size_t i = 1; i < map->count; i++) {
        uint64_t by = 0;
        if (!take_varint(rest, &by) ||
            !step(map->entries[i - 1].offset, by, &map->entries[i].offset)) {
            return false;
        }
    }
    uint64_t by = 0;
    return take_varint(rest, &by) && step(map->entries[0].offset, by, &map->end) &&
           map->end > map->entries[map->count - 1].offset && rest->size == 0;
}

const char *completion_text_read(int64_t base, const char *text, CompletionMap *ret_map)
{
    size_t length = strlen(text);
    Buffer raw CLEANUP(buffer_clear) = {NULL, 0};
    if (length >= COMPLETION_TEXT_MAX || !crypto_base64url_decode(text, length, &raw) ||
        raw.size < FIXED_BYTES || raw.data[0] != VERSION) {
        return UNREADABLE;
    }
    size_t body = raw.size - 4;
    if (base < 0 || get_number(raw.data + body, 4) != checksum(raw.data, body, base)) {
        return DAMAGED;
    }
    Bytes rest = {raw.data + 9, body - 9};
    uint64_t count = 0;
    if (!take_varint(&rest, &count) || count == 0 || count > COMPLETION_UNFINISHED_MAX) {
        return UNREADABLE;
    }
    CompletionMap map = {.count = (size_t)count};
    map.entries = alloc_zeroed(map.count, sizeof map.entries[0]);
    map.entries[0].offset = base;
    map.entries[0].timestamp_ms = (int64_t)get_number(raw.data + 1, 8);
    if (!read_entries(&rest, &map)) {
        free(map.entries);
        return UNREADABLE;
    }
    *ret_map = map;
    return NULL;
}
