/*
 * Other branches that stand in the way of something, as a note of the journal: how many, and what
 * of them a message can name. They are counted, never told by their names: one that is longer than
 * ours may be is "" (neon/reply.h), and such a branch is named by its id.
 */
#ifndef SAGA_OTHERS_H
#define SAGA_OTHERS_H

#include "saga/saga.h"

// The note of this name, made where there is none; the journal's.
json_t *others_note(Saga *saga, const char *note);
// What a message calls the branch.
const char *others_label(const NeonBranch *branch);
void others_add(json_t *others, const char *label);
// NULL: none.
int64_t others_count(const json_t *others);
// "dev, test", with ", ..." where there is no room for all; borrowed.
const char *others_names(const json_t *others);

#endif
