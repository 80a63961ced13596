/*
 * Names of protobuf's enums as people read them: ENVIRONMENT_STATUS_READY is "ready".
 */
#ifndef CTL_ENUM_TEXT_H
#define CTL_ENUM_TEXT_H

#include "base/text.h"

// Appends `name` without its prefix and in lower case; a name without `prefix` loses nothing.
void enum_text_append(Text *text, const char *name, const char *prefix);

#endif
