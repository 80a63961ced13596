/*
 * Names of the roles that we make: <prefix>_platform|reader|writer|admin over all databases,
 * db_<database>_reader|writer|admin of one, svc_<service> of a service.
 *
 * PostgreSQL cuts longer identifiers at 63 bytes with a mere notice, which would make one role of
 * several. So a name that leaves too little room for the rest is replaced by its first bytes, '_'
 * and 16 hex digits of its SHA-256; one that could be taken for such a replacement is replaced,
 * too: different names never meet. sql/spec.sql states the same rule for the server.
 */
#ifndef ROLES_NAMES_H
#define ROLES_NAMES_H

#include <stdbool.h>

#include "base/error.h"

enum {
    ROLES_NAME_BYTES = 64, // 63 (NAMEDATALEN - 1) and a NUL
};

typedef enum RolesLevel {
    ROLES_READER,
    ROLES_WRITER,
    ROLES_ADMIN,
} RolesLevel;

// "reader", "writer", "admin".
const char *roles_level_name(RolesLevel level);

// `database`, `service`: names that roles_check_name takes.
void roles_name_database(const char *database, RolesLevel level, char ret_role[ROLES_NAME_BYTES]);
void roles_name_service(const char *service, char ret_role[ROLES_NAME_BYTES]);
// `prefix`: one that name_check_prefix takes.
void roles_name_global(const char *prefix, RolesLevel level, char ret_role[ROLES_NAME_BYTES]);
void roles_name_platform(const char *prefix, char ret_role[ROLES_NAME_BYTES]);

// 1 to 63 bytes of UTF-8. Error: INVALID_NAME, names the field.
bool roles_check_name(const char *name, const char *field, Error *err);
// Whether a role has a name that only we give.
bool roles_is_reserved(const char *prefix, const char *role);

#endif
