/*
 * Logins to what is left of an application's environments.
 */
#ifndef E2E_CRASH_LOGINS_H
#define E2E_CRASH_LOGINS_H

#include "support/world.h"

// Fails unless every role that can log in does so with the password that RevealCredentials issues
// for it, and no two roles have the same, of whatever environment. Sends commands of the
// application: its end state is to be read before.
void logins_check(World *world, const char *application);

#endif
