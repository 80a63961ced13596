#include <assert.h>
#include <string.h>

#include "run/flight.h"

static bool is_told(const Flight *flight)
{
    return flight->stop[0] != '\0' || flight->is_dropped;
}

static Flight *find_untold(Worker *worker, const char *application_id, const char *command_id)
{
    LIST_EACH(&worker->flights, link)
    {
        Flight *flight = LIST_ENTRY(link, Flight, link);
        if (!is_told(flight) && strcmp(flight->command->command_id, command_id) == 0 &&
            strcmp(flight->command->application_id, application_id) == 0) {
            return flight;
        }
    }
    return NULL;
}

// A timer, a lock, a token: nothing that would be cut off.
static bool only_waits(const Flight *flight)
{
    return flight->phase == FLIGHT_RUNNING && flight->has_saga && flight->has_key &&
           !flight_is_under_way(flight) && !flight->work->saga.undoing &&
           !saga_is_final(&flight->work->saga);
}

static void hear(Flight *flight)
{
    if (flight->has_saga) {
        saga_stop(&flight->work->saga, flight->stop, flight->stopped_by);
    }
    if (flight->phase == FLIGHT_WAITING && flight->partition != NULL &&
        lanes_is_first_of_id(&flight->lane)) {
        flight->overtakes = true;
        flight_claim(flight);
    } else if (only_waits(flight)) {
        loop_timer_stop(flight->timer);
        buckets_leave(flight->worker->buckets, &flight->token);
        gate_rest(flight->worker->role_runs, &flight->role_run);
        if (!flight->lock.held) {
            locks_release(flight->worker->locks, &flight->lock); // it queues no longer
        }
        flight_advance(flight);
    } // else before its next decision
}

void flight_tell_stop(Worker *worker, const char *application_id, const char *command_id,
                      const char *stop, const char *stopped_by)
{
    assert(stop[0] != '\0'); // else none of them ever counts as told
    // each time from the start: what hears it may let go of others
    Flight *flight;
    while ((flight = find_untold(worker, application_id, command_id)) != NULL) {
        bool fits = text_copy(flight->stop, sizeof flight->stop, stop);
        fits = text_copy(flight->stopped_by, sizeof flight->stopped_by, stopped_by) && fits;
        (void)fits; // fields of the same sizes
        hear(flight);
    }
}
