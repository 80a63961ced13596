/*
 * Secrets that a command names instead of carrying them. An application reaches only what lies in
 * its own folder, <root>/<application>/:
 *
 *   file:NAME  the file NAME in it, without one line break at its end
 *   env:NAME   the line NAME=value of the file `env` in it; not the worker's own environment, which
 * would be one for all applications
 *
 * NAME is [A-Za-z0-9._-]{1,64} and doesn't begin with '.'. No symbolic link is followed below root.
 * Reads files, so it may wait for a disk.
 */
#ifndef SYS_REFERENCE_H
#define SYS_REFERENCE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"

enum { REFERENCE_SECRET_BYTES = 64 * 1024 };

// `root` is the setting secrets.references_root; empty: references are off. Errors:
// REFERENCE_NOT_FOUND, REFERENCE_INVALID (its form, a link, empty, too large), REFERENCE_UNREADABLE
// (try again).
bool reference_resolve(const char *root, const char *application_id, const char *reference,
                       Secret *ret_secret, Error *err);

#endif
