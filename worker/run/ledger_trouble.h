/*
 * Whether the ledger is in trouble, or only a row: it may refuse for want of space, of memory or of
 * a disk that can be read, and then mostly refuses all. It is so from the first row that is refused
 * until one of its kind is taken, or a probe is, or none is left. A row that is refused again and
 * again all the same is to blame itself (a damaged block, a value too large for the ledger's
 * memory) and no longer counts.
 */
#ifndef RUN_LEDGER_TROUBLE_H
#define RUN_LEDGER_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "drive/pg.h"

enum { LEDGER_TROUBLE_KINDS_MAX = 24, LEDGER_TROUBLE_OUTVOTED_MAX = 5 };

// Zeroed at first.
typedef struct LedgerTrouble {
    uint64_t takings[LEDGER_TROUBLE_KINDS_MAX]; // so often a kind's rows were taken
    size_t suspects[LEDGER_TROUBLE_KINDS_MAX];  // rows that were refused since the last time
} LedgerTrouble;

// One row's share, embedded by it; zeroed when it is first sent.
typedef struct LedgerSuspect {
    bool was_refused;
    uint64_t takings; // of its kind, when it last counted
    uint32_t outvoted;
} LedgerSuspect;

// What mostly no row is to blame for.
bool ledger_trouble_is(const Error *err);
// Writes something of the size of a row that isn't kept: a new temporary table, since a row that is
// there already may be written on a full disk, too. Needs the right that a database gives to all.
void ledger_trouble_probe(Pg *pg, PgCallback *callback, void *context);
void ledger_trouble_refuse(LedgerTrouble *trouble, int kind, LedgerSuspect *row);
void ledger_trouble_withdraw(LedgerTrouble *trouble, int kind, LedgerSuspect *row);
void ledger_trouble_take(LedgerTrouble *trouble, int kind); // rows of the kind were taken
// Rows of the kind that count.
size_t ledger_trouble_suspects(const LedgerTrouble *trouble, int kind);
bool ledger_trouble_stands(const LedgerTrouble *trouble);

#endif
