/*
 * The metrics that are read when somebody asks for them.
 */
#ifndef RUN_GAUGES_H
#define RUN_GAUGES_H

#include "run/worker.h"

// Once, at the start: versions.
void gauges_begin(const Worker *worker);
void gauges_read(const Worker *worker);

#endif
