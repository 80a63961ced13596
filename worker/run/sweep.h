/*
 * `provision-worker sweep`: has the fleet look through the accounts for what no environment owns,
 * and tells what it found. The workers do it (SweepAccount, and with --delete the commands that
 * follow from it); this sends, and waits for the ledger to have the outcomes. Blocks.
 */
#ifndef RUN_SWEEP_H
#define RUN_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/settings.h"

typedef struct SweepOptions {
    const char *const *accounts; // "APPLICATION/ACCOUNT"; none: all that are connected
    size_t account_count;
    bool deletes;
    bool json;
    int64_t timeout_ms;
} SweepOptions;

// "APPLICATION/ACCOUNT". Codes of names (base/name.h), INVALID_ACCOUNT.
bool sweep_check_account(const char *text, Error *err);

// ret_is_clean: nothing was found that is still there (run/sweep_report.h). Codes: those of
// run/sweep_ledger.h and sweep_send.h, ACCOUNT_UNKNOWN, SWEEP_TIMEOUT (the fleet goes on with it),
// SWEEP_REFUSED (an account's sweep failed; the others were reported), LEDGER_CHANGED (the same,
// because this may be a copy of the ledger).
bool sweep_run(const Settings *settings, const SweepOptions *options, FILE *out, bool *ret_is_clean,
               Error *err);

// --confirm-ledger: from now on sweeps rely on this copy of the ledger.
bool sweep_confirm(const Settings *settings, FILE *out, Error *err);

#endif
