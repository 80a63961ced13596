/*
 * The configuration file of a provision-worker, for who looks where it would. The worker is the
 * judge of the file (worker/sys/settings_source.h says its form); what it refuses is refused here.
 */
#ifndef CTL_WORKER_CONFIG_H
#define CTL_WORKER_CONFIG_H

#include <stdbool.h>

#include "provision/provision.h"

// Sets the environment's PROVISION_<NAME> to what the file says of each setting, unless the
// environment has the setting already (it wins, as for a worker). To be called before there are
// threads. Errors: FILE_UNREADABLE, SETTING_SYNTAX, and those of settings_set.
bool worker_config_read(const char *path, ProvisionError *err);

#endif
