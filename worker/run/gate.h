/*
 * Who works: at most commands.in_flight commands at once begin to work, one of each application in
 * turn, so that an application with many independent commands starves no other. A command that
 * waits for something (its lanes, Neon, the rate of its account, a project's lock, a timer) gives
 * its place up, and goes on without asking for one again: what it holds others back by, ends
 * soonest so. The number at work may exceed the places by those that go on.
 */
#ifndef RUN_GATE_H
#define RUN_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

typedef struct Gate Gate;

// One command; its owner embeds it.
typedef struct GateEntry {
    struct GateQueue *queue; // NULL: it doesn't wait for a place
    ListLink link;
    bool works;
} GateEntry;

Gate *gate_new(size_t places);
void gate_free(Gate *gate); // nothing may wait
// Waits for a place behind others of its application; fine when it does already.
void gate_wait(Gate *gate, GateEntry *entry, const char *application_id);
// The next one that may begin, now at work; NULL: none waits, or there is no place.
GateEntry *gate_next(Gate *gate);
// It goes on, whether or not there is a place.
void gate_work(Gate *gate, GateEntry *entry);
// It neither works nor waits for a place.
void gate_rest(Gate *gate, GateEntry *entry);
size_t gate_working(const Gate *gate);
size_t gate_waiting(const Gate *gate);

#endif
