/*
 * `provision-worker rekey`: seals everything that the ledger keeps sealed (API keys of accounts,
 * passwords of roles) under the first of secrets.key_encryption_key, in batches of a transaction
 * each, beside running workers. What is sealed so already is left alone, so that it may be broken
 * off and run again at any time. Blocks.
 */
#ifndef RUN_REKEY_H
#define RUN_REKEY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/settings.h"

// `writes` false: only counts. Says on `out` what it did, which values it can't open, and by key
// what is sealed now. *ret_is_done: nothing is left under another key. Codes: SETTING_INVALID,
// LEDGER_UNAVAILABLE, LEDGER_REFUSED.
bool rekey_run(const Settings *settings, bool writes, FILE *out, bool *ret_is_done, Error *err);

#endif
