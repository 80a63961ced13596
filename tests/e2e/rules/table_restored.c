// A ledger out of a backup: no sweep relies on it. Where no other rule sweeps.
#include "rules/rule.h"

#define CHANGED REJECTED("LEDGER_CHANGED", NULL)

static const Rule RULES[] = {
    {"a sweep by another copy of the ledger", "other-ledger", SWEEP_OF("main", ""), CHANGED,
     "--confirm-ledger", 0},
    {"a sweep that deletes, by another copy of the ledger", "other-ledger",
     SWEEP_OF("main", ", 'deleteOrphans': true"), CHANGED, "--confirm-ledger", 0},
    {"an orphan, by another copy of the ledger", "other-ledger",
     ORPHAN_IN("some-project-12345678", "main", "try", "br-some-branch-a5000000",
               "<connect.command>"),
     CHANGED, "--confirm-ledger", 0},
};

RuleTable table_restored(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
