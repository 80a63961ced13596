/*
 * How the ledger keeps an account's API key: sealed with the key-encryption key (crypto_aead_seal),
 * bound to its application and account. Shared by the workers and by those who check whether a key
 * still opens what is there.
 */
#ifndef CONTRACT_ACCOUNT_KEY_H
#define CONTRACT_ACCOUNT_KEY_H

#include "base/text.h"

enum { ACCOUNT_KEY_ASSOCIATED_BYTES = 256 }; // limit for `ret_text`

// Appends the associated data: both names, apart by a NUL, which neither can hold.
void account_key_associate(const char *application_id, const char *account, Text *ret_text);

#endif
