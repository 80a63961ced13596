/*
 * Pressure: which partitions are paused, and for how long. A partition takes no records while it is
 * full by its completion map or by what it holds (run/holds.h), and none does while the ledger is
 * away or the worker drains. Paused partitions are looked at again a moment later, so that a pause
 * is hardly longer than needed.
 */
#ifndef RUN_PRESS_H
#define RUN_PRESS_H

#include "run/worker.h"

void press_init(Worker *worker);
void press_clear(Worker *worker);
// The worker has other partitions than before.
void press_divide(Worker *worker);
// One command, or one outcome that isn't published yet, of this partition is held, or is no more.
void press_take(Worker *worker, Partition *partition, size_t bytes);
void press_give(Worker *worker, Partition *partition, size_t bytes);

#endif
