#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "contract/json_parts.h"

enum { PATH_MAX_BYTES = sizeof((Error *)NULL)->field - 1 };

// Largest double up to which every whole number has one.
static const double WHOLE_MAX = 9007199254740992.0;

static void append_path(Text *text, const JsonPath *path)
{
    if (path->parent == NULL) {
        return;
    }
    append_path(text, path->parent);
    text_printf(text, "%s%s", text->length == 0 ? "" : ".", path->key);
    if (path->index != JSON_NO_INDEX) {
        text_printf(text, "[%d]", path->index);
    }
}

bool json_refuse(const JsonPath *path, const char *problem)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
    append_path(&text, path);
    return error_set_field(path->err, ERROR_INVALID, "JSON_INVALID", text_get(&text), "%s %s",
                           text.length == 0 ? "the JSON" : text_get(&text), problem);
}

static bool parse_signed(const char *text, int64_t *ret_number)
{
    char *end = NULL;
    errno = 0;
    *ret_number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && strchr("-0123456789", text[0]) != NULL && end != text;
}

static bool parse_unsigned(const char *text, uint64_t *ret_number)
{
    char *end = NULL;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && strchr("0123456789", text[0]) != NULL && end != text;
}

static bool read_whole(const json_t *json, int64_t *ret_number)
{
    if (json_is_string(json)) {
        return parse_signed(json_string_value(json), ret_number);
    }
    if (json_is_real(json)) {
        double real = json_real_value(json);
        if (fabs(real) > WHOLE_MAX || floor(real) != real) {
            return false;
        }
        *ret_number = (int64_t)real;
        return true;
    }
    *ret_number = json_integer_value(json);
    return json_is_integer(json);
}

static bool read_signed(const JsonPath *path, const json_t *json, int64_t min, int64_t max,
                        int64_t *ret_number)
{
    return (read_whole(json, ret_number) && *ret_number >= min && *ret_number <= max) ||
           json_refuse(path, "must be a whole number of its size");
}

static bool read_unsigned(const JsonPath *path, const json_t *json, uint64_t max,
                          uint64_t *ret_number)
{
    int64_t number = 0;
    bool read = false;
    if (json_is_string(json)) {
        read = parse_unsigned(json_string_value(json), ret_number);
    } else {
        read = read_whole(json, &number) && number >= 0;
        *ret_number = (uint64_t)number;
    }
    return (read && *ret_number <= max) ||
           json_refuse(path, "must be a whole number of its size, >= 0");
}

static bool read_double(const JsonPath *path, const json_t *json, double *ret_number)
{
    static const char *const PROBLEM = "must be a number";
    if (json_is_number(json)) {
        *ret_number = json_number_value(json);
        return true;
    }
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    if (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 ||
        strcmp(text, "-Infinity") == 0) {
        *ret_number = text[0] == 'N' ? (double)NAN : (double)INFINITY;
        *ret_number = text[0] == '-' ? -*ret_number : *ret_number;
        return true;
    }
    if (text[0] == '\0' || strspn(text, "+-.0123456789eE") != strlen(text)) {
        return json_refuse(path, PROBLEM);
    }
    char *end = NULL;
    *ret_number = strtod(text, &end);
    return (*end == '\0' && isfinite(*ret_number)) || json_refuse(path, PROBLEM);
}

static uint64_t bits_of_double(double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool read_float(const JsonPath *path, const json_t *json, uint64_t *ret_bits)
{
    double value = 0;
    if (!read_double(path, json, &value)) {
        return false;
    }
    if (isfinite(value) && fabs(value) > (double)FLT_MAX) {
        return json_refuse(path, "is too large for its type");
    }
    float number = (float)value;
    uint32_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    *ret_bits = bits;
    return true;
}

static bool read_enum(const JsonPath *path, const json_t *json,
                      const ProtobufCEnumDescriptor *descriptor, int64_t *ret_number)
{
    if (!json_is_string(json)) {
        return read_signed(path, json, INT32_MIN, INT32_MAX, ret_number);
    }
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(descriptor, json_string_value(json));
    if (value == NULL) {
        return json_refuse(path, "is not a name of its enum");
    }
    *ret_number = value->value;
    return true;
}

static uint64_t zigzag(int64_t number)
{
    return ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}

// A number of any type as its bits on the wire.
bool json_read_bits(const JsonPath *path, const json_t *json, const ProtobufCFieldDescriptor *field,
                    uint64_t *ret_bits)
{
    int64_t number = 0;
    double real = 0;
    bool read = true;
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_unsigned(path, json, UINT32_MAX, ret_bits);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_unsigned(path, json, UINT64_MAX, ret_bits);
    case PROTOBUF_C_TYPE_FLOAT:
        return read_float(path, json, ret_bits);
    case PROTOBUF_C_TYPE_DOUBLE:
        read = read_double(path, json, &real);
        *ret_bits = bits_of_double(real);
        return read;
    case PROTOBUF_C_TYPE_BOOL:
        *ret_bits = json_is_true(json) ? 1 : 0;
        return json_is_boolean(json) || json_refuse(path, "must be true or false");
    case PROTOBUF_C_TYPE_ENUM:
        read = read_enum(path, json, field->descriptor, &number);
        break;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        read = read_signed(path, json, INT32_MIN, INT32_MAX, &number);
        break;
    default:
        read = read_signed(path, json, INT64_MIN, INT64_MAX, &number);
        break;
    }
    bool zigzagged = field->type == PROTOBUF_C_TYPE_SINT32 || field->type == PROTOBUF_C_TYPE_SINT64;
    *ret_bits = zigzagged ? zigzag(number) : (uint64_t)number;
    return read;
}
