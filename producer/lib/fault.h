/*
 * Filling the caller's ProvisionError.
 */
#ifndef LIB_FAULT_H
#define LIB_FAULT_H

#include "base/attr.h"
#include "base/error.h"
#include "provision/provision.h"

// Each returns false, so that a caller can `return fault_set(…)`; `err` may be NULL.
bool fault_set(ProvisionError *err, ProvisionErrorKind kind, const char *code, const char *format,
               ...) PRINTF_LIKE(4, 5);
bool fault_set_field(ProvisionError *err, const char *code, const char *field, const char *format,
                     ...) PRINTF_LIKE(4, 5);
// What a check of the contract refused.
bool fault_from(ProvisionError *err, const Error *error);

#endif
