/*
 * `provision-worker rebuild`: writes into the ledger what the topics know better: each environment,
 * account and application as the state topic shows it, and of those that are gone the last
 * sequence, from the event topic. A row whose sequence is as high or higher stays as it is. For a
 * ledger that was lost, or restored from a backup that is behind; workers have to be stopped.
 * Blocks.
 *
 * What no topic holds doesn't come back, and is named: API keys, passwords of roles made by SQL,
 * commands with their outcomes.
 */
#ifndef RUN_REBUILD_H
#define RUN_REBUILD_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/settings.h"

// `writes` false: says what it would do. All of it is one transaction. Codes: those of
// drive/kafka_solo.h (GROUP_IN_USE: a worker runs) and drive/kafka_reader.h, STATE_UNREADABLE,
// INSTALLATION_MISMATCH (the topics are of another installation, and this ledger isn't empty),
// LEDGER_UNAVAILABLE, LEDGER_REFUSED.
bool rebuild_run(const Settings *settings, bool writes, FILE *out, Error *err);

#endif
