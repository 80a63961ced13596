/*
 * The memory that a worker takes, against what it says that it takes at most.
 */
#ifndef E2E_MEMORY_H
#define E2E_MEMORY_H

#include "support/world.h"

// Makes worker_start run the release build, whose memory is the product's, where
// PROVISION_TEST_RELEASE_WORKER names one (in CI it has to).
void memory_use_release(void);
// Fails when the worker has taken more than it said it would; of a build with sanitizers that is
// only told.
void memory_expect_bounded(const Process *worker);

#endif
