/*
 * The keys of this worker: the fleet's private key, which opens API keys in commands, and the
 * key-encryption key, which seals what the ledger keeps.
 */
#ifndef RUN_KEYS_H
#define RUN_KEYS_H

#include "base/crypto.h"
#include "base/settings.h"
#include "contract/command.h"

typedef struct Keys {
    CryptoKeyPair fleet[COMMAND_FLEET_KEYS_MAX];
    size_t fleet_count;
    Secret encryption; // raw 32 bytes
} Keys;

typedef struct RoleName {
    const char *application_id, *environment, *role;
} RoleName;

// Code SETTING_INVALID when a key isn't 64 hex digits.
bool keys_load(const Settings *settings, Keys *ret_keys, Error *err);
void keys_clear(Keys *keys);
// An account's API key, for the ledger; associated data: application and account.
void keys_seal(const Keys *keys, const char *application_id, const char *account,
               const Secret *api_key, Buffer *ret_sealed);
// Code SECRET_NOT_OPENABLE: sealed under another key-encryption key, or for another account.
bool keys_open(const Keys *keys, const char *application_id, const char *account, Bytes sealed,
               Secret *ret_api_key, Error *err);
// A role's password, for the ledger; associated data: application, environment and role.
void keys_seal_password(const Keys *keys, const RoleName *role, const Secret *password,
                        Buffer *ret_sealed);
// Code SECRET_NOT_OPENABLE, as above.
bool keys_open_password(const Keys *keys, const RoleName *role, Bytes sealed, Secret *ret_password,
                        Error *err);

#endif
