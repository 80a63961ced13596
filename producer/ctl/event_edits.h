/*
 * What an edit made of the settings: "min 0.25 → 1 CU".
 */
#ifndef CTL_EVENT_EDITS_H
#define CTL_EVENT_EDITS_H

#include <jansson.h>

#include "base/text.h"

// Of the events' bodies in JSON form.
void event_edits_project(Text *text, const json_t *body);
void event_edits_endpoint(Text *text, const json_t *body);

#endif
