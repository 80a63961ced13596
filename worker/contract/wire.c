#include "contract/wire.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "base/utf8.h"
#include "contract/wire_format.h"

enum {
    DEPTH_MAX = 16,
    FIELDS_MAX = 64, // of one message type
    // Of all repeated fields: two bytes on the wire become a hundred in memory.
    ELEMENTS_MAX = 65536,
    PATH_MAX_BYTES = sizeof((Error *)NULL)->field - 1,
};

// One message on the way down.
typedef struct Frame {
    const struct Frame *parent;
    const ProtobufCMessageDescriptor *descriptor;
    uint32_t seen[FIELDS_MAX];             // occurrences, by the field's index
    const ProtobufCFieldDescriptor *field; // the one being read
    unsigned depth;
    uint32_t *elements; // of repeated fields, in the whole record
} Frame;

static void append_path(Text *path, const Frame *frame)
{
    if (frame == NULL) {
        return;
    }
    append_path(path, frame->parent);
    if (frame->field != NULL) {
        text_printf(path, "%s%s", path->length == 0 ? "" : ".", frame->field->name);
        if (frame->field->label == PROTOBUF_C_LABEL_REPEATED) {
            uint32_t count = frame->seen[frame->field - frame->descriptor->fields];
            text_printf(path, "[%u]", count == 0 ? 0 : count - 1);
        }
    }
}

static bool refuse_unreadable(const Frame *frame, const char *problem, Error *err)
{
    Text path CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
    append_path(&path, frame);
    const char *what = path.length == 0 ? frame->descriptor->short_name : text_get(&path);
    return error_set_field(err, ERROR_INVALID, "RECORD_UNREADABLE", text_get(&path), "%s %s", what,
                           problem);
}

// A field that the descriptor doesn't have; random bytes are more often no field at all.
static bool refuse_unknown(const Frame *frame, uint32_t number, uint32_t wire_type, Bytes rest,
                           Error *err)
{
    uint64_t varint = 0;
    Bytes value = {NULL, 0};
    if (!wire_take_value(&rest, wire_type, &varint, &value)) {
        return refuse_unreadable(frame, "has a broken field", err);
    }
    Text path CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
    append_path(&path, frame);
    text_printf(&path, "%s#%u", path.length == 0 ? "" : ".", number);
    return error_set_field(err, ERROR_INVALID, "FIELD_NOT_SUPPORTED", text_get(&path),
                           "%s has no field number %u here: leave it out, or upgrade the workers",
                           frame->descriptor->name, number);
}

// protobuf-c keeps the low 32 bits of a varint for a 32-bit field, and drops the others silently.
static bool varint_fits(ProtobufCType type, uint64_t value)
{
    bool is_signed = type == PROTOBUF_C_TYPE_INT32 || type == PROTOBUF_C_TYPE_ENUM;
    if (is_signed) {
        int64_t number = (int64_t)value;
        return number >= INT32_MIN && number <= INT32_MAX;
    }
    bool is_short = type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_SINT32;
    return !is_short || value <= UINT32_MAX;
}

static bool scan_varint(const Frame *frame, uint64_t value, Error *err)
{
    return varint_fits(frame->field->type, value) ||
           refuse_unreadable(frame, "is larger than its 32 bits", err);
}

// The values of a repeated scalar field, one after another in one piece.
static bool scan_packed(const Frame *frame, Bytes values, Error *err)
{
    WireType wire_type = wire_type_of(frame->field->type);
    while (values.size > 0) {
        uint64_t number = 0;
        Bytes piece = {NULL, 0};
        if (!wire_take_value(&values, wire_type, &number, &piece)) {
            return refuse_unreadable(frame, "ends inside a value", err);
        }
        if (wire_type == WIRE_VARINT && !scan_varint(frame, number, err)) {
            return false;
        }
    }
    return true;
}

static bool scan_text(const Frame *frame, Bytes text, Error *err)
{
    if (text.size > 0 && memchr(text.data, '\0', text.size) != NULL) {
        return refuse_unreadable(frame, "has a NUL character inside its text", err);
    }
    return utf8_is_valid(text) || refuse_unreadable(frame, "is not valid UTF-8", err);
}

