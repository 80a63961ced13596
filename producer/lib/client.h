/*
 * What the parts of the library share of a client.
 */
#ifndef LIB_CLIENT_H
#define LIB_CLIENT_H

#include "lib/options.h"

const ProvisionOptions *client_options(const ProvisionClient *client);

#endif
