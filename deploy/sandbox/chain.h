/* Operations: each project runs its own in order, one at a time, each for at least --operation-ms.
 * While any is unfinished the project is locked (423). What an operation means for the things it
 * names happens when it finishes. */
#pragma once

#include "sandbox.h"

/* Adds one at the end of the project's chain; nothing runs before chain_start. `endpoint` and
 * `change` may be NULL; the change is copied. */
Operation *chain_add(Sandbox *sandbox, Branch *branch, Endpoint *endpoint, Action action,
                     const Change *change);
/* Adds what applies a change to a branch's cluster: as Neon, an idle compute is suspended again. */
Operation *chain_add_apply(Sandbox *sandbox, Branch *branch, const Change *change);
/* Begins the first unfinished operation, unless one runs. */
void chain_start(Sandbox *sandbox, Project *project);
/* The work of a running operation ended; `error` NULL means well. */
void chain_end_work(Sandbox *sandbox, Operation *operation, const char *error);
/* After a restart: what was not finished begins again. */
void chain_resume(Sandbox *sandbox, Project *project);
/* Cancels what has not begun; when nothing runs any more, the project's clusters are removed. */
void chain_abandon(Sandbox *sandbox, Project *project);
