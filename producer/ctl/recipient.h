/*
 * Who credentials are sealed for: the key pair that the workers list for the application
 * (reveal.recipients).
 */
#ifndef CTL_RECIPIENT_H
#define CTL_RECIPIENT_H

#include "provision/provision.h"

typedef struct Recipient {
    uint8_t private_key[PROVISION_KEY_BYTES];
    uint8_t public_key[PROVISION_KEY_BYTES];
} Recipient;

// The file that --key-file names where it isn't given: $PROVISION_RECIPIENT_KEY_FILE, or NULL.
const char *recipient_default_file(void);

// Errors: FILE_UNREADABLE, KEY_INVALID.
bool recipient_read(Recipient *recipient, const char *key_file, ProvisionError *err);
// Zeroes the private key.
void recipient_clear(Recipient *recipient);

#endif
