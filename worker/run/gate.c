#include "run/gate.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/name.h"
#include "base/table.h"
#include "base/text.h"

// Those of one application; there is one while somebody waits in it.
typedef struct GateQueue {
    ListLink link;
    List entries;
    char application_id[NAME_APPLICATION_BYTES];
} GateQueue;

struct Gate {
    Table *queues;
    List turns; // GateQueue, whose turn comes next first
    size_t places;
    size_t working;
    size_t waiting;
};

Gate *gate_new(size_t places)
{
    Gate *gate = alloc_zeroed(1, sizeof(*gate));
    gate->queues = table_new();
    list_init(&gate->turns);
    gate->places = places;
    return gate;
}

void gate_free(Gate *gate)
{
    if (gate != NULL) {
        assert(gate->waiting == 0);
        table_free(gate->queues);
        free(gate);
    }
}

static GateQueue *queue_of(Gate *gate, const char *application_id)
{
    GateQueue *queue = table_get(gate->queues, application_id);
    if (queue == NULL) {
        queue = alloc_zeroed(1, sizeof(*queue));
        list_init(&queue->entries);
        bool fits = text_copy(queue->application_id, sizeof queue->application_id, application_id);
        assert(fits);
        (void)fits;
        table_put(gate->queues, application_id, queue);
        list_append(&gate->turns, &queue->link);
    }
    return queue;
}

static void stop_waiting(Gate *gate, GateEntry *entry)
{
    GateQueue *queue = entry->queue;
    if (queue == NULL) {
        return;
    }
    list_remove(&entry->link);
    entry->queue = NULL;
    gate->waiting--;
    if (list_is_empty(&queue->entries)) {
        list_remove(&queue->link);
        table_remove(gate->queues, queue->application_id);
        free(queue);
    }
}

void gate_wait(Gate *gate, GateEntry *entry, const char *application_id)
{
    if (entry->queue != NULL) {
        return;
    }
    gate_rest(gate, entry);
    entry->queue = queue_of(gate, application_id);
    list_append(&entry->queue->entries, &entry->link);
    gate->waiting++;
}

GateEntry *gate_next(Gate *gate)
{
    ListLink *turn = list_first(&gate->turns);
    if (turn == NULL || gate->working >= gate->places) {
        return NULL;
    }
    GateQueue *queue = LIST_ENTRY(turn, GateQueue, link);
    GateEntry *entry = LIST_ENTRY(list_first(&queue->entries), GateEntry, link);
    list_remove(turn);
    list_append(&gate->turns, turn);
    gate_work(gate, entry);
    return entry;
}

void gate_work(Gate *gate, GateEntry *entry)
{
    stop_waiting(gate, entry);
    gate->working += entry->works ? 0 : 1;
    entry->works = true;
}

void gate_rest(Gate *gate, GateEntry *entry)
{
    stop_waiting(gate, entry);
    gate->working -= entry->works ? 1 : 0;
    entry->works = false;
}

size_t gate_working(const Gate *gate)
{
    return gate->working;
}

size_t gate_waiting(const Gate *gate)
{
    return gate->waiting;
}
