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

void outbox_published(Worker *worker, const uint64_t *ids, size_t count);
void outbox_dropped(Worker *worker, const uint64_t *ids, size_t count);
// At the end of the process.
void outbox_clear(Worker *worker);

#endif
