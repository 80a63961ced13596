/*
 * How the ledger keeps an account's API key, and the password of a role made by SQL: sealed with
 * the key-encryption key (crypto_aead_seal), bound to what it belongs to. Shared by the workers and
 * by those who check whether a key still opens what is there.
 */
#ifndef CONTRACT_ACCOUNT_KEY_H
#define CONTRACT_ACCOUNT_KEY_H

#include "base/text.h"

// Limits for `ret_text`.
enum { ACCOUNT_KEY_ASSOCIATED_BYTES = 256, ROLE_PASSWORD_ASSOCIATED_BYTES = 512 };

// Appends the associated data: both names, apart by a NUL, which neither can hold.
void account_key_associate(const char *application_id, const char *account, Text *ret_text);
// The same of a role: three names, one NUL more than an account's key has.
void role_password_associate(const char *application_id, const char *environment, const char *role,
                             Text *ret_text);

#endif
