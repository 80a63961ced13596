/*
 * UUIDs as text (RFC 9562): lower-case, 36 characters.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT_BYTES = 37 };

bool uuid_is_valid(const char *text); // either case; the nil UUID is refused
// Lower-cases a valid UUID.
void uuid_normalise(const char *text, char ret_uuid[UUID_TEXT_BYTES]);
// Version 8 (custom) from 16 bytes, as of a hash: the same bytes give the same UUID.
void uuid_from_hash(const uint8_t bytes[16], char ret_uuid[UUID_TEXT_BYTES]);
// Version 4 from 16 random bytes.
void uuid_from_random(const uint8_t bytes[16], char ret_uuid[UUID_TEXT_BYTES]);

#endif
