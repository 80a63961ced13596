/*
 * The ledger's row of one command, and the workers that own it or think so.
 */
#ifndef FUZZ_SAGA_LEDGER_H
#define FUZZ_SAGA_LEDGER_H

#include "saga/conclude.h"
#include "world.h"

// A claim of the command and what its worker has in memory.
typedef struct Owner {
    LedgerClaimed claimed;
    Saga saga;
    const Step *step; // whose reply it still waits for, after it lost the command
    NeonReply reply;  // ... when it comes
    int64_t number;   // ... and the intent's
} Owner;

// What stands before the command.
typedef struct Scene {
    const char *action;
    bool has_branches;
    LedgerState state; // CREATING: reserved by this command
    const char *origin;
    const char *project_id, *branch_id;
    const char *details;
    size_t things; // made by earlier commands
} Scene;

typedef struct Row {
    const Scene *scene;
    const Command *command;
    LedgerState state;                   // of the environment
    char project_id[NAME_NEON_ID_BYTES]; // ... and its project
    json_t *journal;
    json_t *first_error;
    bool undoing;
    LedgerIntent intent;
    int64_t settled_at_ms;
    int64_t unsettled_at_ms;
    int64_t unsettled_earlier_at_ms; // of the environment
    int64_t epoch;
    char stop[16];
} Row;

void row_begin(Row *row, const Scene *scene, const Command *command);
void row_end(Row *row);
// Another worker takes the command over; `rules` outlive it.
Owner *row_claim(Row *row, const SagaRules *rules, int64_t now_ms);
void owner_free(Owner *owner);
SagaNow owner_now(int64_t now_ms);

void row_open(Row *row, Owner *owner, const Decision *decision, int64_t now_ms);
// By its own number: false when another intent took its place.
bool row_close(Row *row, Owner *owner, int64_t number, bool is_current);
// EFFECT_MARK.
void row_mark(Row *row, const Effect *effect);
void row_save(Row *row, Owner *owner);

#endif
