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
    char environment[NAME_ENVIRONMENT_BYTES];
    char *repository;
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
    free(order->repository);
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
    fits = text_copy(order->environment, sizeof order->environment, flight->command->writes.name) &&
           fits;
    assert(fits);
    (void)fits;
    order->repository = alloc_text(command_repository(flight->command));
    order->op.kind = LEDGER_OP_STOP;
    order->op.ask.stop = (LedgerStop){
        .application_id = order->application_id,
        .target_id = order->target_id,
        .command_id = order->command_id,
        .stop = "superseded",
        .environment = order->environment,
        .repository = order->repository,
    };
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

// It will be refused if the other is done: a preview is opened for one repository only.
static bool is_of_another_repository(const Flight *flight, const Flight *other)
{
    const char *wanted = command_repository(flight->command);
    const char *known = command_repository(other->command);
    return is_earlier(flight, other) && wanted[0] != '\0' && known[0] != '\0' &&
           strcmp(wanted, known) != 0;
}

static bool may_stop(const Flight *flight)
{
    const Worker *worker = flight->worker;
    // sent again while it is still unfinished: what stands between isn't before it
    if (command_stops(flight->command) == COMMAND_STOPS_NONE ||
        !lanes_is_first_of_id(&flight->lane) ||
        command_age(flight->command, clock_wall_ms(), worker->saga_rules.memory_ms) !=
            COMMAND_AGE_FINE) { // it will be refused
        return false;
    }
    LIST_EACH(&worker->flights, link)
    {
        if (is_of_another_repository(flight, LIST_ENTRY(link, Flight, link))) {
            return false;
        }
    }
    return true;
}

void supersede_earlier(Supersede *supersede, const Flight *flight)
{
    if (!may_stop(flight)) {
        return;
    }
    LIST_EACH(&supersede->worker->flights, link)
    {
        const Flight *other = LIST_ENTRY(link, Flight, link);
        if (other != flight && is_superseded(flight, other)) {
            put(supersede, flight, other);
        }
    }
}
