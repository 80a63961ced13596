#include "run/supersede.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/clock.h"

struct Supersede {
    Worker *worker;
    List orders;
};

typedef struct Order {
    ListLink link;
    Worker *worker;
    char application_id[NAME_APPLICATION_BYTES];
    char target_id[UUID_TEXT_BYTES];
    char command_id[UUID_TEXT_BYTES];
    LedgerOp op;
} Order;

Supersede *supersede_new(Worker *worker)
{
    Supersede *supersede = alloc_zeroed(1, sizeof(*supersede));
    supersede->worker = worker;
    list_init(&supersede->orders);
    return supersede;
}

static void free_order(Order *order)
{
    list_remove(&order->link);
    free(order);
}

void supersede_free(Supersede *supersede)
{
    if (supersede == NULL) {
        return;
    }
    LIST_EACH(&supersede->orders, link)
    {
        free_order(LIST_ENTRY(link, Order, link));
    }
    free(supersede);
}

static void on_marked(LedgerOp *op)
{
    Order *order = LIST_ENTRY(op, Order, op);
    LedgerStopped stopped = op->answer.stopped;
    op->answer.stopped = (LedgerStopped){.found = false};
    if (stopped.found && !stopped.finished && stopped.stop[0] != '\0') {
        flight_tell_stop(order->worker, order->application_id, order->target_id, stopped.stop,
                         stopped.stopped_by);
    }
    ledger_stopped_clear(&stopped);
    free_order(order);
}

static void put(Supersede *supersede, const Flight *flight, const Flight *target)
{
    Order *order = alloc_zeroed(1, sizeof(*order));
    order->worker = supersede->worker;
    bool fits = text_copy(order->application_id, sizeof order->application_id,
                          flight->command->application_id);
    fits =
        text_copy(order->target_id, sizeof order->target_id, target->command->command_id) && fits;
    fits =
        text_copy(order->command_id, sizeof order->command_id, flight->command->command_id) && fits;
    assert(fits);
    (void)fits;
    order->op.kind = LEDGER_OP_STOP;
    order->op.ask.stop =
        (LedgerStop){order->application_id, order->target_id, order->command_id, "superseded"};
    order->op.done = on_marked;
    list_append(&supersede->orders, &order->link);
    ledger_queue_put(supersede->worker->ledger, &order->op);
}

// Earlier, about the same, and changing it.
static bool is_earlier(const Flight *flight, const Flight *other)
{
    const Command *command = flight->command;
    const Command *earlier = other->command;
    return earlier->partition == command->partition && earlier->offset < command->offset &&
           strcmp(earlier->application_id, command->application_id) == 0 &&
           strcmp(earlier->command_id, command->command_id) != 0 &&
           subject_equal(&earlier->writes, &command->writes) && !earlier->only_reads;
}

static bool is_superseded(const Flight *flight, const Flight *other)
{
    if (!is_earlier(flight, other) || other->stop[0] != '\0' || other->is_dropped) {
        return false;
    }
    switch (command_stops(flight->command)) {
    case COMMAND_STOPS_WAITING:
        return other->command->action == flight->command->action &&
               other->phase == FLIGHT_WAITING && other->work == NULL;
    case COMMAND_STOPS_ALL:
        return other->command->action != flight->command->action;
    case COMMAND_STOPS_NONE:
        break;
    }
    return false;
}

void supersede_earlier(Supersede *supersede, const Flight *flight)
{
    const Worker *worker = supersede->worker;
    // sent again while it is still unfinished: what stands between isn't before it
    if (command_stops(flight->command) == COMMAND_STOPS_NONE ||
        !lanes_is_first_of_id(&flight->lane) ||
        command_age(flight->command, clock_wall_ms(), worker->saga_rules.memory_ms) !=
            COMMAND_AGE_FINE) { // it will be refused
        return;
    }
    LIST_EACH(&worker->flights, link)
    {
        const Flight *other = LIST_ENTRY(link, Flight, link);
        if (other != flight && is_superseded(flight, other)) {
            put(supersede, flight, other);
        }
    }
}
