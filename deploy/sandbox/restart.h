/* A sandbox goes on where the last one in its state folder ended. */
#pragma once

#include "sandbox.h"

/* Reads what was kept; before there are clusters. False with a sentence in ret_error: then nothing
 * was touched. */
bool restart_load(Sandbox *sandbox, char *ret_error, size_t error_bytes);
/* Opens clusters and ports again, begins unfinished operations once more, watches expiries. */
bool restart_resume(Sandbox *sandbox, char *ret_error, size_t error_bytes);
