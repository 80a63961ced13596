/*
 * Holds the conversations of a run over an environment's roles (roles/talks.h) over drive/pg: one
 * session holds the branch's lock, up to eight more look into databases at the same time.
 */
#ifndef RUN_ROLES_RUN_H
#define RUN_ROLES_RUN_H

#include "drive/loop.h"
#include "drive/pg.h"
#include "drive/resolver.h"
#include "roles/talks.h"

enum {
    ROLES_RUN_SESSIONS = 1 + ROLES_TALKS_MAX,
    // A batch names at most what is to be changed, some 200 bytes each.
    ROLES_RUN_ANSWER_BYTES = 16 * 1024 * 1024,
};

typedef struct RolesRun RolesRun;

typedef struct RolesRunOptions {
    Loop *loop;
    Resolver *resolver;
    const char *host; // the branch's own, never its pooler's: sessions hold locks
    int port;
    const char *user;
    const Secret *password;
    const char *ca_file; // as PgOptions has it
    bool public_only;    // so
    PgAnswers *answers;  // so
    uint32_t connect_timeout_ms;
    const char *fallback; // a database that is there, for branches without `postgres`
    // What changes roles and passwords is sent until then only (CLOCK_BOOTTIME, 0: no limit).
    // Databases have no limit: their sessions have locks of their own, and set no password.
    int64_t send_limit_boot_ms;
    RolesTask task; // its passwords are copied; the rest outlives the run
} RolesRunOptions;

// `err` has kind none where it worked. The report, which ends with the call, says how far it came.
typedef void RolesRunDone(void *context, const RolesReport *report, const Error *err);

// Calls `done` later, once, and is no more by then.
RolesRun *roles_run_start(const RolesRunOptions *options, RolesRunDone *done, void *context);
// Closes all sessions (the server rolls back what they have begun); `done` isn't called.
void roles_run_cancel(RolesRun *run);

#endif
