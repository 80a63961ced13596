/*
 * Removing what a command made: the journaled thing by its id, then whatever a listing shows with
 * our mark, until a complete listing shows nothing.
 */
#ifndef SAGA_UNDO_H
#define SAGA_UNDO_H

#include "saga/saga.h"

// The journal's keys of one kind of thing.
typedef struct UndoKind {
    const char *what; // "project", in messages
    const char *id_fact;
    const char *deleted_fact; // that id was deleted, or was not there
    const char *undone_fact;  // nothing of ours is listed any more
    const char *delete_step;
} UndoKind;

// The id to delete next, or "".
const char *undo_target(const Saga *saga, const UndoKind *kind);
// Whether a listing is to be made.
bool undo_must_list(const Saga *saga, const UndoKind *kind);
// A listing (saga/search.h) is complete: it names the next target, or proves that nothing is left.
Lesson undo_learn_listed(Saga *saga, const UndoKind *kind);
// The target was deleted; `was_there`: by this very call.
Lesson undo_learn_deleted(Saga *saga, const UndoKind *kind, bool was_there);

#endif
