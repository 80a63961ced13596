/*
 * The conversation with one database of a branch as a pure state machine: given the results of what
 * was sent, what is to be sent next. Nothing about sockets is in it: run/ holds it over drive/pg on
 * the loop, tests/integration/roles/driver.c over plain libpq.
 *
 * A run over an environment is one CLUSTER conversation, in the maintenance database, and one
 * DATABASE conversation in each database, as soon as roles and database are there. Each session
 * takes the lock of its own database (advisory locks are per database) before it plans and has it
 * until it ends: what it executes was planned under that lock, and whoever is frozen meanwhile is
 * cut off by the server (ROLES_TALK_OPTIONS) before another one gets it.
 *
 *   CLUSTER   look (verifiers, plan) → apply in one transaction, look again in the same round
 *             trip → … → create missing databases, a few at once → HOLD until it is told to end
 *   DATABASE  look → hand over chunk by chunk → privileges in one transaction → …
 *
 * A warning that nothing was granted proves nothing: a phase is over when its plan, made anew, has
 * nothing left but what is blocked or failed by itself.
 */
#ifndef ROLES_TALK_H
#define ROLES_TALK_H

#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "roles/mode.h"
#include "roles/report.h"
#include "roles/spec.h"
#include "roles/verifier.h"

enum { ROLES_TALK_PARAMS_MAX = 4 };

// Settings that every session is opened with ("options" of the connection string). They cut off a
// frozen worker: one that sits in a transaction, or holds a lock without asking for anything.
#define ROLES_TALK_OPTIONS                                                                         \
    "-c search_path=pg_catalog,pg_temp -c jit=off -c statement_timeout=60s -c lock_timeout=10s "   \
    "-c idle_in_transaction_session_timeout=30s -c idle_session_timeout=60s "                      \
    "-c client_min_messages=warning -c default_transaction_isolation=read\\ committed "            \
    "-c default_transaction_read_only=off"
enum {
    ROLES_TALK_STATEMENT_TIMEOUT_MS = 60000,
    // of a batch: a chunk of objects, each of which may wait for a lock
    ROLES_TALK_BATCH_TIMEOUT_MS = 300000,
};

// What all conversations of a run share. Borrowed; outlives them.
typedef struct RolesTask {
    RolesMode mode;
    const json_t *spec;
    const json_t *databases; // names of those to look into; NULL: all of the spec's
    bool lists_extensions;   // PLAN: of each database, too
    // The wanted passwords of roles that log in; APPLY: of all of them. Verifiers decide which ones
    // are to be set; where they can't be read, `set` does. PLAN: may be fewer, or none.
    const RolesSecret *secrets;
    size_t secret_count;
    RolesFence fence; // APPLY, PASSWORDS
} RolesTask;

typedef struct RolesStatement {
    const char *sql;
    int param_count;
    const char *params[ROLES_TALK_PARAMS_MAX]; // text format
} RolesStatement;

// Valid until the conversation is told what came of it, or freed.
typedef struct RolesBatch {
    const RolesStatement *statements;
    int count;
    // A Sync behind each (results has one for each statement, failed ones too, then); else one
    // behind all of them: results end before the one that failed, which `err` tells.
    bool each;
    bool changes; // it isn't only reading: its send limit is to be kept
} RolesBatch;

// For roles_verifier_check, which takes milliseconds: not for the loop's thread.
typedef struct RolesCheck {
    const char *role;
    const Secret *password;
    const char *verifier;
    RolesVerified result; // to be filled in
} RolesCheck;

typedef enum RolesTalkAction {
    ROLES_TALK_SEND,   // the batch; then roles_talk_learn
    ROLES_TALK_VERIFY, // the checks; then roles_talk_verified
    ROLES_TALK_WAIT,   // wait_ms; then roles_talk_waited
    ROLES_TALK_HOLD,   // CLUSTER: all is there. After wait_ms roles_talk_waited (which asks for a
                       // statement that keeps the session), or roles_talk_end
    ROLES_TALK_DONE,   // the session is to be closed
    ROLES_TALK_FAILED, // err says why; the session is to be closed
} RolesTalkAction;

typedef struct RolesTalkNext {
    RolesTalkAction action;
    RolesBatch batch;   // SEND
    RolesCheck *checks; // VERIFY
    size_t check_count; // VERIFY
    uint32_t wait_ms;   // WAIT, HOLD
    const Error *err;   // FAILED; kind BUSY or UNAVAILABLE: the whole run may be tried again. Code
                        // ROLES_FENCED (conflict): nothing was changed, the report has fence_seen
} RolesTalkNext;

typedef struct RolesTalk RolesTalk;

// `database`: where its session is; one of the spec's, or NULL for the CLUSTER conversation.
RolesTalk *roles_talk_new(const RolesTask *task, const char *database);
void roles_talk_free(RolesTalk *talk);
// Says the same until it is told something. `random` jitters waits.
RolesTalkNext roles_talk_next(RolesTalk *talk, uint32_t random);
// No session could be opened, or only one that was refused: instead of sending anything. A database
// that refuses us for good is reported as blocked; else the conversation has failed.
void roles_talk_refused(RolesTalk *talk, const Error *err);
// As that, of a database that is known to refuse for good, whatever `err` says.
void roles_talk_leave_out(RolesTalk *talk, const Error *err);
// CLUSTER: whether nobody may connect to the database, so that "too many connections" (53300) isn't
// about a server that is full for a while.
bool roles_talk_is_closed(const RolesTalk *talk, const char *database);
// Whether a login was refused in a way that waiting doesn't change.
bool roles_talk_is_refusal(const Error *err);
// What came of the batch. `err` has kind none, unavailable (connection lost, code as drive/pg.h has
// it), or internal with the SQLSTATE as its code.
void roles_talk_learn(RolesTalk *talk, PGresult *const *results, int count, const Error *err);
void roles_talk_verified(RolesTalk *talk);
void roles_talk_waited(RolesTalk *talk);
void roles_talk_end(RolesTalk *talk); // of HOLD
typedef enum RolesDatabase {
    ROLES_DATABASE_LATER,   // it is to be created, or roles have to be made first
    ROLES_DATABASE_READY,   // its conversation may begin
    ROLES_DATABASE_MISSING, // PLAN creates none; one that could not be created is in the report
} RolesDatabase;
// CLUSTER: may change with all that the conversation is told.
RolesDatabase roles_talk_look_for(const RolesTalk *talk, const char *database);
// Moves what was found and done to the end of `report` (roles_report_merge).
void roles_talk_move_report(RolesTalk *talk, RolesReport *report);

#endif
