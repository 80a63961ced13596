/*
 * Where a Neon API key comes from (a file, standard input, the environment; never the command line,
 * which everybody on the machine can read), and the public key that it is sealed for.
 */
#ifndef CTL_API_KEY_H
#define CTL_API_KEY_H

#include <argp.h>
#include <stdbool.h>

#include "base/secret.h"
#include "provision/provision.h"

typedef struct ApiKeyOptions {
    const char *file;     // "-": standard input
    const char *variable; // of the environment
    const char *fleet_public_key;
} ApiKeyOptions;

// A child parser; its input is the ApiKeyOptions.
extern const struct argp API_KEY_ARGP;

bool api_key_is_given(const ApiKeyOptions *options);

// Reads both. Errors: FILE_UNREADABLE, API_KEY_UNREADABLE, KEY_INVALID, KEY_UNREADABLE,
// FIELD_REQUIRED.
bool api_key_read(const ApiKeyOptions *options, Secret *ret_key,
                  uint8_t ret_public_key[PROVISION_KEY_BYTES], ProvisionError *err);

#endif
