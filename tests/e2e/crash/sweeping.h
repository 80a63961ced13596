/*
 * What the stories about sweeps have, and send.
 */
#ifndef E2E_CRASH_SWEEPING_H
#define E2E_CRASH_SWEEPING_H

#include "support/world.h"

// An environment, a branch in its project that an earlier command made and no environment owns, and
// an account whose key sees this project only: what others leave meanwhile is not swept.
void sweeping_have_swept(World *world, const char *application);
// ... with the usual key.
void sweeping_have_orphan(World *world, const char *application);

const char *sweeping_sweep(World *world, const char *application);
const char *sweeping_delete(World *world, const char *application);

#endif
