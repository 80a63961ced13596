#include <limits.h>
#include <string.h>

#include "base/attr.h"
#include "base/instant.h"
#include "base/text.h"
#include "contract/json.h"
#include "contract/json_parts.h"
#include "contract/wire_format.h"

enum { NAME_MAX_BYTES = 256, SNAKE_MAX_BYTES = 2 * NAME_MAX_BYTES };

static bool put_message(Text *out, const JsonPath *path, const json_t *json,
                        const ProtobufCMessageDescriptor *descriptor);

static void put_bits(Text *out, uint32_t number, ProtobufCType type, uint64_t bits)
{
    WireType wire_type = wire_type_of(type);
    wire_put_tag(out, number, wire_type);
    if (wire_type == WIRE_VARINT) {
        wire_put_varint(out, bits);
    } else {
        wire_put_fixed(out, bits, wire_type == WIRE_FIXED32 ? 4 : 8);
    }
}

// The text of a JSON string without a NUL inside; NULL when it is something else.
static const char *text_of(const json_t *json)
{
    const char *text = json_string_value(json);
    return text != NULL && strlen(text) == json_string_length(json) ? text : NULL;
}

static bool put_text(Text *out, const JsonPath *path, const json_t *json, uint32_t number,
                     bool with_default)
{
    const char *text = text_of(json);
    if (text == NULL) {
        return json_refuse(path, "must be a string, without NUL");
    }
    if (with_default || text[0] != '\0') {
        wire_put_length(out, number, bytes_of(text));
    }
    return true;
}

static bool put_bytes(Text *out, const JsonPath *path, const json_t *json, uint32_t number,
                      bool with_default)
{
    const char *text = text_of(json);
    Buffer bytes CLEANUP(buffer_clear) = {NULL, 0};
    if (text == NULL || !json_read_base64(text, &bytes)) {
        return json_refuse(path, "must be bytes in base64");
    }
    if (with_default || bytes.size > 0) {
        wire_put_length(out, number, buffer_view(&bytes));
    }
    return true;
}

static bool put_submessage(Text *out, const JsonPath *path, const json_t *json,
                           const ProtobufCFieldDescriptor *field)
{
    Text inner CLEANUP(text_clear) = TEXT_INIT(JSON_PACKED_MAX_BYTES);
    if (!put_message(&inner, path, json, field->descriptor)) {
        return false;
    }
    out->failed = out->failed || inner.failed;
    wire_put_length(out, field->id, text_bytes(&inner));
    return true;
}

// One value of a field; where a default is the same as nothing, it isn't written.
static bool put_value(Text *out, const JsonPath *path, const json_t *json,
                      const ProtobufCFieldDescriptor *field, bool with_default)
{
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return put_text(out, path, json, field->id, with_default);
    case PROTOBUF_C_TYPE_BYTES:
        return put_bytes(out, path, json, field->id, with_default);
    case PROTOBUF_C_TYPE_MESSAGE:
        return put_submessage(out, path, json, field);
    default:
        break;
    }
    uint64_t bits = 0;
    if (!json_read_bits(path, json, field, &bits)) {
        return false;
    }
    if (with_default || bits != 0) {
        put_bits(out, field->id, field->type, bits);
    }
    return true;
}

static bool put_repeated(Text *out, JsonPath *path, const json_t *json,
                         const ProtobufCFieldDescriptor *field)
{
    if (!json_is_array(json) || json_array_size(json) > INT_MAX) {
        return json_refuse(path, "must be an array");
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        path->index = (int)i;
        if (!put_value(out, path, json_array_get(json, i), field, true)) {
            return false;
        }
    }
    return true;
}

static bool put_field(Text *out, const JsonPath *parent, const char *key, const json_t *json,
                      const ProtobufCFieldDescriptor *field)
{
    JsonPath path = {parent, key, JSON_NO_INDEX, parent->depth + 1, parent->err};
    if (path.depth > JSON_DEPTH_MAX) {
        return json_refuse(&path, "is nested too deeply");
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return put_repeated(out, &path, json, field);
    }
    bool in_oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    return put_value(out, &path, json, field, in_oneof);
}

static bool put_parts(Text *out, int64_t seconds, int32_t nanos)
{
    if (seconds != 0) {
        put_bits(out, 1, PROTOBUF_C_TYPE_INT64, (uint64_t)seconds);
    }
    if (nanos != 0) {
        put_bits(out, 2, PROTOBUF_C_TYPE_INT32, (uint64_t)(int64_t)nanos);
    }
    return true;
}

static bool put_timestamp(Text *out, const JsonPath *path, const json_t *json)
{
    const char *text = text_of(json);
    int64_t instant_ms = 0;
    if (text == NULL || !instant_parse(text, &instant_ms)) {
        return json_refuse(path, "must be a time such as 2026-11-22T08:07:00Z");
    }
    int64_t rest_ms = instant_ms % 1000 < 0 ? instant_ms % 1000 + 1000 : instant_ms % 1000;
    int64_t seconds = (instant_ms - rest_ms) / 1000;
    if (seconds < JSON_TIMESTAMP_MIN_SECONDS || seconds > JSON_TIMESTAMP_MAX_SECONDS) {
        return json_refuse(path, "must be a time of the years 0001 to 9999");
    }
    return put_parts(out, seconds, (int32_t)(rest_ms * 1000000));
}

static bool put_duration(Text *out, const JsonPath *path, const json_t *json)
{
    const char *text = text_of(json);
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (text == NULL || !json_read_duration(text, &seconds, &nanos)) {
        return json_refuse(path, "must be a duration such as 3.5s");
    }
    return put_parts(out, seconds, nanos);
}

