/*
 * The options that set an endpoint's compute.
 */
#ifndef CTL_ENDPOINT_H
#define CTL_ENDPOINT_H

#include <argp.h>

#include "provision/provision.h"

typedef struct EndpointOptions {
    ProvisionEndpoint settings; // what is 0 was not given
    bool has_suspend_timeout;   // 0 was given: Neon's default
} EndpointOptions;

// A child parser; its input is the EndpointOptions.
extern const struct argp ENDPOINT_ARGP;

#endif
