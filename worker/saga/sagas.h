/*
 * Every command's table, for printing and for tests that walk them.
 */
#ifndef SAGA_SAGAS_H
#define SAGA_SAGAS_H

#include "saga/saga.h"

const SagaDefinition *sagas_table(size_t *ret_count);

#endif
