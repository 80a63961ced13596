/*
 * Walks a serialised protobuf message by its descriptor, without unpacking it, and refuses what
 * protobuf-c 1.4 would accept and cut or drop: embedded NUL and invalid UTF-8 in strings, repeated
 * members of a oneof or of a singular field, unknown field numbers, wrong wire types, groups,
 * truncated values, nesting deeper than 16, more than 65,536 elements of repeated fields, an empty
 * record. https://protobuf.dev/programming-guides/encoding/
 */
#ifndef CONTRACT_WIRE_H
#define CONTRACT_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

// Codes: RECORD_EMPTY, RECORD_UNREADABLE, FIELD_NOT_SUPPORTED; the field's path is in err->field.
bool wire_scan(const ProtobufCMessageDescriptor *descriptor, Bytes message, Error *err);

// The value of a top-level string field, if it can be read at all: for telling whose record could
// not be decoded. Returns false when it can't or doesn't fit.
bool wire_find_text(Bytes message, uint32_t field_number, char *ret_text, size_t ret_text_bytes);

#endif
