/*
 * What is left in a branch's PostgreSQL for those who log in: roles, who is a member of whom, and
 * the owner and privileges of everything.
 */
#ifndef E2E_CRASH_CATALOG_STATE_H
#define E2E_CRASH_CATALOG_STATE_H

#include <jansson.h>

#include "support/world.h"

// Logs in as a role whose password the API reveals; `project` and `branch` as sandbox_state tells
// them. The caller ends it with PQfinish.
PGconn *catalog_state_open(World *world, const json_t *project, const json_t *branch,
                           const char *database);
// {"": {"role NAME": how it is, …}, DATABASE: {"schema NAME": …}, …}, the same wherever the same
// was done: without oids, passwords and the number of the last apply. The caller frees it.
json_t *catalog_state_read(World *world, const json_t *project, const json_t *branch);

#endif
