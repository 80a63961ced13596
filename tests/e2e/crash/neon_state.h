/*
 * What is left of an application at Neon: projects, branches, and their settings.
 */
#ifndef E2E_CRASH_NEON_STATE_H
#define E2E_CRASH_NEON_STATE_H

#include <jansson.h>

#include "support/world.h"

// Of the projects whose names begin with the application's; `state` is the sandbox's
// (sandbox_state). The caller frees it.
json_t *neon_state_read(World *world, const char *application, const json_t *state);

#endif
