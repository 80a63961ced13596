#include "contract/traceparent.h"

#include <string.h>

// 00-<32 hex digits>-<16 hex digits>-<2 hex digits>; an id of zeroes means none.
typedef struct Part {
    size_t begin;
    size_t digits;
    bool may_be_zero;
} Part;

static const Part PARTS[] = {{3, 32, false}, {36, 16, false}, {53, 2, true}};

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_part(Bytes value, const Part *part)
{
    bool zero = true;
    for (size_t i = part->begin; i < part->begin + part->digits; i++) {
        if (!is_hex(value.data[i])) {
            return false;
        }
        zero = zero && value.data[i] == '0';
    }
    return value.data[part->begin - 1] == '-' && (part->may_be_zero || !zero);
}

static bool is_traceparent(Bytes value)
{
    if (value.size != TRACEPARENT_BYTES - 1 || memcmp(value.data, "00", 2) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (!is_part(value, &PARTS[i])) {
            return false;
        }
    }
    return true;
}

void traceparent_find(const RecordHeader *headers, size_t count,
                      char ret_traceparent[TRACEPARENT_BYTES])
{
    ret_traceparent[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, "traceparent") == 0 && is_traceparent(headers[i].value)) {
            memcpy(ret_traceparent, headers[i].value.data, TRACEPARENT_BYTES - 1);
            ret_traceparent[TRACEPARENT_BYTES - 1] = '\0';
            return;
        }
    }
}
