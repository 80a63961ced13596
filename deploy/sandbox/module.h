/* The library that every cluster preloads (neon_ddl/): carried inside the program, so that there is
 * one file to copy about. */
#pragma once

#include <stdbool.h>

#include "spawn.h"

/* Writes it to `path`, for that user. */
bool module_write(const char *path, const SpawnUser *user);
