/*
 * How the worker ends. SIGTERM: nothing new is taken in; after drain.finish what is at a boundary
 * is handed back, what waits to be published goes out, and the group is left, so that the next
 * owners work at once. Calls under way are ended behind it, within drain.timeout: their results are
 * noted, and only their own commands wait for that. A static member leaves when they have ended. A
 * second signal cuts them off, a fatal error leaves at once. Where Kafka doesn't let the publisher
 * go, the process ends all the same: all that matters is in the ledger.
 */
#ifndef RUN_LEAVE_H
#define RUN_LEAVE_H

#include "run/worker.h"

void leave_init(Worker *worker);
void leave_clear(Worker *worker);
void leave_watch_signals(Worker *worker);
// At the end of a turn: leaves when draining has nothing more to wait for.
void leave_when_idle(Worker *worker);
// Gives the partitions back at once; the process ends with this code.
void leave_after(Worker *worker, int exit_code);
// Ends the publisher's thread; there never was a consumer.
void leave_without_consumer(Worker *worker);

#endif
