#include "contract/wire_format.h"

enum { VARINT_BYTES_MAX = 10, TAG_BYTES_MAX = 5 };

WireType wire_type_of(ProtobufCType type)
{
    switch ((int)type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_FIXED32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    default:
        return WIRE_VARINT;
    }
}

static bool take_varint(Bytes *rest, size_t max_bytes, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < max_bytes && i < rest->size; i++) {
        uint8_t byte = rest->data[i];
        if (i == VARINT_BYTES_MAX - 1 && byte > 1) {
            return false;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *rest = (Bytes){rest->data + i + 1, rest->size - i - 1};
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(Bytes *rest, uint64_t size, Bytes *ret_bytes)
{
    if (size > rest->size) {
        return false;
    }
    *ret_bytes = (Bytes){rest->data, (size_t)size};
    *rest = (Bytes){rest->data + size, rest->size - (size_t)size};
    return true;
}

bool wire_take_tag(Bytes *rest, uint32_t *ret_number, uint32_t *ret_wire_type)
{
    uint64_t tag = 0;
    if (!take_varint(rest, TAG_BYTES_MAX, &tag) || tag > UINT32_MAX) {
        return false;
    }
    *ret_number = (uint32_t)(tag >> 3);
    *ret_wire_type = tag & 7;
    return *ret_number > 0;
}

bool wire_take_value(Bytes *rest, uint32_t wire_type, uint64_t *ret_number, Bytes *ret_bytes)
{
    switch (wire_type) {
    case WIRE_VARINT:
        return take_varint(rest, VARINT_BYTES_MAX, ret_number);
    case WIRE_FIXED64:
        return take_bytes(rest, 8, ret_bytes);
    case WIRE_FIXED32:
        return take_bytes(rest, 4, ret_bytes);
    case WIRE_LENGTH:
        return take_varint(rest, TAG_BYTES_MAX, ret_number) &&
               take_bytes(rest, *ret_number, ret_bytes);
    default:
        return false;
    }
}

void wire_put_varint(Text *text, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        text_append_char(text, (char)(uint8_t)(value | 0x80));
    }
    text_append_char(text, (char)(uint8_t)value);
}

void wire_put_fixed(Text *text, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        text_append_char(text, (char)(uint8_t)(value >> (8 * i)));
    }
}

void wire_put_tag(Text *text, uint32_t field_number, WireType type)
{
    wire_put_varint(text, (uint64_t)field_number << 3 | (uint64_t)type);
}

void wire_put_length(Text *text, uint32_t field_number, Bytes value)
{
    wire_put_tag(text, field_number, WIRE_LENGTH);
    wire_put_varint(text, value.size);
    text_append_bytes(text, value.data, value.size);
}
