/*
 * The keys of this worker: the fleet's private keys, which open API keys in commands; the
 * key-encryption keys, which seal what the ledger keeps; and the one that signs commands which
 * workers send. Of the first two there may be several while one is replaced by another: all of them
 * open, the first key-encryption key seals.
 */
#ifndef RUN_KEYS_H
#define RUN_KEYS_H

#include "base/crypto.h"
#include "base/key_list.h"
#include "base/settings.h"
#include "contract/command.h"

typedef struct Keys {
    CryptoKeyPair fleet[COMMAND_FLEET_KEYS_MAX];
    size_t fleet_count;
    Secret encryption[KEY_LIST_MAX]; // raw 32 bytes, the newest first
    char encryption_ids[KEY_LIST_MAX][CRYPTO_KEY_ID_BYTES];
    size_t encryption_count;
    CryptoSigner signer; // no private key: commands are sent unsigned
} Keys;

typedef struct RoleName {
    const char *application_id, *environment, *role;
} RoleName;

// Code SETTING_INVALID when a key isn't 64 hex digits.
bool keys_load(const Settings *settings, Keys *ret_keys, Error *err);
void keys_clear(Keys *keys);
// The first key-encryption key.
const uint8_t *keys_encryption(const Keys *keys);
// NULL: there is none.
const CryptoSigner *keys_signer(const Keys *keys);
// Who may sign commands, the workers included; NULL: nobody has to (commands.require_signature).
// Owned by the caller.
Signers *keys_new_signers(const Keys *keys, const Settings *settings);
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
