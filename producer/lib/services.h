/*
 * Lists of a command: names of databases, and services with what they use.
 */
#ifndef LIB_SERVICES_H
#define LIB_SERVICES_H

#include "provision/provision.h"
#include "provisioning/v1/settings.pb-c.h"

// Each is for a message made with allocator_zeroing(), which then owns it; NULL where count is 0. A
// NULL among the texts becomes empty.
char **services_names(const char *const *names, size_t count);
Provisioning__V1__Service **services_new(const ProvisionService *services, size_t count);

#endif
