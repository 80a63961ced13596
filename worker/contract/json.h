/*
 * Messages of the contract as JSON: what `send FILE` reads and what --json prints. The mapping is
 * proto3's, https://protobuf.dev/programming-guides/json/: fields in lowerCamelCase (read under
 * their declared names, too), enums by name, 64-bit integers as strings (read as numbers, too),
 * bytes in base64, Timestamp as RFC 3339 (milliseconds), Duration as "3.5s", wrappers as their
 * plain value, FieldMask as "a,b". Fields that have their default are left out.
 */
#ifndef CONTRACT_JSON_H
#define CONTRACT_JSON_H

#include <stdbool.h>

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"
#include "base/error.h"

enum {
    JSON_DEPTH_MAX = 16,
    JSON_PACKED_MAX_BYTES = 16 * 1024 * 1024,
};

// A new reference. A text that isn't UTF-8 becomes U+FFFD.
json_t *json_from_message(const ProtobufCMessage *message);

// The message in protobuf's encoding, to be unpacked or sent; owned by the caller. The JSON should
// be loaded with JSON_REJECT_DUPLICATES. Code: JSON_INVALID; the JSON path is in err->field
// ("createEnvironment.databases[0]").
bool json_to_message(const json_t *json, const ProtobufCMessageDescriptor *descriptor,
                     Buffer *ret_packed, Error *err);

#endif
