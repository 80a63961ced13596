/*
 * Values of a command: the messages around a number or a time, and the settings of an endpoint.
 */
#ifndef LIB_VALUES_H
#define LIB_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "provision/provision.h"
#include "provisioning/v1/command.pb-c.h"

bool values_is_given(const char *text); // neither NULL nor empty

// Each is for a message made with allocator_zeroing(), which then owns it.
Google__Protobuf__DoubleValue *values_double(double value);
Google__Protobuf__Int64Value *values_int64(int64_t value);
Google__Protobuf__Timestamp *values_instant(int64_t instant_ms);
Google__Protobuf__Duration *values_span(int64_t seconds);
// NULL where everything is Neon's default.
Provisioning__V1__EndpointSettings *values_endpoint(const ProvisionEndpoint *endpoint);

#endif
