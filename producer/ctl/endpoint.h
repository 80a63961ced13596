/*
 * The options that set an endpoint's compute.
 */
#ifndef CTL_ENDPOINT_H
#define CTL_ENDPOINT_H

#include <argp.h>

#include "provision/provision.h"

// A child parser; its input is the ProvisionEndpoint.
extern const struct argp ENDPOINT_ARGP;

#endif
