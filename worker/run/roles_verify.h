/*
 * Compares passwords with what the server keeps of them, on libuv's threads: each takes
 * milliseconds.
 */
#ifndef RUN_ROLES_VERIFY_H
#define RUN_ROLES_VERIFY_H

#include "drive/loop.h"
#include "roles/talk.h"

typedef struct RolesVerify RolesVerify;
typedef void RolesVerifyDone(void *context);

// Fills in the results of the checks (at least one), then calls `done`, and is no more. What they
// point to is copied; the checks themselves stay valid until then.
RolesVerify *roles_verify_start(Loop *loop, RolesCheck *checks, size_t count, RolesVerifyDone *done,
                                void *context);
// `done` isn't called any more, and the checks aren't touched.
void roles_verify_cancel(RolesVerify *verify);

#endif
