/*
 * Plain protobuf, or Confluent's wire format: 0x00, schema id (4 bytes, big-endian), message
 * indexes (zigzag varints: a count, then the path; [0] is the single byte 0x00), protobuf.
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/
 */
#ifndef CONTRACT_FRAMING_H
#define CONTRACT_FRAMING_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

typedef struct Framing {
    bool confluent;
    uint32_t schema_id; // when confluent
} Framing;

// The message inside a value of either framing (a plain message can't start with 0x00). Only index
// path [0] is ours. Code: FRAMING_UNREADABLE.
bool framing_open(Bytes value, Bytes *ret_message, Error *err);
// Bytes that stand before a message; returns their number (0 or 6).
size_t framing_header(const Framing *framing, uint8_t ret_header[6]);

#endif
