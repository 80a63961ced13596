/*
 * Which commands may run at once: a command starts when no earlier one of the same application that
 * conflicts with it is unfinished. Two conflict on a subject unless both only read it, or both join
 * it; one that excludes a subject conflicts as one that writes it. The result is as if each
 * application's commands ran one after another, yet everything independent runs at once. Entering
 * and leaving cost the same however many wait.
 */
#ifndef RUN_LANES_H
#define RUN_LANES_H

#include <stdbool.h>

#include "base/list.h"
#include "contract/command.h"

typedef struct Lanes Lanes;
struct LaneEntry;

enum { LANE_SUBJECTS_MAX = 8 };

typedef enum LaneUse { LANE_READS, LANE_JOINS, LANE_WRITES } LaneUse;

typedef struct LaneSlot {
    ListLink link;
    struct LaneRun *run;
    struct LaneEntry *entry;
    bool is_free; // nothing before it conflicts
} LaneSlot;

// One command's place; its owner embeds it. `granted` is set once all of its subjects are free. Its
// first slot is its id's: the same command sent again would rob the first of its row, and the other
// way round.
typedef struct LaneEntry {
    LaneSlot slots[LANE_SUBJECTS_MAX];
    size_t count;
    size_t taken; // slots that are not free yet
    bool granted;
    bool entered;
    ListLink ready; // in the list that lanes_leave fills
} LaneEntry;

Lanes *lanes_new(void);
void lanes_free(Lanes *lanes); // nothing may stand in it

// Takes its place behind earlier ones; afterwards `granted` says whether it may start.
void lanes_enter(Lanes *lanes, LaneEntry *entry, const Command *command);
// Leaves (fine if it isn't in). Entries that may start now are marked granted and appended to
// `ret_ready` through their link `ready`.
void lanes_leave(Lanes *lanes, LaneEntry *entry, List *ret_ready);
// Whether no earlier one with its id is unfinished. One that is in.
bool lanes_is_first_of_id(const LaneEntry *entry);
// Entries that wait.
size_t lanes_waiting(const Lanes *lanes);

#endif
