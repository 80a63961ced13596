/*
 * What an earlier, failed command of the environment could not remove: the list `left` of its row.
 */
#ifndef SAGA_LEFTOVER_H
#define SAGA_LEFTOVER_H

#include "saga/reach.h"
#include "saga/saga.h"

typedef struct Leftover {
    const char *project_id; // "" = nothing is left
    const char *branch_id;  // "" = the whole project
    Reach maker;            // whose key made it
} Leftover;

// What a Delete is for, as its row knows it.
Leftover leftover_own(const Saga *saga);
// The next to remove.
Leftover leftover_next(const Saga *saga);
// ... of them all, those not yet removed: an array, the caller's.
json_t *leftover_remaining(const Saga *saga);
// Neon says 404, too, where a key may not see what is there: only one of its maker's reach can
// tell, where it isn't kept to some project (such a one can't delete even its own).
bool leftover_is_blind(const Saga *saga, const Leftover *thing);
// Fails with NOT_VISIBLE.
Lesson leftover_fail_blind(Saga *saga, const char *what);
// The reply to a deletion of the thing by its exact id. LESSON_LEARNT: it is gone, by this call or
// before; nothing is journaled yet. Neon's 404 to a key that is blind to it is no proof: it fails.
Lesson leftover_learn_deletion(Saga *saga, const Leftover *thing, const NeonReply *reply,
                               Protection protection, const char *what);

#endif
