/*
 * Values of a state's JSON form as people read them.
 */
#ifndef CTL_STATE_TEXT_H
#define CTL_STATE_TEXT_H

#include <jansson.h>

#include "base/text.h"

// A number, a word (an enum's without its prefix), or a list of them: "a, b"; services with their
// databases: "orders (main write, logs read)". Nothing for an object.
void state_text_append(Text *text, const json_t *value);

#endif
