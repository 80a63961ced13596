/*
 * What matters of an event's body, in a few words.
 */
#ifndef CTL_EVENT_DETAILS_H
#define CTL_EVENT_DETAILS_H

#include <jansson.h>

#include "base/text.h"

// `body`: in JSON form, NULL for nothing; `type`: EnvironmentCreated.
void event_details_append(Text *text, const json_t *body, const char *type);

#endif
