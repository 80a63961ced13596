/*
 * What is known of commands (JSON objects, see ctl/status_ledger.h and ctl/status_topics.h), for
 * people.
 */
#ifndef CTL_STATUS_PRINT_H
#define CTL_STATUS_PRINT_H

#include <jansson.h>

#include "base/text.h"
#include "ctl/screen.h"

// One command, a line for each thing that is known.
void status_print_whole(const Screen *screen, const json_t *command);
// A table with one line for each command; only a sentence when there is none.
void status_print_table(const Screen *screen, const json_t *commands);
// 45s, 3m05s, 2h07m, 4d03h; "" below zero.
void status_append_span(Text *text, json_int_t seconds);

#endif