static bool put_field_mask(Text *out, const JsonPath *path, const json_t *json)
{
    const char *rest = text_of(json);
    if (rest == NULL) {
        return json_refuse(path, "must be field names with commas between them");
    }
    while (*rest != '\0') {
        size_t length = strcspn(rest, ",");
        Text name CLEANUP(text_clear) = TEXT_INIT(NAME_MAX_BYTES);
        Text snake CLEANUP(text_clear) = TEXT_INIT(SNAKE_MAX_BYTES);
        text_append_bytes(&name, rest, length);
        json_append_snake(&snake, text_get(&name));
        if (length == 0 || !text_ok(&name)) {
            return json_refuse(path, "has a name that is empty or too long");
        }
        wire_put_length(out, 1, text_bytes(&snake));
        rest += length;
        rest += *rest == ',' ? 1 : 0;
    }
    return true;
}

static bool is_named(const ProtobufCFieldDescriptor *field, const char *key)
{
    Text camel CLEANUP(text_clear) = TEXT_INIT(NAME_MAX_BYTES);
    json_append_camel(&camel, field->name);
    return strcmp(key, field->name) == 0 || strcmp(key, text_get(&camel)) == 0;
}

static bool check_key(const JsonPath *parent, const char *key,
                      const ProtobufCMessageDescriptor *descriptor)
{
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (is_named(&descriptor->fields[i], key)) {
            return true;
        }
    }
    const JsonPath path = {parent, key, JSON_NO_INDEX, parent->depth, parent->err};
    return json_refuse(&path, "is no field here: check its spelling");
}

static bool check_keys(const JsonPath *parent, const json_t *json,
                       const ProtobufCMessageDescriptor *descriptor)
{
    json_t *object = NULL; // jansson walks objects without const
    memcpy(&object, &json, sizeof(void *));
    for (void *member = json_object_iter(object); member != NULL;
         member = json_object_iter_next(object, member)) {
        if (!check_key(parent, json_object_iter_key(member), descriptor)) {
            return false;
        }
    }
    return true;
}

// What stands in the object for a field under either name; *ret_count says how often.
static const json_t *find_value(const json_t *object, const ProtobufCFieldDescriptor *field,
                                const char *camel, unsigned *ret_count)
{
    const json_t *values[] = {json_object_get(object, field->name),
                              strcmp(camel, field->name) == 0 ? NULL
                                                              : json_object_get(object, camel)};
    const json_t *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (values[i] != NULL && !json_is_null(values[i])) {
            found = values[i];
            (*ret_count)++;
        }
    }
    return found;
}

// Whether an earlier member of the field's oneof is there, too.
static bool oneof_is_taken(const json_t *object, const ProtobufCMessageDescriptor *descriptor,
                           const ProtobufCFieldDescriptor *field)
{
    for (const ProtobufCFieldDescriptor *other = descriptor->fields; other < field; other++) {
        if ((other->flags & field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
            other->quantifier_offset != field->quantifier_offset) {
            continue;
        }
        Text camel CLEANUP(text_clear) = TEXT_INIT(NAME_MAX_BYTES);
        json_append_camel(&camel, other->name);
        unsigned count = 0;
        if (find_value(object, other, text_get(&camel), &count) != NULL) {
            return true;
        }
    }
    return false;
}

static bool put_member(Text *out, const JsonPath *path, const json_t *object,
                       const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *field)
{
    Text camel CLEANUP(text_clear) = TEXT_INIT(NAME_MAX_BYTES);
    json_append_camel(&camel, field->name);
    unsigned count = 0;
    const json_t *value = find_value(object, field, text_get(&camel), &count);
    if (value == NULL) {
        return true;
    }
    JsonPath here = {path, text_get(&camel), JSON_NO_INDEX, path->depth, path->err};
    if (count > 1) {
        return json_refuse(&here, "is there under both of its names");
    }
    if (oneof_is_taken(object, descriptor, field)) {
        return json_refuse(&here, "is there beside another choice: set only one");
    }
    return put_field(out, path, text_get(&camel), value, field);
}

static bool put_object(Text *out, const JsonPath *path, const json_t *json,
                       const ProtobufCMessageDescriptor *descriptor)
{
    if (!json_is_object(json)) {
        return json_refuse(path, "must be an object");
    }
    if (!check_keys(path, json, descriptor)) {
        return false;
    }
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (!put_member(out, path, json, descriptor, &descriptor->fields[i])) {
            return false;
        }
    }
    return true;
}

static bool put_message(Text *out, const JsonPath *path, const json_t *json,
                        const ProtobufCMessageDescriptor *descriptor)
{
    switch (json_well_known(descriptor)) {
    case WELL_KNOWN_TIMESTAMP:
        return put_timestamp(out, path, json);
    case WELL_KNOWN_DURATION:
        return put_duration(out, path, json);
    case WELL_KNOWN_FIELD_MASK:
        return put_field_mask(out, path, json);
    case WELL_KNOWN_WRAPPER:
        return put_value(out, path, json, &descriptor->fields[0], false);
    case WELL_KNOWN_NOT:
    default:
        return put_object(out, path, json, descriptor);
    }
}

bool json_to_message(const json_t *json, const ProtobufCMessageDescriptor *descriptor,
                     Buffer *ret_packed, Error *err)
{
    const JsonPath whole = {NULL, "", JSON_NO_INDEX, 0, err};
    Text packed CLEANUP(text_clear) = TEXT_INIT(JSON_PACKED_MAX_BYTES);
    if (!put_message(&packed, &whole, json, descriptor)) {
        return false;
    }
    if (!text_ok(&packed)) {
        return json_refuse(&whole, "is too large");
    }
    buffer_set(ret_packed, text_bytes(&packed));
    return true;
}
