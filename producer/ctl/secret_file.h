/*
 * Secrets that stand in files: a connection URI, a key. White space around them is no part of them.
 */
#ifndef CTL_SECRET_FILE_H
#define CTL_SECRET_FILE_H

#include <stdbool.h>

#include "base/secret.h"
#include "provision/provision.h"

// Error: FILE_UNREADABLE (names the file).
bool secret_file_read(const char *path, Secret *ret_secret, ProvisionError *err);

// What the worker takes as setting `name`: from the file that the environment's
// PROVISION_<NAME>_FILE names, or from PROVISION_<NAME> itself; empty where neither is set. Error:
// FILE_UNREADABLE.
bool secret_file_of_setting(const char *name, Secret *ret_secret, ProvisionError *err);

#endif
