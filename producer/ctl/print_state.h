/*
 * States: as a table of environments, as all that is known of one subject, or as JSON.
 */
#ifndef CTL_PRINT_STATE_H
#define CTL_PRINT_STATE_H

#include "ctl/screen.h"
#include "provision/provision.h"

typedef struct StateTable StateTable;

StateTable *print_state_table_new(void);
void print_state_table_free(StateTable *table);
// Adds an environment as a row; other states are passed over.
void print_state_table_add(StateTable *table, const ProvisionState *state);
void print_state_table(const Screen *screen, const StateTable *table);

// Lines "name  value", nested names joined with dots.
void print_state_whole(const Screen *screen, const ProvisionState *state);
void print_state_json(FILE *file, const ProvisionState *state);

#endif
