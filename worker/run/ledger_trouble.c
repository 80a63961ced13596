#include "run/ledger_trouble.h"

#include <assert.h>
#include <string.h>

// No space or memory left (53), the system (58), an administrator (57P), a standby that takes no
// writes. https://www.postgresql.org/docs/current/errcodes-appendix.html
bool ledger_trouble_is(const Error *err)
{
    static const char *const CLASSES[] = {"53", "58", "57P", "25006"};
    for (size_t i = 0; i < sizeof CLASSES / sizeof CLASSES[0]; i++) {
        if (err->kind == ERROR_INTERNAL &&
            strncmp(err->code, CLASSES[i], strlen(CLASSES[i])) == 0) {
            return true;
        }
    }
    return false;
}

void ledger_trouble_probe(Pg *pg, PgCallback *callback, void *context)
{
    // on the database's own disk, wherever its temporary tables go; SET LOCAL would warn each time,
    // as it sees no transaction block
    static const PgStatement PROBE[] = {
        {.sql = "SELECT set_config('temp_tablespaces', '', true)"},
        {.sql = "CREATE TEMPORARY TABLE provision_probe ON COMMIT DROP AS SELECT 1 AS one"},
    };
    pg_run(pg, PROBE, sizeof PROBE / sizeof PROBE[0], callback, context);
}

static bool counts(const LedgerTrouble *trouble, int kind, const LedgerSuspect *row)
{
    return row->was_refused && row->takings == trouble->takings[kind];
}

void ledger_trouble_refuse(LedgerTrouble *trouble, int kind, LedgerSuspect *row)
{
    assert(kind < LEDGER_TROUBLE_KINDS_MAX);
    if (counts(trouble, kind, row)) {
        return;
    }
    row->outvoted += row->was_refused ? 1 : 0;
    row->was_refused = true;
    if (row->outvoted < LEDGER_TROUBLE_OUTVOTED_MAX) {
        row->takings = trouble->takings[kind];
        trouble->suspects[kind]++;
    }
}

void ledger_trouble_withdraw(LedgerTrouble *trouble, int kind, LedgerSuspect *row)
{
    if (counts(trouble, kind, row)) {
        trouble->suspects[kind]--;
    }
    *row = (LedgerSuspect){.was_refused = false};
}

void ledger_trouble_take(LedgerTrouble *trouble, int kind)
{
    trouble->takings[kind]++;
    trouble->suspects[kind] = 0;
}

size_t ledger_trouble_suspects(const LedgerTrouble *trouble, int kind)
{
    return trouble->suspects[kind];
}

bool ledger_trouble_stands(const LedgerTrouble *trouble)
{
    size_t count = 0;
    for (int kind = 0; kind < LEDGER_TROUBLE_KINDS_MAX; kind++) {
        count += trouble->suspects[kind];
    }
    return count > 0;
}
