/*
 * What is left of an application's commands when all have ended, for all eyes: events, state
 * topic, dead letters, Neon, and the ledger; in a form that is equal wherever the same was done.
 */
#ifndef E2E_CRASH_END_STATE_H
#define E2E_CRASH_END_STATE_H

#include <jansson.h>

#include "support/world.h"

// The number of the last call that the sandbox has answered.
int64_t end_state_last_call(World *world);
// Fails where something is wrong in itself: a sequence has a gap, an event stands there twice.
// `since_call`: before the command. The caller frees it.
json_t *end_state_read(World *world, const char *application, int64_t since_call);
// Prints what differs.
bool end_state_is_same(const json_t *wanted, const json_t *found);

#endif
