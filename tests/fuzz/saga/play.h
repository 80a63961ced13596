/*
 * One command in a world, and what must hold of it.
 */
#ifndef FUZZ_SAGA_PLAY_H
#define FUZZ_SAGA_PLAY_H

#include "ledger.h"
#include "world.h"

typedef struct Play {
    World world;
    Row row;
    SagaRules rules;
    Owner *owner;
    Owner *former;            // may still close its intent
    bool is_condemned;        // what DeleteOrphan names
    bool is_free;             // ... and then judged as nobody's
    bool is_known;            // the ledger knew whose the last mark was that it judged
    bool has_strangers;       // ... and once a Delete was told that it doesn't
    bool is_inhabited;        // another application lives in p-1, or has imported br-0
    bool is_told;             // Neon has told of the endpoint that it made for the command
    int64_t fence;            // of the environment's row
    bool is_applied;          // the branch has its roles
    bool is_kept;             // ... and the ledger knows
    int64_t unknown_until_ms; // a call that nothing protects is out, its result unknown
} Play;

bool play_is_delete(const Play *play);
bool play_is_preview(const Play *play);
bool play_is_import(const Play *play);
// What stood before the command is to stand after it.
bool play_is_in_place(const Play *play);
// It changes no environment.
bool play_is_outside(const Play *play);
bool play_is_inhabited(const Play *play, const char *project_id);
// Of each request before it is sent.
void play_check_request(Play *play, const Decision *decision);
// Of the command when it is concluded.
void play_judge(Play *play);

#endif
