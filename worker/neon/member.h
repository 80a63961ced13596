/*
 * Members of a reply's JSON, each copied into a field of its own type. What is missing, of another
 * type, out of range or too long is refused with UNEXPECTED_REPLY, which names the member and never
 * shows its value. A member that is null counts as missing; so does every member of what is no
 * object.
 */
#ifndef NEON_MEMBER_H
#define NEON_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/name.h"

bool neon_member_refuse(const char *name, const char *why, Error *err);

// NULL when it is missing or null.
const json_t *neon_member_get(const json_t *object, const char *name);
const json_t *neon_member_object(const json_t *object, const char *name, Error *err);
const json_t *neon_member_array(const json_t *object, const char *name, Error *err);

bool neon_member_text(const json_t *object, const char *name, char *ret_text, size_t text_bytes,
                      Error *err);
// "" when missing.
bool neon_member_text_optional(const json_t *object, const char *name, char *ret_text,
                               size_t text_bytes, Error *err);
// For people to read: "" when missing, cut and cleaned by neon_message_copy.
bool neon_member_message(const json_t *object, const char *name, char *ret_text, size_t text_bytes,
                         Error *err);
// A name that people chose in Neon, where it may be longer than ours may be: "" then, which equals
// no name that is looked for.
bool neon_member_name(const json_t *object, const char *name, char *ret_name, size_t name_bytes,
                      Error *err);
// ^[a-z0-9-]{1,60}$, as Neon's API has it for projects, branches and endpoints.
bool neon_member_id(const json_t *object, const char *name, char ret_id[NAME_NEON_ID_BYTES],
                    Error *err);
bool neon_member_id_optional(const json_t *object, const char *name,
                             char ret_id[NAME_NEON_ID_BYTES], Error *err);
// A DNS name: libpq would take "/…" for a folder of sockets, and commas for a list.
bool neon_member_is_host(const char *host);

// False when missing.
bool neon_member_flag(const json_t *object, const char *name, bool *ret_flag, Error *err);
typedef struct NeonRange {
    int64_t first;
    int64_t last;
    int64_t missing; // what a missing one stands for; outside of the range: it is needed
} NeonRange;
bool neon_member_integer(const json_t *object, const char *name, NeonRange range,
                         int64_t *ret_number, Error *err);
// Compute units: 0 when missing; 0 to 1,000,000.
bool neon_member_units(const json_t *object, const char *name, double *ret_units, Error *err);
// RFC 3339.
bool neon_member_instant(const json_t *object, const char *name, int64_t *ret_instant_ms,
                         Error *err);
// 0 when missing.
bool neon_member_instant_optional(const json_t *object, const char *name, int64_t *ret_instant_ms,
                                  Error *err);

#endif
