/*
 * Where settings come from, the later over the earlier: the defaults, a file, the environment, the
 * command line. Nothing is ignored: an unknown name, a line that is too long or a comment behind a
 * value is an error that names its place.
 *
 * File: INI. `[kafka]` and `bootstrap.servers = …` below it is the same as `kafka.bootstrap.servers
 * = …`; comments
 * (# or ;) stand on lines of their own. Environment: PROVISION_NEON_API_URL for neon.api_url. For
 * every secret there is <name>_file, the path of a file with its value (one line break at its end
 * is left out).
 */
#ifndef SYS_SETTINGS_SOURCE_H
#define SYS_SETTINGS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/settings.h"

enum {
    SETTINGS_SOURCE_LINE_BYTES = 198,         // inih cuts longer lines without a word
    SETTINGS_SOURCE_FILE_BYTES = 1024 * 1024, // a larger file is refused
    SETTINGS_SOURCE_SECRET_BYTES = 64 * 1024,
};

typedef struct SettingsSources {
    const char *file;               // NULL: what PROVISION_CONFIG names, or none
    char *const *environment;       // as environ
    const char *const *assignments; // "name=value" of each --set
    size_t assignment_count;
} SettingsSources;

// All sources in their order; settings_check is the caller's. Errors: those of settings_set;
// SETTING_FILE for a file that can't be read, SETTING_SYNTAX.
bool settings_source_load(Settings *settings, const SettingsSources *sources, Error *err);

// The text of a configuration file; `origin` is its name in errors ("worker.ini").
bool settings_source_read_text(Settings *settings, Bytes text, const char *origin, Error *err);
// Every PROVISION_… variable. Left alone: PROVISION_CONFIG, and what tests and scripts use
// (PROVISION_TEST_…, PROVISION_POSTGRES_DIRS, PROVISION_BIN_DIR, PROVISION_CACHE, PROVISION_JOBS).
bool settings_source_read_environment(Settings *settings, char *const *environment, Error *err);
// "name=value". A secret is refused, as anyone on the machine can read a command line; its
// <name>_file isn't.
bool settings_source_read_assignment(Settings *settings, const char *assignment, Error *err);

#endif
