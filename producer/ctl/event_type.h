/*
 * The names of events' types (EnvironmentCreated), from proto/provisioning/v1/event.proto.
 */
#ifndef CTL_EVENT_TYPE_H
#define CTL_EVENT_TYPE_H

#include <stdbool.h>

enum { EVENT_TYPE_NAMES_BYTES = 256 };

bool event_type_is_known(const char *name); // in any case of its letters

// The names that share most with this one, with commas between them. Returns ret_names.
const char *event_type_nearest(const char *name, char ret_names[EVENT_TYPE_NAMES_BYTES]);

#endif
