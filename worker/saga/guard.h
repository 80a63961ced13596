/*
 * What stands before every deletion of a project but the one that deletes an environment's own
 * (steps_delete.c) or a duplicate of this very command: our row says `deleting` with that project's
 * id, then nobody else may live in it, neither by the ledger nor by Neon's branch list. Another
 * application's branch would go with the project. architecture.md, "Failure rules", last row.
 *
 * The project is known by context: what is undone, what an earlier command left, or what a listing
 * shows of the environment.
 */
#ifndef SAGA_GUARD_H
#define SAGA_GUARD_H

#include "saga/saga.h"

// DeleteEnvironment, or ClosePreview.
bool guard_is_deletion(const Saga *saga);
// The environment that is deleted has a project of its own, which goes with it.
bool guard_owns_project(const Saga *saga);
// Before each deletion of the project that the guard has let go: what it saw counts for one call
// only.
void guard_use_up(Saga *saga, const char *project_id);
// Our row says `deleting` because a guard of this very command, perhaps under an earlier claim, has
// marked it.
bool guard_holds_row(const Saga *saga);
// The project of the environment that a Delete is for; the row itself may name a guarded one by
// now.
const char *guard_own_project(const Saga *saga);
// Names of who lives in the project; the caller clears it.
void guard_name_dependents(const Answer *answer, Text *ret_names);

#endif
