/*
 * What was planned and done to an environment's roles, as the journal keeps it and the event shows
 * it: bounded, so that neither outgrows what it is kept in.
 */
#ifndef SAGA_CHANGES_H
#define SAGA_CHANGES_H

#include "saga/saga.h"

// Of the list as JSON: with the rest of an event well below what Kafka takes (1 MiB).
enum { CHANGES_BYTES_MAX = 256 * 1024 };

// Adds a report to what is known: what was executed or found again stands once, and what stood in
// the way before stands no longer, unless the report has it. `blocked_only`: what stands in the way
// is all that is wanted of it.
void changes_add(Saga *saga, const RolesReport *report, bool blocked_only);
// Whether a report has anything that can be done.
bool changes_has_work(const RolesReport *report);

#endif
