/*
 * What is left of an application at Neon: projects, branches, their settings, and, where branches
 * can be logged in to, what stands in their catalogs.
 */
#ifndef E2E_CRASH_NEON_STATE_H
#define E2E_CRASH_NEON_STATE_H

#include <jansson.h>

#include "support/world.h"

// Whether a project (of sandbox_state) has a name that begins with the application's.
bool neon_state_is_of(const char *application, const json_t *project);
// The application's environment on a branch; "": none.
const char *neon_state_environment(World *world, const char *application, const json_t *project,
                                   const json_t *branch);
// Of the projects whose names begin with the application's; `state` is the sandbox's
// (sandbox_state). The caller frees it.
json_t *neon_state_read(World *world, const char *application, const json_t *state);

#endif
