/*
 * What reading and writing JSON share; not for other layers.
 */
#ifndef CONTRACT_JSON_PARTS_H
#define CONTRACT_JSON_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

// Messages that JSON shows as something else than an object.
typedef enum WellKnown {
    WELL_KNOWN_NOT,
    WELL_KNOWN_TIMESTAMP,
    WELL_KNOWN_DURATION,
    WELL_KNOWN_FIELD_MASK,
    WELL_KNOWN_WRAPPER, // one field, "value"
} WellKnown;

// Years 0001 to 9999. https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp
#define JSON_TIMESTAMP_MIN_SECONDS INT64_C(-62135596800)
#define JSON_TIMESTAMP_MAX_SECONDS INT64_C(253402300799)

WellKnown json_well_known(const ProtobufCMessageDescriptor *descriptor);

// region_id → regionId, and back.
void json_append_camel(Text *text, const char *snake);
void json_append_snake(Text *text, const char *camel);

// RFC 4648 §4, with padding; reads §5 and without padding, too.
void json_append_base64(Text *text, Bytes bytes);
bool json_read_base64(const char *text, Buffer *ret_bytes);

// Duration: [-]seconds[.fraction]s with 0, 3, 6 or 9 digits of fraction; 315,576,000,000 seconds at
// most.
void json_append_duration(Text *text, int64_t seconds, int32_t nanos);
bool json_read_duration(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);

enum { JSON_NO_INDEX = -1 };

// Where a value stands that is being read.
typedef struct JsonPath {
    const struct JsonPath *parent; // NULL: the whole
    const char *key;
    int index; // in an array, or JSON_NO_INDEX
    unsigned depth;
    Error *err;
} JsonPath;

// Sets JSON_INVALID with the path; returns false.
bool json_refuse(const JsonPath *path, const char *problem);

// A number, boolean or enum of any type, as its bits on the wire.
bool json_read_bits(const JsonPath *path, const json_t *json, const ProtobufCFieldDescriptor *field,
                    uint64_t *ret_bits);

#endif
