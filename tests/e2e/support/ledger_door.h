/*
 * Shuts the workers out of the world's ledger, which runs on: the test's own connection works.
 */
#ifndef E2E_LEDGER_DOOR_H
#define E2E_LEDGER_DOOR_H

#include "support/world.h"

// Ends the workers' connections, and lets no new one in. Returns when none is left.
void ledger_door_shut(World *world);
void ledger_door_open(World *world);

#endif
