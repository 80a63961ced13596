/*
 * What a sweep has found, of the event's body in JSON form.
 */
#ifndef CTL_EVENT_SWEEP_H
#define CTL_EVENT_SWEEP_H

#include <jansson.h>

#include "base/text.h"
#include "ctl/screen.h"

// In a few words: "1 orphan, 2 in_flight  3 projects, 7 branches".
void event_sweep_summary(Text *text, const json_t *body);
// Each finding on a line, and why the listing is doubtful.
void event_sweep_print(const Screen *screen, const json_t *body);

#endif
