/*
 * Reads the cells of a row one after another, in the order of the statement's columns. The first
 * cell that can't be what it should fails the row for good, so that one check at its end is enough.
 */
#ifndef LEDGER_CELLS_H
#define LEDGER_CELLS_H

#include <libpq-fe.h>

#include "ledger/ledger.h"

typedef struct Cells {
    const PGresult *rows;
    int row;
    int column; // next
    int failed; // column; -1: none
} Cells;

// Starts with the row's first cell: the ordinal of the item it answers, from 1. Returns its index
// from 0; one that isn't below `count` fails.
size_t cells_begin(Cells *cells, const PGresult *rows, int row, size_t count);
// Whether each cell was as it should be and none is left. Error: LEDGER_ROW_INVALID.
bool cells_end(const Cells *cells, Error *err);

void cells_text(Cells *cells, char *ret_field, size_t field_bytes); // NULL: ""
int64_t cells_int64(Cells *cells);                                  // NULL: 0
int32_t cells_int32(Cells *cells);                                  // NULL: 0
bool cells_flag(Cells *cells);                                      // NULL: false
void cells_bytes(Cells *cells, Buffer *ret_bytes);                  // hex; NULL: empty
void cells_digest(Cells *cells, uint8_t ret_digest[CRYPTO_SHA256_BYTES]);
// Index of the name; NULL and any other fails.
size_t cells_choice(Cells *cells, const char *const *names, size_t count);
LedgerState cells_state(Cells *cells); // NULL: LEDGER_STATE_NONE
json_t *cells_object(Cells *cells);    // owned by the caller; NULL: NULL

// Those of LEDGER_INTENT_COLUMNS.
void cells_intent(Cells *cells, LedgerIntent *ret_intent);

// The owner of a command's row goes on: what was noted of a wait is over.
#define LEDGER_PROGRESS                                                                            \
    "progress_at = clock_timestamp(), waiting_step = NULL, waiting_for = NULL, "                   \
    "waiting_since = NULL"

// The same in a statement whose `present p` says whether it goes on; else both stay.
#define LEDGER_PROGRESS_IF                                                                         \
    "progress_at = CASE WHEN p.goes_on THEN clock_timestamp() ELSE c.progress_at END, "            \
    "waiting_step = CASE WHEN NOT p.goes_on THEN c.waiting_step END, "                             \
    "waiting_for = CASE WHEN NOT p.goes_on THEN c.waiting_for END, "                               \
    "waiting_since = CASE WHEN NOT p.goes_on THEN c.waiting_since END"

// The columns of an intent, of a command's row `c`. A wait is rounded up: a tick early is too
// early.
#define LEDGER_IN_MS(instant)                                                                      \
    "ceil(extract(epoch FROM " instant " - clock_timestamp()) * 1000)::bigint"
#define LEDGER_INTENT_COLUMNS                                                                      \
    "c.intent_status, c.intent_step, c.intent_number, c.intent_epoch, "                            \
    "c.intent_settles, " LEDGER_IN_MS("c.settled_at") ", c.intent_result "

#endif
