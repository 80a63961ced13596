/*
 * All conversations of one run over an environment's roles: the one with the cluster, then, while
 * that one holds, those with the databases, up to ROLES_TALKS_MAX at once. Pure, like roles/talk.h:
 * its caller opens sessions and carries messages.
 */
#ifndef ROLES_TALKS_H
#define ROLES_TALKS_H

#include "roles/talk.h"

enum { ROLES_TALKS_MAX = 8 }; // sessions in databases at once

typedef struct RolesSession {
    RolesTalk *talk;
    const char *database; // that it is to be opened in
    void *context;        // the caller's
} RolesSession;

typedef struct RolesTalks RolesTalks;

// `task` outlives it. `fallback`: a database that is there, for branches without `postgres`.
RolesTalks *roles_talks_new(const RolesTask *task, const char *fallback);
void roles_talks_free(RolesTalks *talks);

// A session that is to be opened now; NULL: none. Ask until it says so, at first and after each of
// the calls below.
RolesSession *roles_talks_open(RolesTalks *talks);
// It could not be opened. True: it isn't open any more, and roles_talks_open gives it again, for
// another database. False: as if a batch had failed.
bool roles_talks_refused(RolesTalks *talks, RolesSession *session, const Error *err);
// As roles_talk_next. The caller does what it says; with DONE and FAILED it closes the session, and
// the session is no more.
RolesTalkNext roles_talks_next(RolesTalks *talks, RolesSession *session, uint32_t random);
// The session that holds the lock for all others; NULL: none does. When another one has ended, what
// this one is to do may have changed: ask again, unless it is being sent something.
RolesSession *roles_talks_holder(RolesTalks *talks);

// All sessions have ended, or one has failed (the caller closes the others then).
bool roles_talks_is_over(const RolesTalks *talks);
// Once it is over: whether it worked, and what came of it (as far as it came). `ret_report`:
// initialised.
bool roles_talks_end(RolesTalks *talks, RolesReport *ret_report, Error *err);

#endif
