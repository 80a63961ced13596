/*
 * A worker's admin endpoint, as a probe or Prometheus asks it.
 */
#ifndef E2E_PROBE_H
#define E2E_PROBE_H

#include "support/world.h"

typedef struct Page {
    long status;      // 0: nobody answers
    const char *text; // kept for the next seven pages
} Page;

// Its status alone.
long probe_status(const Process *worker, const char *path);
// The port that the worker says it listens on.
int probe_port(const Process *worker);
Page probe_get(const Process *worker, const char *path);
// Waits until the page has this status, and `part` (may be "") stands in it.
void probe_await(const Process *worker, const char *path, long status, const char *part,
                 int seconds);
// One sample of /metrics, "name" or "name{label=\"value\"}"; -1: there is none.
double probe_metric(const Process *worker, const char *sample);
// Waits until it is at least `least`.
void probe_await_metric(const Process *worker, const char *sample, double least, int seconds);

#endif
