/*
 * What the catalogs say about roles and privileges, so that two moments can be compared without
 * asking the code under test.
 */
#ifndef ROLES_TEST_SNAPSHOT_H
#define ROLES_TEST_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>

#include "cluster.h"

// The meaning: attributes, memberships, owners, privileges (a NULL acl spelled out), settings,
// comments; no passwords and no object ids. One line a fact, sorted. To be freed.
char *snapshot_meaning(const Cluster *cluster, const json_t *databases);
// The tuples: which versions of which rows of the catalogs of roles and privileges are there.
char *snapshot_tuples(const Cluster *cluster, const json_t *databases);
// Prints the lines that only one of them has; true when there is none.
bool snapshot_is_equal(const char *before, const char *after);

#endif
