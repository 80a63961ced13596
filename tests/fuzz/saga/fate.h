/*
 * What happens to a request on its way to Neon and back.
 */
#ifndef FUZZ_SAGA_FATE_H
#define FUZZ_SAGA_FATE_H

#include "play.h"

typedef enum Fate {
    FATE_GOOD,
    FATE_LOST_DONE,   // done, and the reply lost
    FATE_LOST_NEVER,  // not done
    FATE_LOST_LATER,  // done some time after
    FATE_UNREADABLE,  // done, and the reply of no use
    FATE_BROKEN,      // 500, not done
    FATE_LOCKED,      // 423, 429, 503
    FATE_DENIED,      // 401
    FATE_LAGS,        // 404 of a young thing
    FATE_PARTIAL,     // a list that lacks something
    FATE_TAKEN_DONE,  // another worker takes over while it is out; done
    FATE_TAKEN_LATER, // ... done some time after
    FATE_CRASH,       // done, and the worker gone with the reply
    FATE_UNSENT,
    FATE_COUNT_OF,
} Fate;

// The next byte's.
Fate fate_next(World *world);
// What can't happen to this request goes well.
Fate fate_possible(Fate fate, const Play *play, const Decision *decision);
// Lets it happen as fate has it; fills the reply, which for FATE_TAKEN_* comes too late.
void fate_meet(Fate fate, Play *play, const NeonRequest *request, bool mutating, NeonReply *reply);

#endif
