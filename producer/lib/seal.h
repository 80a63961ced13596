/*
 * An API key in a sealed box for the workers: who may use it stands inside, so that a box copied
 * into another application's command is refused.
 */
#ifndef LIB_SEAL_H
#define LIB_SEAL_H

#include "provision/provision.h"
#include "provisioning/v1/secret.pb-c.h"

// The box, from allocator_zeroing(); NULL with KEY_INVALID when the public key is no X25519 key.
Provisioning__V1__SealedBox *seal_api_key(const char *application_id, const char *account,
                                          const char *api_key,
                                          const uint8_t public_key[PROVISION_KEY_BYTES],
                                          ProvisionError *err);

#endif
