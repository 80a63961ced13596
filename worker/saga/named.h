/*
 * The branch that a command names, by its id or its exact name: looked for page by page.
 */
#ifndef SAGA_NAMED_H
#define SAGA_NAMED_H

#include "saga/saga.h"

typedef struct NamedBranch {
    const Provisioning__V1__BranchReference *reference;
    const char *fact; // its id goes there
    const char
        *maker; // ... and there its mark, where it has one of this installation; NULL: nowhere
    const char *code;  // of the refusal where there is none
    const char *field; // ... and what that is about
} NamedBranch;

// The step is done once the fact is there.
Ask named_ask(const Saga *saga, const NamedBranch *named, Effect *effect);
Lesson named_learn(Saga *saga, const NamedBranch *named, const Answer *answer);

#endif