// Counts the field, and refuses a second value of a singular field or of a oneof.
static bool count_field(Frame *frame, Error *err)
{
    const ProtobufCFieldDescriptor *fields = frame->descriptor->fields;
    const ProtobufCFieldDescriptor *field = frame->field;
    uint32_t *seen = &frame->seen[field - fields];
    (*seen)++;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return ++*frame->elements <= ELEMENTS_MAX ||
               refuse_unreadable(frame, "is one element too many", err);
    }
    if (*seen > 1) {
        return refuse_unreadable(frame, "is there more than once", err);
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        return true;
    }
    for (unsigned i = 0; i < frame->descriptor->n_fields; i++) {
        if (&fields[i] != field && frame->seen[i] > 0 &&
            (fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            fields[i].quantifier_offset == field->quantifier_offset) {
            return refuse_unreadable(
                frame, "is there beside another member of its oneof: set only one", err);
        }
    }
    return true;
}

static bool scan_message(Frame *frame, Bytes rest, Error *err);

static bool scan_length(Frame *frame, Bytes value, Error *err)
{
    const ProtobufCFieldDescriptor *field = frame->field;
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return scan_text(frame, value, err);
    case PROTOBUF_C_TYPE_BYTES:
        return true;
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    default:
        return scan_packed(frame, value, err);
    }
    if (frame->depth == DEPTH_MAX) {
        return refuse_unreadable(frame, "is nested too deeply", err);
    }
    Frame inner = {.parent = frame,
                   .descriptor = field->descriptor,
                   .depth = frame->depth + 1,
                   .elements = frame->elements};
    return scan_message(&inner, value, err);
}

static bool scan_field(Frame *frame, uint32_t wire_type, Bytes *rest, Error *err)
{
    const ProtobufCFieldDescriptor *field = frame->field;
    WireType wanted = wire_type_of(field->type);
    bool packed = field->label == PROTOBUF_C_LABEL_REPEATED && wire_type == WIRE_LENGTH;
    if (wire_type != wanted && !packed) {
        return refuse_unreadable(frame, "has another wire type than its declaration", err);
    }
    uint64_t number = 0;
    Bytes value = {NULL, 0};
    if (!wire_take_value(rest, wire_type, &number, &value)) {
        return refuse_unreadable(frame, "is cut off", err);
    }
    if (!count_field(frame, err)) {
        return false;
    }
    if (wire_type == WIRE_VARINT) {
        return scan_varint(frame, number, err);
    }
    return wire_type != WIRE_LENGTH || scan_length(frame, value, err);
}

static bool scan_message(Frame *frame, Bytes rest, Error *err)
{
    assert(frame->descriptor->n_fields <= FIELDS_MAX);
    while (rest.size > 0) {
        uint32_t number = 0;
        uint32_t wire_type = 0;
        frame->field = NULL;
        if (!wire_take_tag(&rest, &number, &wire_type)) {
            return refuse_unreadable(frame, "has a broken field number", err);
        }
        frame->field = protobuf_c_message_descriptor_get_field(frame->descriptor, number);
        if (frame->field == NULL) {
            return refuse_unknown(frame, number, wire_type, rest, err);
        }
        if (!scan_field(frame, wire_type, &rest, err)) {
            return false;
        }
    }
    return true;
}

bool wire_scan(const ProtobufCMessageDescriptor *descriptor, Bytes message, Error *err)
{
    if (message.size == 0) {
        return error_set(err, ERROR_INVALID, "RECORD_EMPTY", "the record has no value");
    }
    uint32_t elements = 0;
    Frame frame = {.descriptor = descriptor, .depth = 1, .elements = &elements};
    return scan_message(&frame, message, err);
}

static bool copy_text(Bytes text, char *ret_text, size_t ret_text_bytes)
{
    if (text.size == 0 || text.size >= ret_text_bytes ||
        memchr(text.data, '\0', text.size) != NULL || !utf8_is_valid(text)) {
        return false;
    }
    memcpy(ret_text, text.data, text.size);
    ret_text[text.size] = '\0';
    return true;
}

bool wire_find_text(Bytes message, uint32_t field_number, char *ret_text, size_t ret_text_bytes)
{
    Bytes found = {NULL, 0};
    bool twice = false;
    uint32_t number = 0;
    uint32_t wire_type = 0;
    uint64_t varint = 0;
    Bytes value = {NULL, 0};
    while (message.size > 0 && wire_take_tag(&message, &number, &wire_type) &&
           wire_take_value(&message, wire_type, &varint, &value)) {
        if (number == field_number && wire_type == WIRE_LENGTH) {
            twice = twice || found.data != NULL;
            found = value;
        }
    }
    return !twice && copy_text(found, ret_text, ret_text_bytes);
}
