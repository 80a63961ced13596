/* What Neon's compute does in a cluster, as cloud_admin: its own roles once, then the roles and
 * databases that the API makes. Names are quoted by libpq. Called on libuv's threads. */
#pragma once

#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "store.h"

/* Runs statements; false with the server's message in ret_error. */
bool sql_run(PGconn *connection, const char *statements, char *ret_error, size_t error_bytes);
/* neon_superuser and what it may do, in a new cluster of that major version. */
bool sql_prepare_cluster(PGconn *connection, int major, char *ret_error, size_t error_bytes);
/* Opens a superuser's connection to one of the cluster's databases, or NULL. */
typedef PGconn *(*SqlConnect)(void *context, const char *database);
/* Applies a change; `connect` gives more connections where a database has to be entered. */
bool sql_apply_change(PGconn *connection, const Change *change, SqlConnect connect, void *context,
                      char *ret_error, size_t error_bytes);
/* Brings the cluster to what the control plane knows, as Neon's compute does when it is configured:
 * what knowledge_build gives. */
bool sql_configure(PGconn *connection, const json_t *known, char *ret_error, size_t error_bytes);
/* {"roles": [[name, can log in, verifier]…], "databases": [[name, owner]…]} of what a user may see;
 * NULL on error. */
json_t *sql_read_contents(PGconn *connection);
