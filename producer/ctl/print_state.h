/*
 * A state: all that is known of one subject, for people or as JSON.
 */
#ifndef CTL_PRINT_STATE_H
#define CTL_PRINT_STATE_H

#include "ctl/screen.h"
#include "provision/provision.h"

// The member of the JSON form that holds a state of this kind: "environment".
const char *print_state_kind(ProvisionSubjectKind kind);

// Lines "name  value", nested names joined with dots.
void print_state_whole(const Screen *screen, const ProvisionState *state);
// One line; of a subject that is gone, who it was.
void print_state_json(FILE *file, const ProvisionState *state);

#endif
