/*
 * What PostgreSQL stores in place of a password.
 */
#ifndef ROLES_VERIFIER_H
#define ROLES_VERIFIER_H

#include <stddef.h>

typedef enum RolesVerified {
    ROLES_VERIFIED_EQUAL,
    ROLES_VERIFIED_DIFFERENT,
    ROLES_VERIFIED_UNKNOWN, // none, MD5, or of a form we don't know
} RolesVerified;

// Whether `verifier` (pg_authid.rolpassword) is of `password`. Takes 1 to 3 ms with the server's
// usual 4,096 iterations: not for the loop. One that asks for more than 1,000,000 is unknown.
// SCRAM-SHA-256: https://www.rfc-editor.org/rfc/rfc5802 and rfc7677; the stored form:
// https://www.postgresql.org/docs/current/catalog-pg-authid.html
RolesVerified roles_verifier_check(const char *verifier, const char *password);

#endif
