/*
 * The time rule of mutating calls, in one place (architecture.md, Life of a command, 4).
 *
 *   handed ── statement to the ledger ── sent_before ──────── + request_timeout ──── + listing_lag
 * = settled_at └───────── send_window ───────────────┘
 *
 * The ledger sets sent_before = now() + send_window when it runs the statement, which is not before
 * the worker handed it over: the worker's own limit counts from the handing over, so it is never
 * later than the ledger's. What the worker waits for after a lost reply counts from the moment when
 * the statement's reply was there, so it is never earlier than the ledger's settled_at. Assumed of
 * Neon: what was sent takes effect within request_timeout or never, and listings show it within
 * listing_lag.
 */
#ifndef RUN_INTENT_H
#define RUN_INTENT_H

#include <stdint.h>

#include "base/settings.h"

typedef struct IntentTimes {
    int64_t send_window_ms;
    int64_t settle_after_ms; // behind sent_before
} IntentTimes;

IntentTimes intent_times(const Settings *settings);
// CLOCK_BOOTTIME until which a request may be written. A deletion by exact id has a limit, too: it
// is repeated at once, but who gives it up has to know when nothing of it can come any more; and
// what a fence protects must not come late: a new password would be an old one by then.
int64_t intent_send_limit_ms(const IntentTimes *times, int64_t handed_boot_ms);
// CLOCK_BOOTTIME from which nothing of it can still appear.
int64_t intent_settled_ms(const IntentTimes *times, int64_t answered_boot_ms);

#endif
