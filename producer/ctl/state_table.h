/*
 * States of one kind as a table.
 */
#ifndef CTL_STATE_TABLE_H
#define CTL_STATE_TABLE_H

#include "ctl/screen.h"
#include "provision/provision.h"

typedef struct StateTable StateTable;

// PROVISION_SUBJECT_ENVIRONMENT or _ACCOUNT.
StateTable *state_table_new(ProvisionSubjectKind kind);
void state_table_free_at(StateTable **pointer); // for CLEANUP
// Adds a state of that kind as a row. An application's says which of its environments, added
// later, is the base of previews. Others are passed over.
void state_table_add(StateTable *table, const ProvisionState *state);
// A column that few need is left out where no row has anything in it.
void state_table_print(const Screen *screen, const StateTable *table);

#endif
