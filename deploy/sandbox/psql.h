/* A file of SQL, run by the real psql against a branch. */
#pragma once

#include "sandbox.h"

/* Runs `psql -v ON_ERROR_STOP=1 -f FILE` as that role, over TLS; the loop runs meanwhile. Started
 * as root, psql is the clusters' user, who has to be able to read the file. False with what psql
 * complained about in ret_error. */
bool psql_run_file(Sandbox *sandbox, const Endpoint *endpoint, const Role *role,
                   const char *database, const char *file, char *ret_error, size_t error_bytes);
