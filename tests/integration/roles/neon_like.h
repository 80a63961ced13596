/*
 * What Neon's compute_ctl makes of a fresh cluster (github.com/neondatabase/neon,
 * compute_tools/src: sql/create_privileged_role.sql, spec_apply.rs, migrations/0001 to 0012,
 * sql/default_grants.sql), and a second API-made role, as customers have.
 */
#ifndef ROLES_TEST_NEON_LIKE_H
#define ROLES_TEST_NEON_LIKE_H

#include "cluster.h"

// `cluster_dir`: folder of the socket; the server runs.
void neon_like_make(const char *cluster_dir, int major);

// The statement by which the control plane makes a role; `name` is SQL.
#define NEON_LIKE_API_ROLE(name)                                                                   \
    "CREATE ROLE " name " INHERIT CREATEROLE CREATEDB BYPASSRLS REPLICATION IN ROLE "              \
    "neon_superuser LOGIN PASSWORD '" CLUSTER_PASSWORD "'"

#endif
