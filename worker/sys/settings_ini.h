/*
 * The configuration file's form, on inih: what inih would cut or read in its own way is refused
 * with its line.
 */
#ifndef SYS_SETTINGS_INI_H
#define SYS_SETTINGS_INI_H

#include <stdbool.h>

#include "base/error.h"
#include "base/settings.h"

enum { SETTINGS_SOURCE_NAME_BYTES = 256 };

// Sets `name`, or what <name>_file's file holds.
bool settings_source_set(Settings *settings, const char *name, const char *value,
                         const char *origin, Error *err);

#endif
