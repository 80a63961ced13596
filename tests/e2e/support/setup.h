/*
 * The parts of world_begin and world_end that stand outside of the sandbox.
 */
#ifndef E2E_SETUP_H
#define E2E_SETUP_H

#include "support/world.h"

// A file in the world's folder, readable by us only.
void setup_write(const World *world, const char *name, const char *text);
// An empty database of its own, and a connection to it.
void setup_ledger(World *world);
// DIR/worker.ini; the settings are chosen so that waits are short, not so that they never come.
void setup_settings(World *world);
// libprovision's client, a bare producer, the reader; the topics have to be there.
void setup_clients(World *world);
// The same client anew; with a key, it signs what it sends.
void setup_client(World *world, const uint8_t signing_key[PROVISION_KEY_BYTES]);
// Closes the clients and drops the database.
void setup_end(World *world);

#endif
