/*
 * A field of a message in memory, read by its descriptor.
 */
#ifndef CONTRACT_FIELD_H
#define CONTRACT_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

// The value, or the array of a repeated field, in the message's struct.
const void *field_value(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
// Elements of a repeated field.
size_t field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
// Bytes that one value takes in memory.
size_t field_value_bytes(ProtobufCType type);
// Whether it has elements, is its oneof's choice, or differs from its default: proto3 doesn't tell
// a default that was sent from none.
bool field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

#endif
