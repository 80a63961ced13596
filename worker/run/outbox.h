/*
 * Hands outcomes to the publisher, in order, each with the offset and completion map of its
 * partition, and marks what was published in the ledger.
 */
#ifndef RUN_OUTBOX_H
#define RUN_OUTBOX_H

#include "contract/outcome.h"
#include "run/worker.h"

typedef enum OutboxMode {
    OUTBOX_FIRST,    // its first publication: events, states, dead letters
    OUTBOX_NO_STATE, // the same, but its state is not the subject's newest any more
    OUTBOX_REPLAYED, // the command was sent again: events only, marked
    OUTBOX_SILENT,   // published already: only the offset
} OutboxMode;

// The record at `offset` is finished with this outcome (copied; NULL with SILENT). `application_id`
// and `command_id`: whose published_at is to be set afterwards; NULL: it has no row.
void outbox_put(Worker *worker, Partition *partition, int64_t offset, const OutcomeMessage *outcome,
                OutboxMode mode, const char *application_id, const char *command_id);

// A step on the way of a command that isn't finished: the partition's offset and map stay as they
// are, and no row is marked. Told as far as there is room for it: false when it was left out.
bool outbox_tell(Worker *worker, Partition *partition, const OutcomeMessage *progress);

// Fills `records` (room for all of the outcome's) with those that go out; returns their number.
// They point into the outcome, and are freed with outbox_free_records. Commands among them are
// signed here, with the key of today (`signer` NULL: not at all): an outcome may be older than it.
size_t outbox_choose_records(const Settings *settings, const CryptoSigner *signer,
                             const OutcomeMessage *outcome, OutboxMode mode,
                             PublisherRecord *records);
void outbox_free_records(PublisherRecord *records, size_t count);

void outbox_published(Worker *worker, const uint64_t *ids, size_t count);
void outbox_dropped(Worker *worker, const uint64_t *ids, size_t count);
// The partition is taken away: its outcomes don't count for it any more.
void outbox_forget(Worker *worker, const Partition *partition);
// At the end of the process.
void outbox_clear(Worker *worker);

#endif
