/*
 * Whether the ledger is the one that the group's work went into. Every command that the group has
 * finished has a row there, so a ledger that doesn't know one of the last is another one, or was
 * restored from an older backup: then what happened since is lost to it, environments may be others
 * than it believes, and sequences that readers have seen are given out again. Nothing in Kafka or
 * at Neon tells that later.
 *
 * It is told, not refused: a record that an operator skipped, or that an earlier version or other
 * settings rejected, has no row either.
 */
#ifndef RUN_HISTORY_H
#define RUN_HISTORY_H

#include "base/settings.h"

// Logs an error for each partition with such a command (LEDGER_BEHIND), and a warning where it
// could not look. In a process of its own, which nobody waits for: one of the records may have been
// skipped because it kills the decoder, and committed offsets may be held back by a dead worker's
// transaction. Before any thread is started.
void history_check(const Settings *settings);

#endif
