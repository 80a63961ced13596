/*
 * Periodic sweeps (sweep.interval): the first worker of the fleet to find that the time has come
 * sends SweepAccount for all accounts that aren't being swept; the ledger says whose turn it was.
 * What they find is told by their events. Nothing of it is done on the loop, and nothing waits for
 * it: what could not be sent is tried again soon.
 */
#ifndef RUN_SWEEP_PERIOD_H
#define RUN_SWEEP_PERIOD_H

struct Worker;

typedef struct SweepPeriod SweepPeriod;

// Never sweeps where sweep.interval is 0.
SweepPeriod *sweep_period_new(struct Worker *worker);
void sweep_period_start(SweepPeriod *period);
// What is being sent ends before the loop does, within a minute.
void sweep_period_free(SweepPeriod *period);

#endif
