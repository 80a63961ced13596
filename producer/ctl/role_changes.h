/*
 * What a RolesConfigured event says was, or would be, changed: in a few words, and as a table.
 */
#ifndef CTL_ROLE_CHANGES_H
#define CTL_ROLE_CHANGES_H

#include <jansson.h>

#include "base/text.h"
#include "ctl/screen.h"
#include "provision/provision.h"

// "3 changes, 1 blocked" of the event's body in JSON form.
void role_changes_summary(Text *text, const json_t *body);
// A line with the environment and the summary, then one for each change.
void role_changes_print(const Screen *screen, const ProvisionEvent *event);
// A line for each of a list of changes in JSON form.
void role_changes_list(const Screen *screen, const json_t *changes);
// Whether there is any, changes that aren't listed included.
bool role_changes_any(const ProvisionEvent *event);

#endif
