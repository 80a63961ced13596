/*
 * Events as lines: for people (time, type, subject, sequence, what matters of the body) or for
 * programs (the event's JSON form with type, outcome, replayed, partition and offset added).
 */
#ifndef CTL_PRINT_EVENT_H
#define CTL_PRINT_EVENT_H

#include "ctl/screen.h"
#include "provision/provision.h"

void print_event_line(const Screen *screen, const ProvisionEvent *event);
void print_event_json(FILE *file, const ProvisionEvent *event);

#endif
