/*
 * Plan queries: SELECTs that compare the wanted roles with the catalogs and answer the statements
 * that make them equal, in order, each with its reason, quoted by the server. They change nothing.
 * No statement holds a password: where one is to be set, the step names the role.
 */
#ifndef ROLES_PLAN_H
#define ROLES_PLAN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// $1 is the text of roles_spec_parameter unless it says otherwise.
typedef enum RolesQuery {
    // Plans: decoded by roles_plan_decode.
    ROLES_QUERY_CLUSTER,    // roles, attributes, memberships; any database, under the lock
    ROLES_QUERY_DATABASES,  // missing databases; each statement outside a transaction
    ROLES_QUERY_OWNER,      // owners in the session's database; at most 300 objects at once
    ROLES_QUERY_PRIVILEGES, // privileges, default privileges, role settings of that database
    ROLES_QUERY_CREATOR,    // default privileges of the session's own user in that database
    // Others.
    ROLES_QUERY_VERIFIERS,  // $1: jsonb array of role names; columns role, verifier (NULL: none)
    ROLES_QUERY_LOGINS,     // columns role: marked as ours, wanted or not, and able to log in
    ROLES_QUERY_EXTENSIONS, // columns extension: of the session's database
    ROLES_QUERY_OWNERS,     // columns database, role, objects: owners in all databases that aren't
                            // superusers; a database's own owner counts as one object
} RolesQuery;

const char *roles_query_sql(RolesQuery query);

// Neon takes passwords in clear only, and a server may be told to log statements with their
// parameters, but never logs results. So before any password is set the session is asked for a
// pad, which it keeps: its one value. Each role's password is then sent covered by a key of its own
// that both sides derive from the pad (roles/talk_pad.h): a log has nothing but the covered ones.
#define ROLES_SQL_MAKE_PAD                                                                         \
    "SELECT pg_catalog.set_config('provision.pad', pg_catalog.encode(pg_catalog.sha256("           \
    "pg_catalog.convert_to(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid() || " \
    "pg_catalog.gen_random_uuid(), 'UTF8')), 'hex'), false)"

// How a step is executed that sets a password: the first statement with $1 = the step's statement,
// $2 = the covered password (NULL: a random one that nobody learns) and $3 = the role, then the
// second, in one transaction. Neither pg_stat_statements (unless pg_stat_statements.track = all)
// nor an error's context shows the password. What ends a session at once, or tells of a long wait,
// is logged with the statement that runs inside: so a role that is there is first altered without
// the password, which waits for others if anything does.
#define ROLES_SQL_STAGE_SECRET                                                                     \
    "SELECT FROM pg_catalog.set_config('provision.first', "                                        \
    "CASE WHEN $1::text LIKE 'ALTER %' THEN $1::text ELSE '' END, true) AS first, "                \
    "pg_catalog.set_config('provision.statement', pg_catalog.format('%s PASSWORD %L', $1::text, "  \
    "CASE WHEN $2::text IS NULL THEN pg_catalog.replace(pg_catalog.gen_random_uuid()::text || "    \
    "pg_catalog.gen_random_uuid(), '-', '') "                                                      \
    "ELSE (SELECT pg_catalog.convert_from(pg_catalog.decode(pg_catalog.string_agg("                \
    "pg_catalog.lpad(pg_catalog.to_hex(pg_catalog.get_byte(covered, i) # pg_catalog.get_byte("     \
    "pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.current_setting('provision.pad') || ' ' "  \
    "|| i / 32 || ' ' || $3::text, 'UTF8')), i % 32)), 2, '0'), '' ORDER BY i), 'hex'), 'UTF8') "  \
    "FROM pg_catalog.decode($2::text, 'hex') covered, "                                            \
    "pg_catalog.generate_series(0, pg_catalog.length(covered) - 1) i) END), true) AS second"
#define ROLES_SQL_RUN_SECRET                                                                       \
    "DO $provision$ BEGIN EXECUTE pg_catalog.current_setting('provision.first'); "                 \
    "EXECUTE pg_catalog.current_setting('provision.statement'); "                                  \
    "EXCEPTION WHEN query_canceled OR others THEN "                                                \
    "RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM; END $provision$"

typedef enum RolesStepKind {
    ROLES_STEP_FRAME,     // SET LOCAL ROLE: who executes what follows
    ROLES_STEP_TEMPORARY, // a privilege for the transaction only, and its end
    ROLES_STEP_CHANGE,
    ROLES_STEP_FINDING, // no statement: worth knowing, or left as it is by the policy
    ROLES_STEP_BLOCKED, // no statement: can't be repaired by this session
    ROLES_STEP_OWNER,   // as BLOCKED: only a session of the owner named by `object` can hand over
    ROLES_STEP_FENCED,  // as BLOCKED, and nothing may be executed: a later apply was here
} RolesStepKind;

typedef struct RolesStep {
    RolesStepKind kind;
    char *statement; // "" where there is none
    char *reason;    // "" for frames
    char *object;    // what it is about
    char *secret_of; // the role whose password follows the statement; NULL: none
} RolesStep;

typedef struct RolesPlan {
    RolesStep *steps; // in the order of execution
    size_t count;
    int64_t fence_seen; // of ROLES_STEP_FENCED; else 0
} RolesPlan;

#define ROLES_PLAN_INIT ((RolesPlan){.steps = NULL})

// Rows of a plan query. Error: ROLES_ROW_INVALID.
bool roles_plan_decode(const PGresult *rows, RolesPlan *ret_plan, Error *err);
void roles_plan_clear(RolesPlan *plan);
// Whether there is anything to execute: a plan without changes is converged.
bool roles_plan_has_changes(const RolesPlan *plan);
// The step that says a later apply was here; NULL: none.
const RolesStep *roles_plan_fenced(const RolesPlan *plan);

#endif
