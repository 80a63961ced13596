/*
 * Names that users choose: checked on entry, never cut.
 */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include <stdbool.h>

#include "base/error.h"

enum {
    NAME_APPLICATION_BYTES = 64, // [a-z0-9][a-z0-9._-]{0,62} and a NUL
    NAME_ENVIRONMENT_BYTES = 64, // the same, and ':' after the first character
    NAME_ACCOUNT_BYTES = 64,     // as an application
    NAME_NEON_BYTES = 257,       // project and branch names: 1 to 256 characters, here bytes
    NAME_NEON_ID_BYTES = 61,     // ^[a-z0-9-]{1,60}$
    NAME_DATABASE_BYTES = 64,    // 1 to 63 bytes
    NAME_ROLE_BYTES = 64,        // 1 to 63 bytes
    NAME_PREFIX_BYTES = 17,      // [a-z][a-z0-9_]{0,15}
};

// Each: false with INVALID_NAME (the field named, and what is allowed) when it doesn't fit. `field`
// is the field's path in the command, as the sender knows it.
bool name_check_application(const char *name, const char *field, Error *err);
bool name_check_environment(const char *name, const char *field, Error *err);
bool name_check_account(const char *name, const char *field, Error *err);
// Project, branch: 1 to 256 bytes of UTF-8 without control characters, no white space at either
// end.
bool name_check_neon(const char *name, const char *field, Error *err);
bool name_check_neon_id(const char *id, const char *field, Error *err);
// 1 to 63 bytes of UTF-8 without control characters, not one of PostgreSQL's own (postgres,
// template0, template1).
bool name_check_database(const char *name, const char *field, Error *err);
// 1 to 63 bytes of UTF-8 without control characters.
bool name_check_role(const char *name, const char *field, Error *err);
// 1 to 63 bytes of UTF-8 without control characters: longer role names than PostgreSQL takes are
// hashed, so the whole length is free.
bool name_check_service(const char *name, const char *field, Error *err);
// What the roles over all databases begin with. Not one that a role of a database or a service, or
// one of PostgreSQL's or Neon's own, could begin with: db, svc, pg, neon, alone or before a '_'.
bool name_check_prefix(const char *prefix, const char *field, Error *err);
// A preview's environment (pr:…), which only preview commands may use.
bool name_is_preview(const char *environment);

#endif
