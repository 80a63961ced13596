/*
 * The wanted roles of one environment, as JSON without any password: what journal and ledger keep
 * and what the plan queries get.
 *
 *   {"prefix": "encore", "policy": "authoritative" | "additive", "adopt": false,
 *    "databases": ["main", …],
 *    "services": [{"name": "orders", "access": {"main": "read" | "write" | "admin"}}]}
 */
#ifndef ROLES_SPEC_H
#define ROLES_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "roles/names.h"

enum {
    ROLES_LIMIT = 500, // roles of a branch: https://neon.com/docs/reference/limits
};

typedef enum RolesPolicy {
    ROLES_AUTHORITATIVE, // what isn't wanted is taken away
    ROLES_ADDITIVE,      // nothing is taken away: it is reported
} RolesPolicy;

// Owned by the caller. `prefix`: one that name_check_prefix takes.
json_t *roles_spec_new(const char *prefix, RolesPolicy policy, bool adopt);
// Names are added as they are; roles_spec_check judges them. They must be UTF-8.
void roles_spec_add_database(json_t *spec, const char *database);
void roles_spec_add_service(json_t *spec, const char *service);
// Of the service that was added last.
void roles_spec_add_access(json_t *spec, const char *database, RolesLevel level);

// Whether it is formed as above, each name fits, none stands twice, access is to listed databases
// and everything stays within ROLES_LIMIT. Errors: INVALID_NAME, INVALID_FIELD, TOO_MANY_ROLES; the
// field is the command's (databases[0], services[2].name, services[2].databases).
bool roles_spec_check(const json_t *spec, Error *err);

// The parts of a spec that roles_spec_check takes.
const char *roles_spec_prefix(const json_t *spec);
RolesPolicy roles_spec_policy(const json_t *spec);
// Names of all roles that log in: platform, reader, writer, admin, every service's. Owned by the
// caller.
json_t *roles_spec_logins(const json_t *spec);
// Whether `role`, one of those, may connect to the database.
bool roles_spec_may_connect(const json_t *spec, const char *role, const char *database);

typedef struct RolesSecret {
    const char *role;
    const Secret *password; // wanted; NULL where only a plan is asked for
    bool set;               // the role may exist with another one: it is to be set
} RolesSecret;

// Who applies, so that one who stood still can't undo what a later one did.
typedef struct RolesFence {
    const char *branch_id;
    int64_t number; // rises with every apply of the environment
} RolesFence;

// $1 of every plan query: the spec, which passwords are to be set, and the fence (NULL: only a plan
// is asked for). No password is in it. Owned by the caller, freed with free().
char *roles_spec_parameter(const json_t *spec, const RolesSecret *secrets, size_t count,
                           const RolesFence *fence);

#endif
