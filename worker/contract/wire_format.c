#include "contract/wire_format.h"

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
