/*
 * `provision-worker sweep` in a world, and what it has found.
 */
#ifndef E2E_SWEEP_H
#define E2E_SWEEP_H

#include "support/world.h"

enum { SWEEP_CLEAN = 0, SWEEP_FOUND = 1 };

// One run. The events are those that it printed, kept until the program ends.
typedef struct Sweep {
    int code;
    json_t *events;
    const char *complaint; // what else it printed
} Sweep;

// With these arguments besides --json, ended by NULL; or NULL.
Sweep sweep_run(World *world, const char *const *arguments);
Sweep sweep_look(World *world);   // changes nothing
Sweep sweep_delete(World *world); // --delete

// The one AccountSwept of an application; fails unless there is exactly one.
const json_t *sweep_of(const Sweep *sweep, const char *application);
// The application's finding about a branch; NULL: there is none.
const json_t *sweep_finding(const Sweep *sweep, const char *application, const char *branch_id);
// Its verdict ("ORPHAN"), "" where there is none.
const char *sweep_verdict(const Sweep *sweep, const char *application, const char *branch_id);
size_t sweep_count_findings(const Sweep *sweep, const char *application);
// Sweeps without changing anything until the verdict on a branch is this one.
Sweep sweep_await(World *world, const char *application, const char *branch_id,
                  const char *verdict);

// All mutating calls that the sandbox has seen.
int64_t sweep_mutations(World *world);
// The branch with this name in a project, and the root branch of the project with this name that
// isn't the one `but`; "" where there is none, kept until the program ends.
const char *sweep_find_branch(World *world, const char *project_id, const char *name);
const char *sweep_find_root(World *world, const char *name, const char *but);
bool sweep_branch_exists(World *world, const char *branch_id);

#endif
