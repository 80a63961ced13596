/*
 * What may be told of commands on their way (publish.accepted, publish.steps): CommandAccepted when
 * a worker takes one, StepFinished when it moves past a step that performed something. They go
 * through the publisher like outcomes and in order with them, so none comes after its command's
 * outcome; they have no sequence and are not kept by the ledger. Who takes a command over tells
 * again what it does again, with the same ce_id; what the former owner could not publish any more
 * is left out.
 */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H

#include "run/flight.h"

void progress_accepted(Flight *flight);
// An effect of this step taught something (LEARNT) or failed.
void progress_learnt(Flight *flight, const Step *step, Lesson lesson);
// The saga has decided: tells of a step that this leaves behind.
void progress_decided(Flight *flight);

#endif
