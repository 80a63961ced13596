#include "run/lanes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/table.h"

typedef struct Lane {
    char key[SUBJECT_TEXT_BYTES];
    List slots; // LaneSlot, in the order of their records
} Lane;

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
        list_init(&lane->slots);
        bool fits = text_copy(lane->key, sizeof lane->key, key);
        assert(fits);
        (void)fits;
        table_put(lanes->lanes, key, lane);
    }
    return lane;
}

static bool is_conflict(const LaneSlot *slot, const LaneSlot *other)
{
    return slot->use != other->use || slot->use == LANE_WRITES;
}

// A slot is free when nothing before it conflicts.
static bool is_slot_free(const LaneSlot *slot)
{
    LIST_EACH(&slot->lane->slots, link)
    {
        const LaneSlot *other = LIST_ENTRY(link, LaneSlot, link);
        if (other == slot) {
            break;
        }
        if (is_conflict(slot, other)) {
            return false;
        }
    }
    return true;
}

static bool is_free(const LaneEntry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (!is_slot_free(&entry->slots[i])) {
            return false;
        }
    }
    return true;
}

static void add_keyed(Lanes *lanes, LaneEntry *entry, const char *key, LaneUse use)
{
    assert(entry->count < LANE_SUBJECTS_MAX);
    LaneSlot *slot = &entry->slots[entry->count++];
    *slot = (LaneSlot){.lane = lane_of(lanes, key), .entry = entry, .use = use};
    list_append(&slot->lane->slots, &slot->link);
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
    entry->granted = is_free(entry);
    lanes->waiting += entry->granted ? 0 : 1;
}

static void grant_next(Lanes *lanes, Lane *lane, List *ret_ready)
{
    const LaneSlot *first = NULL;
    LIST_EACH(&lane->slots, link)
    {
        LaneSlot *slot = LIST_ENTRY(link, LaneSlot, link);
        first = first == NULL ? slot : first;
        LaneEntry *entry = slot->entry;
        if (!entry->granted && is_free(entry)) {
            entry->granted = true;
            lanes->waiting--;
            list_append(ret_ready, &entry->ready);
        }
        if (slot->use == LANE_WRITES || is_conflict(slot, first)) {
            break; // nothing behind it is free
        }
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
        Lane *lane = entry->slots[i].lane;
        grant_next(lanes, lane, ret_ready);
        if (list_is_empty(&lane->slots)) {
            table_remove(lanes->lanes, lane->key);
            free(lane);
        }
    }
    *entry = (LaneEntry){.entered = false};
    list_link_init(&entry->ready);
}

bool lanes_is_first_of_id(const LaneEntry *entry)
{
    assert(entry->entered);
    return is_slot_free(&entry->slots[0]);
}

size_t lanes_waiting(const Lanes *lanes)
{
    return lanes->waiting;
}
