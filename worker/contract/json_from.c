#include <inttypes.h>
#include <math.h>

#include "base/attr.h"
#include "base/instant.h"
#include "base/text.h"
#include "base/utf8.h"
#include "contract/field.h"
#include "contract/json.h"
#include "contract/json_parts.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

static json_t *from_text(const char *text)
{
    return json_string(utf8_is_valid(bytes_of(text)) ? text : "\xef\xbf\xbd");
}

static json_t *from_bytes(const ProtobufCBinaryData *bytes)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(bytes->len * 2 + 4);
    json_append_base64(&text, (Bytes){bytes->data, bytes->len});
    return json_string(text_get(&text));
}

static json_t *from_double(double value)
{
    if (isnan(value)) {
        return json_string("NaN");
    }
    if (isinf(value)) {
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    }
    return json_real(value);
}

static json_t *from_enum(const ProtobufCEnumDescriptor *descriptor, int32_t value)
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);
    return found == NULL ? json_integer(value) : json_string(found->name);
}

static json_t *from_signed(int64_t value)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(24);
    text_printf(&text, "%" PRId64, value);
    return json_string(text_get(&text));
}

static json_t *from_unsigned(uint64_t value)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(24);
    text_printf(&text, "%" PRIu64, value);
    return json_string(text_get(&text));
}

static json_t *from_timestamp(const Google__Protobuf__Timestamp *timestamp)
{
    int64_t seconds = timestamp->seconds;
    seconds = seconds < JSON_TIMESTAMP_MIN_SECONDS ? JSON_TIMESTAMP_MIN_SECONDS : seconds;
    seconds = seconds > JSON_TIMESTAMP_MAX_SECONDS ? JSON_TIMESTAMP_MAX_SECONDS : seconds;
    char text[INSTANT_TEXT_BYTES];
    instant_format(seconds * 1000 + timestamp->nanos / 1000000, text);
    return json_string(text);
}

static json_t *from_duration(const Google__Protobuf__Duration *duration)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(48);
    json_append_duration(&text, duration->seconds, duration->nanos);
    return json_string(text_get(&text));
}

static json_t *from_field_mask(const Google__Protobuf__FieldMask *mask)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(JSON_PACKED_MAX_BYTES);
    for (size_t i = 0; i < mask->n_paths; i++) {
        text_append(&text, i == 0 ? "" : ",");
        json_append_camel(&text, mask->paths[i]);
    }
    return from_text(text_get(&text));
}

static json_t *from_value(const ProtobufCFieldDescriptor *field, const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return json_integer(*(const int32_t *)value);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)value);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return from_signed(*(const int64_t *)value);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return from_unsigned(*(const uint64_t *)value);
    case PROTOBUF_C_TYPE_FLOAT:
        return from_double((double)*(const float *)value);
    case PROTOBUF_C_TYPE_DOUBLE:
        return from_double(*(const double *)value);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)value);
    case PROTOBUF_C_TYPE_ENUM:
        return from_enum(field->descriptor, *(const int32_t *)value);
    case PROTOBUF_C_TYPE_STRING:
        return from_text(*(const char *const *)value);
    case PROTOBUF_C_TYPE_BYTES:
        return from_bytes(value);
    case PROTOBUF_C_TYPE_MESSAGE:
    default:
        return json_from_message(*(const ProtobufCMessage *const *)value);
    }
}

static json_t *from_repeated(const ProtobufCFieldDescriptor *field, const char *values,
                             size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array,
                              from_value(field, values + i * field_value_bytes(field->type)));
    }
    return array;
}

static json_t *from_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const void *value = field_value(message, field);
    return field->label == PROTOBUF_C_LABEL_REPEATED
               ? from_repeated(field, *(const char *const *)value, field_count(message, field))
               : from_value(field, value);
}

static json_t *from_object(const ProtobufCMessage *message)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field_is_set(message, field)) {
            Text name CLEANUP(text_clear) = TEXT_INIT(256);
            json_append_camel(&name, field->name);
            json_object_set_new(object, text_get(&name), from_field(message, field));
        }
    }
    return object;
}

json_t *json_from_message(const ProtobufCMessage *message)
{
    switch (json_well_known(message->descriptor)) {
    case WELL_KNOWN_TIMESTAMP:
        return from_timestamp((const Google__Protobuf__Timestamp *)message);
    case WELL_KNOWN_DURATION:
        return from_duration((const Google__Protobuf__Duration *)message);
    case WELL_KNOWN_FIELD_MASK:
        return from_field_mask((const Google__Protobuf__FieldMask *)message);
    case WELL_KNOWN_WRAPPER: {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];
        return from_value(field, field_value(message, field));
    }
    case WELL_KNOWN_NOT:
    default:
        return from_object(message);
    }
}
