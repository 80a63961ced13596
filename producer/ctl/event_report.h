/*
 * Events that hold more than a line: what an account sees, and what is in an imported branch.
 */
#ifndef CTL_EVENT_REPORT_H
#define CTL_EVENT_REPORT_H

#include <jansson.h>

#include "base/text.h"
#include "ctl/screen.h"
#include "provision/provision.h"

// In a few words, of the bodies in JSON form.
void event_report_inventory(Text *text, const json_t *body);
void event_report_imported(Text *text, const json_t *body);

// All of it, below the event's line; nothing for other events.
void event_report_print(const Screen *screen, const ProvisionEvent *event);
// More of what the command answers comes in another event.
bool event_report_goes_on(const ProvisionEvent *event);

#endif
