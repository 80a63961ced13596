/*
 * What a command that makes a branch for its environment wants, whichever command it is: from a
 * message of its own (BranchEnvironment), or off the application's preview base (OpenPreview).
 * ResetEnvironment makes none, but goes on as if it had.
 */
#ifndef SAGA_BRANCHING_H
#define SAGA_BRANCHING_H

#include "saga/saga.h"

// Points into the command and the claim.
typedef struct Branching {
    const char *action;       // as fields of errors begin with it
    const char *source_field; // "branch_environment.source_environment"
    const char *source;       // environment; "": `reference`
    const Provisioning__V1__BranchReference *reference;
    const char *branch_name; // "": suggested
    const char *name_field;
    const Provisioning__V1__EndpointSettings *endpoint;
    Provisioning__V1__Service *const *services;
    size_t service_count;
    const char *lsn;  // "": none
    int64_t point_ms; // 0: none
    bool schema_only;
    // The row that roles are taken over from; never NULL, perhaps of state NONE.
    const LedgerEnvironment *roles_of;
} Branching;

// Whether the command makes a branch, or brings one to another's state.
bool branching_is(const Saga *saga);
Branching branching_of(const Saga *saga);
// What stands with the branch besides our mark; returns how many.
enum { BRANCHING_ANNOTATIONS_MAX = 3 };
size_t branching_annotations(const Saga *saga,
                             NeonAnnotation ret_annotations[BRANCHING_ANNOTATIONS_MAX]);
// The source environment can be branched from, and its ids go into the journal: SOURCE_DELETING,
// SOURCE_NOT_ON_NEON, SOURCE_EXPIRES.
bool branching_take_source(Saga *saga, Error *err);
// Journals when the branch expires, whole seconds (FACT_EXPIRES_AT), once. 0: never. Code:
// INVALID_VALUE where it is past, or more than 30 days off.
bool branching_set_expiry(Saga *saga, int64_t expires_ms, const char *field, Error *err);

// The environment was there before this command, which undoes nothing of it.
bool branching_stands(const Saga *saga);

#endif
