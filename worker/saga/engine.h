/*
 * What the files of the engine share: engine.c says what is to be done next, engine_learn.c what
 * came of it, failure.c why a command turned.
 */
#ifndef SAGA_ENGINE_H
#define SAGA_ENGINE_H

#include "saga/saga.h"

// The step of that name in the table or in the undo tables behind it, or NULL.
const Step *engine_find_step(const Step *steps, const char *name);
// The failure that the ledger kept; NULL: none.
void failure_read(Saga *saga, const json_t *error);
// The step has failed: its name and Neon's reply are added to saga->failure. While undoing, the
// table it belongs to is given up and what it leaves is named; the failure stays `before`, the one
// that turned the command.
void failure_of_step(Saga *saga, const Step *step, const Answer *answer, const SagaFailure *before);

#endif
