/*
 * The --config file: lines NAME = VALUE, '#' begins a comment line, as in Kafka's own .properties
 * files.
 */
#ifndef CTL_PROPERTIES_H
#define CTL_PROPERTIES_H

#include <stdbool.h>

#include "provision/provision.h"

// Whether a property's value must not be seen by others.
bool properties_is_secret(const char *name);
// Errors: OPTION_INVALID (with file and line), FILE_UNREADABLE.
bool properties_read(const char *path, ProvisionOptions *options, ProvisionError *err);

#endif
