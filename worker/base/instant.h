/*
 * Points in time: milliseconds since 1970-01-01T00:00:00Z (UTC, no leap seconds), as text and back.
 */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

enum { INSTANT_TEXT_BYTES = 32 };

// RFC 3339 with milliseconds: 2026-11-22T08:07:00.000Z. Years 0000 to 9999, else the nearest of
// them.
void instant_format(int64_t instant_ms, char ret_text[INSTANT_TEXT_BYTES]);
// The same without the milliseconds, which are cut: 2026-11-22T08:07:00Z.
void instant_format_seconds(int64_t instant_ms, char ret_text[INSTANT_TEXT_BYTES]);
// RFC 3339 with any number of fraction digits and an offset or Z.
bool instant_parse(const char *text, int64_t *ret_instant_ms);

#endif
