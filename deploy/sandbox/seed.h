/* --seed: a first project whose database holds what a file of SQL makes. Once in the life of a
 * state folder; a start that fails there leaves nothing of it. */
#pragma once

#include "sandbox.h"

/* Makes the project and runs the file with psql, as the database's owner; returns when it is done.
 * False with a sentence in ret_error: psql's, with the line. */
bool seed_apply(Sandbox *sandbox, char *ret_error, size_t error_bytes);
/* Writes DIR/seed.uri, the connection string, when there is such a project; true: it was written.
 */
bool seed_write_uri(const Sandbox *sandbox, char *ret_path, size_t path_bytes);
/* Takes it away. */
void seed_remove_uri(const Sandbox *sandbox);
