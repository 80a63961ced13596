/*
 * What sweeping asks of the ledger, in a session of its own (run/ledger_session.h, whose errors are
 * those of all of these). Blocks: for `provision-worker sweep`, and on one of libuv's threads for
 * the periodic sweep.
 */
#ifndef RUN_SWEEP_LEDGER_H
#define RUN_SWEEP_LEDGER_H

#include <libpq-fe.h>

#include "base/error.h"
#include "contract/outcome.h"
#include "run/sweep_send.h"

enum { SWEEP_IDENTITY_BYTES = 160 };

// All accounts that are connected, in the order of their names, without ids of commands. With
// `rested` only those of applications none of whose accounts is being swept now: sweeps of one that
// takes longer than their interval would pile up.
bool sweep_ledger_accounts(PGconn *ledger, bool rested, SweepTargets *ret_targets, Error *err);
// Whether it is this caller's turn to send a periodic sweep: nobody's was within `interval_ms`, nor
// is anybody at it. It counts once it is ended; who closes the ledger before gives it up.
bool sweep_ledger_take_turn(PGconn *ledger, int64_t interval_ms, bool *ret_is_mine, Error *err);
bool sweep_ledger_end_turn(PGconn *ledger, Error *err);
// What a finished command has published, or is about to; NULL: it isn't finished, and perhaps not
// even begun. Freed with outcome_message_free. Also: LEDGER_ROW_INVALID.
bool sweep_ledger_outcome(PGconn *ledger, const char *application_id, const char *command_id,
                          bool *ret_is_begun, OutcomeMessage **ret_outcome, Error *err);
// Makes the copy of the ledger that this is the one that sweeps rely on; both texts are for people,
// the old one empty where there was none.
bool sweep_ledger_confirm(PGconn *ledger, char ret_old[SWEEP_IDENTITY_BYTES],
                          char ret_new[SWEEP_IDENTITY_BYTES], Error *err);

#endif
