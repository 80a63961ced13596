/*
 * Commands that stop earlier ones before they take their own turn in the lanes (command_stops):
 * ClosePreview what waits or runs for its preview, OpenPreview earlier openings that nobody has
 * begun. All commands of an application come on one partition, in the order of their offsets, so
 * whatever is earlier and unfinished is held by the same worker.
 */
#ifndef RUN_SUPERSEDE_H
#define RUN_SUPERSEDE_H

#include "run/flight.h"

typedef struct Supersede Supersede;

Supersede *supersede_new(Worker *worker);
// What was ordered and not written yet is forgotten; call it once nothing is called any more.
void supersede_free(Supersede *supersede);
// Writes the stop marks of what a command supersedes, and tells those that are stopped. A mark is
// written only while the command itself is unfinished; where the process ends before, who takes the
// command over writes it.
void supersede_earlier(Supersede *supersede, const Flight *flight);

#endif
