/*
 * Pieces of protobuf's encoding. https://protobuf.dev/programming-guides/encoding/
 */
#ifndef CONTRACT_WIRE_FORMAT_H
#define CONTRACT_WIRE_FORMAT_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/text.h"

// 3 and 4 are groups, which proto3 doesn't have.
typedef enum WireType {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_FIXED32 = 5,
} WireType;

WireType wire_type_of(ProtobufCType type);

void wire_put_varint(Text *text, uint64_t value);
// Little-endian, 4 or 8 bytes.
void wire_put_fixed(Text *text, uint64_t value, size_t bytes);
void wire_put_tag(Text *text, uint32_t field_number, WireType type);
void wire_put_length(Text *text, uint32_t field_number, Bytes value);

#endif
