/*
 * An environment's details from what the state topic shows of it: the way back of
 * environment_message, for a ledger that was lost.
 */
#ifndef SAGA_RESTORE_H
#define SAGA_RESTORE_H

#include <jansson.h>

#include "provisioning/v1/state.pb-c.h"

// A new object. `roles_prefix`: roles.prefix. What no state shows is missing: who asked for what
// (the repository of a preview), the Neon account.
json_t *restore_details(const Provisioning__V1__EnvironmentState *state, const char *roles_prefix);

// "created", "branched", "imported"; NULL: one that this version doesn't know.
const char *restore_origin(Provisioning__V1__Origin origin);

#endif
