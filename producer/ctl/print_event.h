/*
 * Events as lines: for people (time, type, subject, sequence, what matters of the body) or for
 * programs (the event's JSON form with type, outcome, replayed, partition and offset added).
 */
#ifndef CTL_PRINT_EVENT_H
#define CTL_PRINT_EVENT_H

#include "ctl/screen.h"
#include "provision/provision.h"

void print_event_line(const Screen *screen, const ProvisionEvent *event);
// Its parts, for lines about something else.
void print_event_time(const Screen *screen, int64_t instant_ms);
// shop/environments/production #7; a sequence of 0 is left out.
void print_event_subject(const Screen *screen, const char *subject, int64_t sequence);
void print_event_json(FILE *file, const ProvisionEvent *event);

#endif
