/*
 * The search for secrets: API keys, passwords and the fleet's keys that a world knows must stand
 * nowhere in clear, base64 (both alphabets, at any of the three alignments), hex or URL-encoded
 * form.
 *
 * Searched: keys, values and headers of every record of the four topics (aborted ones, too), the
 * logs of workers and sandbox and everything else in the world's folder but the key files
 * themselves, all tables of the ledger (bytea also as the bytes they are), and the command lines of
 * all processes of this machine.
 */
#ifndef E2E_SECRETS_H
#define E2E_SECRETS_H

#include "support/world.h"

// Fails naming the place and the form, never the secret. Workers and sandbox should be running
// still.
void secrets_search(World *world);

// For a group's last test: learns the passwords of every role of every branch, then searches.
void secrets_are_found_nowhere(void **state);

#endif
