/* What the control plane knows of a branch's roles and databases beside what its cluster has. At
 * Neon the two differ after a transaction that aborted once it was forwarded, after a restore, on
 * the child of a protected branch; the compute's next configuration then brings the cluster in
 * line.
 */
#pragma once

#include <jansson.h>

#include "store.h"

/* Brings what a job read into the branch: {"roles": [[name, can log in, verifier]…], "databases":
 * [[name, owner]…], "forwarded": [[kind, role, password]…]}; the first two may be missing. */
void knowledge_merge(Store *store, Branch *branch, const json_t *contents, int64_t now_ms);
/* {"roles": [[name, password]…], "databases": [[name, owner]…]}: what the cluster is to get, NULL
 * when nothing; without `reverts` only passwords of roles that it has. */
json_t *knowledge_build(const Branch *branch, bool reverts);
/* The cluster got it. */
void knowledge_note_done(Branch *branch, const json_t *built);
/* What a test wants it to know. */
void knowledge_set_role(Store *store, Branch *branch, const char *name, const char *password,
                        int64_t now_ms);
void knowledge_set_owner(Store *store, Branch *branch, const char *name, const char *owner,
                         int64_t now_ms);
/* New passwords for all that may log in: the child of a protected branch. */
void knowledge_renew_passwords(Branch *branch);
