/*
 * What changes of states, as lines: what a subject is new with, which of its values became another,
 * or that it is gone.
 */
#ifndef CTL_STATE_CHANGES_H
#define CTL_STATE_CHANGES_H

#include "ctl/screen.h"
#include "provision/provision.h"

typedef struct StateChanges StateChanges;

StateChanges *state_changes_new(void);
void state_changes_free_at(StateChanges **changes); // for CLEANUP

// Remembers it, so that its next change can be told.
void state_changes_note(StateChanges *changes, const ProvisionState *state);
// Prints the line of a change, and remembers it.
void state_changes_print(StateChanges *changes, const Screen *screen, const ProvisionState *state);

#endif
