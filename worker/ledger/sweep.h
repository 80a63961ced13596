/*
 * What the sweeper asks of the ledger (ledger/ledger.h says how such statements are).
 */
#ifndef LEDGER_SWEEP_H
#define LEDGER_SWEEP_H

#include "ledger/ledger.h"

// What is known of branches with a mark of this installation.
typedef struct LedgerJudge {
    const char *application_id;
    const char *account; // whose expired environments are listed, too; "": none
    const char *marks;   // JSON array of {"command", "environment", "project", "branch"}, and
                         // "application", if it isn't the one that asks
} LedgerJudge;
void ledger_judge_build(const LedgerJudge *asks, size_t count, LedgerBatch *ret_batch);
// An object for each ask, the caller's; NULL where it wasn't answered:
//   "recorded", "present": which copy of the ledger was confirmed (null: none), which one it is;
//   "now_ms"; "marks", in the order asked: {"known": the command was claimed, "action", "about":
//   it was about the mark's environment, "finished", "settled": nothing of it or of its environment
//   can appear any more, "delivered": this very branch stands in its journal, "state" of the
//   environment and "maker", the command that its row names (null: no row), "owner": who has the
//   branch, and "inhabitant": who has one of the project's, as APPLICATION/ENVIRONMENT, or null};
//   "expired": {"environment", "project_id", "branch_id", "expires_at_ms"} of at most
//   LEDGER_EXPIRED_MAX.
#define LEDGER_EXPIRED_MAX 500
bool ledger_judge_decode(const PGresult *rows, json_t **ret_answers, size_t count, Error *err);

// Says what the command is about to delete, for as long as it runs; whoever reads the project's
// dependents sees it as an environment that is being deleted.
typedef struct LedgerCondemn {
    LedgerKey key;
    const char *environment;
    const char *project_id;
    const char *branch_id; // "": the whole project
} LedgerCondemn;
void ledger_condemn_build(const LedgerCondemn *asks, size_t count,
                          LedgerBatch *ret_batch); // ledger_written_decode

#endif
