/*
 * A scenario as it is told: a standby, which lives on, prepares; then a victim joins the group and
 * gets its one partition, because the range assignor sorts members by their client.id, and the
 * command. When the victim is gone, the standby takes over.
 */
#ifndef E2E_CRASH_STORY_H
#define E2E_CRASH_STORY_H

#include <jansson.h>

#include "crash/scenarios.h"
#include "support/world.h"

// Where a victim is held that is to lose its partition; it goes on, knows that it has the command,
// and has not begun it.
#define STORY_CLAIMED "claim.after"
#define STORY_HELD STORY_CLAIMED "=hold"

typedef struct Teller {
    World *world;
    rd_kafka_t *group; // for its committed offsets
    int applications;  // used so far: each story has its own
} Teller;

typedef struct Story {
    const Scenario *scenario;
    Teller *teller;
    const char *application;
    Process *victim;
    const char *hold;   // the victim goes on from where it is held once this is opened for writing
    int64_t since_call; // of the sandbox, before the command
    const char *command_id;
    int commands; // of the application, when all is over
} Story;

// The world's topics have to have one partition. Starts the standby.
void story_open(Teller *teller, World *world);
void story_close(Teller *teller);
// Up to the command, which the victim gets; `variable` of the victim's environment has this value.
void story_begin(Teller *teller, Story *story, const Scenario *scenario, const char *variable,
                 const char *value);
// Waits until the victim has been stopped at this point; `aborts`: and has ended.
void story_await_crash(Story *story, const char *point, bool aborts);
void story_await_outcome(Story *story);
// Waits until the group has given the frozen victim up, lets it go on where it was, and ends it in
// order when it has joined again.
void story_thaw(Story *story, const char *point);
// A third worker joins while the victim is held (STORY_HELD), and gets the partition in the middle
// of the command; when that has ended it leaves in order, and the victim has the partition back.
void story_hand_over(Story *story);
// How often the command was taken over.
int story_takeovers(const Story *story);
// When it may end by itself: ends an undisturbed victim.
void story_stop_victim(Story *story);
// The victim has ended. Returns the end state; the caller frees it. Where branches can be logged in
// to, fails unless all of their roles can.
json_t *story_end(Story *story);

#endif
