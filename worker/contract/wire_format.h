/*
 * Pieces of protobuf's encoding. https://protobuf.dev/programming-guides/encoding/
 */
#ifndef CONTRACT_WIRE_FORMAT_H
#define CONTRACT_WIRE_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"
#include "base/text.h"

// 3 and 4 are groups, which proto3 doesn't have.
typedef enum WireType {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_FIXED32 = 5,
} WireType;

WireType wire_type_of(ProtobufCType type);

// Both move *rest behind what was read, and return false where that is broken or cut off.
bool wire_take_tag(Bytes *rest, uint32_t *ret_field_number, uint32_t *ret_wire_type);
// A value of whatever type; for a varint *ret_number is set, for the others *ret_bytes.
bool wire_take_value(Bytes *rest, uint32_t wire_type, uint64_t *ret_number, Bytes *ret_bytes);

void wire_put_varint(Text *text, uint64_t value);
// Little-endian, 4 or 8 bytes.
void wire_put_fixed(Text *text, uint64_t value, size_t bytes);
void wire_put_tag(Text *text, uint32_t field_number, WireType type);
void wire_put_length(Text *text, uint32_t field_number, Bytes value);

#endif
