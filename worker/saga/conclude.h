/*
 * How a command ends: its events and states as an outcome, and what its subject's row becomes.
 */
#ifndef SAGA_CONCLUDE_H
#define SAGA_CONCLUDE_H

#include "contract/outcome.h"
#include "saga/saga.h"

// What a conclusion needs besides the saga.
typedef struct ConcludeContext {
    OutcomeContext outcome;
    const Record *record; // of the command, for a dead letter (CRASH_LOOP)
    const char *worker;   // in dead letters
    size_t max_dead_value_bytes;
    const uint8_t *ephemeral_key; // RevealCredentials: CRYPTO_KEY_BYTES random bytes, used once
    Bytes sealed_key;             // ConnectAccount: the key as the ledger keeps it
} ConcludeContext;

typedef struct Conclusion {
    Outcome *outcome;   // owned
    LedgerConclude row; // points into `outcome_bytes`, the saga and what follows
    Buffer outcome_bytes;
    char *journal;    // owned
    char *details;    // owned
    const char *type; // of the outcome event: "EnvironmentCreated"; static
} Conclusion;

void saga_conclude(const Saga *saga, const ConcludeContext *context, Conclusion *ret_conclusion);
void conclusion_clear(Conclusion *conclusion);

#endif
