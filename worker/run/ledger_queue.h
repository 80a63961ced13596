/*
 * Everything the loop wants of the ledger: collected during a turn, sent at its end as multi-row
 * statements, one batch a kind. Never reports a failure: a statement whose reply was lost, or that
 * the ledger refused for now, is sent again (each of them may be: a claim counts one epoch more, an
 * intent under which nothing was sent is replaced, a conclude that did commit shows as finished at
 * the next claim). A batch that fails is sent again row by row, so that one bad row holds up no
 * other. While the ledger takes nothing, one row of each kind is tried a second.
 */
#ifndef RUN_LEDGER_QUEUE_H
#define RUN_LEDGER_QUEUE_H

#include "base/list.h"
#include "base/metrics.h"
#include "drive/kafka_in.h"
#include "drive/pg.h"
#include "ledger/ledger.h"
#include "ledger/secrets.h"
#include "ledger/sweep.h"
#include "run/ledger_trouble.h"
#include "saga/saga.h"

typedef enum LedgerOpKind {
    LEDGER_OP_CLAIM,
    LEDGER_OP_OPEN,
    LEDGER_OP_CLOSE,
    LEDGER_OP_SAVE,
    LEDGER_OP_LOOK,
    LEDGER_OP_NOTE,
    LEDGER_OP_MARK,
    LEDGER_OP_DEPENDENTS,
    LEDGER_OP_STOP,
    LEDGER_OP_SECRETS,
    LEDGER_OP_KEEP,
    LEDGER_OP_PASSWORDS,
    LEDGER_OP_JUDGE,
    LEDGER_OP_CONDEMN,
    LEDGER_OP_CONCLUDE,
    LEDGER_OP_PUBLISHED,
    LEDGER_OP_PURGE,
    LEDGER_OP_COUNT_OF
} LedgerOpKind;

// One row's worth of work, embedded by its owner; what `ask` points to stays valid until `done` was
// called.
typedef struct LedgerOp {
    LedgerOpKind kind;
    union {
        LedgerClaim claim;
        LedgerOpen open;
        LedgerClose close;
        LedgerSave save;
        LedgerKey look;
        LedgerNote note;
        LedgerMark mark;
        LedgerDependents dependents;
        LedgerStop stop;
        LedgerSecrets secrets;
        LedgerKeep keep;
        LedgerPasswords passwords;
        LedgerJudge judge;
        LedgerCondemn condemn;
        LedgerConclude conclude;
        LedgerPublished published;
        int64_t purge_retention_ms;
    } ask;
    union {
        LedgerClaimed *claimed; // where it is to be put; its owner clears it
        LedgerOpened opened;
        LedgerClosed closed;
        LedgerLook look;       // its owner clears the intent
        LedgerStopped stopped; // its owner clears it
        LedgerFence fence;
        LedgerPasswordList passwords; // its owner clears it
        json_t *judged;               // the owner's; NULL: it wasn't answered
        bool written;
        int64_t purged;
        struct {
            LedgerDependent *list; // its owner frees it
            size_t count;
        } dependents;
    } answer;
    int64_t handed_boot_ms; // when it was handed over, for the last time; 0: it never was
    void (*done)(struct LedgerOp *op);
    bool pending;
    bool is_alone;     // its batch failed: sent by itself
    bool is_withdrawn; // while it was under way
    LedgerSuspect suspect;
    ListLink link;
} LedgerOp;

typedef struct LedgerQueue LedgerQueue;

enum { LEDGER_BATCH_BYTES = 4 * 1024 * 1024 }; // of a statement with more than one row

// ledger.connections of them, connected again by themselves.
LedgerQueue *ledger_queue_open(Loop *loop, Resolver *resolver, const Settings *settings);
void ledger_queue_measure(LedgerQueue *queue, Metrics *metrics); // from now on
void ledger_queue_close(LedgerQueue *queue);                     // nothing is called any more
void ledger_queue_put(LedgerQueue *queue, LedgerOp *op);
// Takes back what waits still; `done` is not called. False: there is none, or it is under way; then
// it isn't sent again, and `done` is called without an answer if it fails.
bool ledger_queue_withdraw(LedgerQueue *queue, LedgerOp *op);
// It waits: nothing of it is under way now.
static inline bool ledger_queue_holds(const LedgerOp *op)
{
    return op->pending && list_is_linked(&op->link);
}
// At the end of a turn. Claims that were not written by `claims_until_boot_ms` wait again; 0: all
// do.
void ledger_queue_flush(LedgerQueue *queue, int64_t claims_until_boot_ms);
// A connection stands, and rows are taken (a full disk refuses all).
bool ledger_queue_is_healthy(const LedgerQueue *queue);
size_t ledger_queue_ready_connections(const LedgerQueue *queue);
// Rows that wait or are under way.
size_t ledger_queue_waiting(const LedgerQueue *queue);

#endif
