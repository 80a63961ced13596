/*
 * What a branch with a mark of ours is, by what the ledger knows of its mark. Pure judgement: who
 * lists (steps_sweep.c) and who deletes (steps_orphan.c) judge alike.
 */
#ifndef SAGA_VERDICT_H
#define SAGA_VERDICT_H

#include "saga/saga.h"

typedef enum Verdict {
    VERDICT_OWNED, // an environment's
    VERDICT_ORPHAN,
    VERDICT_EXPIRED, // of an environment, not of a branch
    VERDICT_IN_FLIGHT,
    VERDICT_UNKNOWN_COMMAND,
    VERDICT_FAILED_ENVIRONMENT,
    VERDICT_DOUBTFUL,
    VERDICT_COUNT_OF
} Verdict;

// Whether the command that made the branch makes projects: its root goes with all that is in it.
bool verdict_is_project(const json_t *judged, bool is_root);
// `judged`: one of the ledger's "marks" (ledger/sweep.h); what it doesn't say speaks for the
// branch. `command_id`: of the mark. Its age isn't looked at.
Verdict verdict_of(const json_t *judged, const char *command_id, bool is_root);

// This copy of the ledger is the one that was confirmed: false with LEDGER_CHANGED. `answer`: the
// ledger's; NULL: none.
bool verdict_check_ledger(const json_t *answer, Error *err);

#endif
