#include "run/lanes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/table.h"

typedef struct Lane {
    char key[SUBJECT_TEXT_BYTES];
    List runs; // LaneRun, in the order of their records
} Lane;

// Slots one behind the other that don't conflict with each other: they are free together, so none
// has to be compared with all before it.
typedef struct LaneRun {
    ListLink link;
    Lane *lane;
    LaneUse use;
    List slots; // LaneSlot
} LaneRun;

struct Lanes {
    Table *lanes;
    size_t waiting;
};

Lanes *lanes_new(void)
{
    Lanes *lanes = alloc_zeroed(1, sizeof(*lanes));
    lanes->lanes = table_new();
    return lanes;
}

void lanes_free(Lanes *lanes)
{
    if (lanes == NULL) {
        return;
    }
    assert(table_count(lanes->lanes) == 0);
    table_free(lanes->lanes);
    free(lanes);
}

static Lane *lane_of(Lanes *lanes, const char *key)
{
    Lane *lane = table_get(lanes->lanes, key);
    if (lane == NULL) {
        lane = alloc_zeroed(1, sizeof(*lane));
        list_init(&lane->runs);
        bool fits = text_copy(lane->key, sizeof lane->key, key);
        assert(fits);
        (void)fits;
        table_put(lanes->lanes, key, lane);
    }
    return lane;
}

static LaneRun *last_run(const Lane *lane)
{
    return LIST_ENTRY(lane->runs.head.previous, LaneRun, link);
}

// Where a slot with this use stands that comes now.
static LaneRun *run_of(Lane *lane, LaneUse use)
{
    if (use != LANE_WRITES && !list_is_empty(&lane->runs) && last_run(lane)->use == use) {
        return last_run(lane);
    }
    LaneRun *run = alloc_zeroed(1, sizeof(*run));
    run->lane = lane;
    run->use = use;
    list_init(&run->slots);
    list_append(&lane->runs, &run->link);
    return run;
}

// No other use stands before it. Runs of one use are neighbours only where one between them has
// gone, so it is the first, or one of the first few.
static bool is_run_free(const LaneRun *run)
{
    LIST_EACH(&run->lane->runs, link)
    {
        const LaneRun *other = LIST_ENTRY(link, LaneRun, link);
        if (other == run) {
            break;
        }
        if (other->use != run->use || run->use == LANE_WRITES) {
            return false;
        }
    }
    return true;
}

static void add_keyed(Lanes *lanes, LaneEntry *entry, const char *key, LaneUse use)
{
    assert(entry->count < LANE_SUBJECTS_MAX);
    LaneSlot *slot = &entry->slots[entry->count++];
    *slot = (LaneSlot){.run = run_of(lane_of(lanes, key), use), .entry = entry};
    list_append(&slot->run->slots, &slot->link);
    slot->is_free = is_run_free(slot->run);
    entry->taken += slot->is_free ? 0 : 1;
}

static void add_slot(Lanes *lanes, LaneEntry *entry, const Command *command, const Subject *subject,
                     LaneUse use)
{
    char key[SUBJECT_TEXT_BYTES];
    subject_format(command->application_id, subject, key);
    add_keyed(lanes, entry, key, use);
}

static void add_id(Lanes *lanes, LaneEntry *entry, const Command *command)
{
    char key[SUBJECT_TEXT_BYTES];
    (void)snprintf(key, sizeof key, "applications/%s/commands/%s", command->application_id,
                   command->command_id);
    add_keyed(lanes, entry, key, LANE_WRITES);
}

// One slot a subject: a command doesn't conflict with itself.
static bool is_named_before(const Command *command, size_t read)
{
    bool is_known = subject_equal(&command->reads[read], &command->writes);
    for (size_t i = 0; i < read; i++) {
        is_known = is_known || subject_equal(&command->reads[read], &command->reads[i]);
    }
    return is_known;
}

void lanes_enter(Lanes *lanes, LaneEntry *entry, const Command *command)
{
    assert(!entry->entered);
    *entry = (LaneEntry){.entered = true};
    list_link_init(&entry->ready);
    add_id(lanes, entry, command);
    if (command->writes.kind != SUBJECT_NONE) {
        add_slot(lanes, entry, command, &command->writes,
                 command->only_reads ? LANE_READS : LANE_WRITES);
    }
    for (size_t i = 0; i < command->read_count; i++) {
        if (!is_named_before(command, i)) {
            add_slot(lanes, entry, command, &command->reads[i], LANE_READS);
        }
    }
    if (command->joins.kind != SUBJECT_NONE) {
        add_slot(lanes, entry, command, &command->joins, LANE_JOINS);
    }
    if (command->excludes.kind != SUBJECT_NONE) {
        add_slot(lanes, entry, command, &command->excludes, LANE_WRITES);
    }
    entry->granted = entry->taken == 0;
    lanes->waiting += entry->granted ? 0 : 1;
}

static void free_slots(Lanes *lanes, const LaneRun *run, List *ret_ready)
{
    LIST_EACH(&run->slots, link)
    {
        LaneSlot *slot = LIST_ENTRY(link, LaneSlot, link);
        LaneEntry *entry = slot->entry;
        if (slot->is_free) {
            return; // then all of them are
        }
        slot->is_free = true;
        entry->taken--;
        if (entry->taken == 0) {
            entry->granted = true;
            lanes->waiting--;
            list_append(ret_ready, &entry->ready);
        }
    }
}

// Those that are free now: up to the first run that conflicts with the one at the front.
static void grant_next(Lanes *lanes, const Lane *lane, List *ret_ready)
{
    const LaneRun *first = NULL;
    LIST_EACH(&lane->runs, link)
    {
        const LaneRun *run = LIST_ENTRY(link, LaneRun, link);
        first = first == NULL ? run : first;
        if (run != first && (run->use != first->use || run->use == LANE_WRITES)) {
            return;
        }
        free_slots(lanes, run, ret_ready);
    }
}

static void leave_lane(Lanes *lanes, LaneRun *run, List *ret_ready)
{
    Lane *lane = run->lane;
    if (!list_is_empty(&run->slots)) {
        return; // whoever is behind them still waits for them
    }
    list_remove(&run->link);
    free(run);
    grant_next(lanes, lane, ret_ready);
    if (list_is_empty(&lane->runs)) {
        table_remove(lanes->lanes, lane->key);
        free(lane);
    }
}

void lanes_leave(Lanes *lanes, LaneEntry *entry, List *ret_ready)
{
    if (!entry->entered) {
        return;
    }
    lanes->waiting -= entry->granted ? 0 : 1;
    list_remove(&entry->ready);
    for (size_t i = 0; i < entry->count; i++) {
        list_remove(&entry->slots[i].link);
    }
    for (size_t i = 0; i < entry->count; i++) {
        leave_lane(lanes, entry->slots[i].run, ret_ready);
    }
    *entry = (LaneEntry){.entered = false};
    list_link_init(&entry->ready);
}

bool lanes_is_first_of_id(const LaneEntry *entry)
{
    assert(entry->entered);
    return entry->slots[0].is_free;
}

size_t lanes_waiting(const Lanes *lanes)
{
    return lanes->waiting;
}
