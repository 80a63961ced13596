#include "contract/json_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/crypto.h"

// https://protobuf.dev/reference/protobuf/google.protobuf/#duration
static const int64_t DURATION_MAX_SECONDS = INT64_C(315576000000);

enum { NANO_DIGITS = 9 };

WellKnown json_well_known(const ProtobufCMessageDescriptor *descriptor)
{
    static const struct {
        const char *name;
        WellKnown kind;
    } KNOWN[] = {
        {"google.protobuf.Timestamp", WELL_KNOWN_TIMESTAMP},
        {"google.protobuf.Duration", WELL_KNOWN_DURATION},
        {"google.protobuf.FieldMask", WELL_KNOWN_FIELD_MASK},
        {"google.protobuf.DoubleValue", WELL_KNOWN_WRAPPER},
        {"google.protobuf.FloatValue", WELL_KNOWN_WRAPPER},
        {"google.protobuf.Int64Value", WELL_KNOWN_WRAPPER},
        {"google.protobuf.UInt64Value", WELL_KNOWN_WRAPPER},
        {"google.protobuf.Int32Value", WELL_KNOWN_WRAPPER},
        {"google.protobuf.UInt32Value", WELL_KNOWN_WRAPPER},
        {"google.protobuf.BoolValue", WELL_KNOWN_WRAPPER},
        {"google.protobuf.StringValue", WELL_KNOWN_WRAPPER},
        {"google.protobuf.BytesValue", WELL_KNOWN_WRAPPER},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++) {
        if (strcmp(descriptor->name, KNOWN[i].name) == 0) {
            return KNOWN[i].kind;
        }
    }
    return WELL_KNOWN_NOT;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

void json_append_camel(Text *text, const char *snake)
{
    for (; *snake != '\0'; snake++) {
        if (snake[0] == '_' && is_lower(snake[1])) {
            snake++;
            text_append_char(text, (char)(*snake - 'a' + 'A'));
        } else {
            text_append_char(text, *snake);
        }
    }
}

void json_append_snake(Text *text, const char *camel)
{
    for (; *camel != '\0'; camel++) {
        if (is_upper(*camel)) {
            text_append_char(text, '_');
            text_append_char(text, (char)(*camel - 'A' + 'a'));
        } else {
            text_append_char(text, *camel);
        }
    }
}

static void replace(char *text, char from, char to)
{
    for (; *text != '\0'; text++) {
        if (*text == from) {
            *text = to;
        }
    }
}

void json_append_base64(Text *text, Bytes bytes)
{
    size_t begin = text->length;
    crypto_base64url_append(text, bytes);
    while ((text->length - begin) % 4 != 0) {
        text_append_char(text, '=');
    }
    if (text->data != NULL) {
        replace(text->data + begin, '-', '+');
        replace(text->data + begin, '_', '/');
    }
}

bool json_read_base64(const char *text, Buffer *ret_bytes)
{
    size_t length = strlen(text);
    size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=') {
        padding++;
    }
    if (padding > 0 && length % 4 != 0) {
        return false;
    }
    Text url CLEANUP(text_clear) = TEXT_INIT(length);
    text_append_bytes(&url, text, length - padding);
    if (url.data != NULL) {
        replace(url.data, '+', '-');
        replace(url.data, '/', '_');
    }
    return crypto_base64url_decode(text_get(&url), url.length, ret_bytes);
}

void json_append_duration(Text *text, int64_t seconds, int32_t nanos)
{
    bool negative = seconds < 0 || nanos < 0;
    uint64_t whole = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
    uint32_t fraction = nanos < 0 ? -(uint32_t)nanos : (uint32_t)nanos;
    text_printf(text, "%s%" PRIu64, negative ? "-" : "", whole);
    if (fraction != 0) {
        unsigned digits = NANO_DIGITS;
        while (digits > 3 && fraction % 1000 == 0) {
            fraction /= 1000;
            digits -= 3;
        }
        text_printf(text, ".%0*" PRIu32, (int)digits, fraction);
    }
    text_append_char(text, 's');
}

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

// The digits behind the point as nanoseconds; -1 when they aren't one to nine digits.
static int32_t read_fraction(const char *digits, size_t count)
{
    if (count == 0 || count > NANO_DIGITS) {
        return -1;
    }
    int32_t nanos = 0;
    for (size_t i = 0; i < NANO_DIGITS; i++) {
        nanos = nanos * 10 + (i < count ? digits[i] - '0' : 0);
    }
    return nanos;
}

bool json_read_duration(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
    bool negative = text[0] == '-';
    const char *digits = negative ? text + 1 : text;
    size_t whole = count_digits(digits);
    if (whole == 0 || whole > 12) {
        return false;
    }
    int64_t seconds = strtoll(digits, NULL, 10);
    const char *rest = digits + whole;
    int32_t nanos = 0;
    if (*rest == '.') {
        size_t count = count_digits(rest + 1);
        nanos = read_fraction(rest + 1, count);
        rest += 1 + count;
    }
    if (nanos < 0 || seconds > DURATION_MAX_SECONDS || strcmp(rest, "s") != 0) {
        return false;
    }
    *ret_seconds = negative ? -seconds : seconds;
    *ret_nanos = negative ? -nanos : nanos;
    return true;
}
