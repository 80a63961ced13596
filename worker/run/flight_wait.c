#include "run/flight.h"
#include "sys/clock.h"

static Waiting waits_here(const Flight *flight)
{
    if (!flight->has_key) {
        return WAITING_KEY;
    }
    if (flight->lock.lock != NULL && !flight->lock.held) {
        return WAITING_PROJECT;
    }
    if (flight->token.bucket != NULL) {
        return WAITING_RATE_LIMIT;
    }
    if (flight->call != NULL) {
        return WAITING_REPLY;
    }
    if (flight->roles != NULL) {
        return WAITING_ROLES;
    }
    return flight->login != NULL ? WAITING_LOGIN : WAITING_NOTHING;
}

static const char *step_of(const Flight *flight)
{
    const Saga *saga = &flight->work->saga;
    if (!flight->has_key) {
        return "open_key";
    }
    if (flight->step != NULL) {
        return flight->step;
    }
    return saga->intent.open ? saga->intent.step : ""; // claimed with it open
}

// A look at what is waited for is part of that wait.
static bool is_look(const Flight *flight, Waiting here)
{
    return flight->work->saga.waiting != WAITING_NOTHING &&
           (here == WAITING_REPLY || here == WAITING_LOGIN || here == WAITING_ROLES);
}

Waiting flight_waits_for(const Flight *flight, int64_t now_boot_ms, const char **ret_step,
                         int64_t *ret_since_boot_ms)
{
    const Saga *saga = &flight->work->saga;
    int64_t since_ms = flight->progress_boot_ms;
    Waiting waiting = waits_here(flight);
    if (waiting == WAITING_NOTHING) {
        int64_t saga_since_ms = 0;
        waiting = saga_waits_for(saga, now_boot_ms, &saga_since_ms);
        since_ms = saga_since_ms != 0 ? saga_since_ms : since_ms;
    } else if (is_look(flight, waiting)) {
        waiting = saga->waiting;
        since_ms = saga->waiting_boot_ms != 0 ? saga->waiting_boot_ms : since_ms;
    } else if (flight->step_boot_ms > since_ms) {
        since_ms = flight->step_boot_ms;
    }
    *ret_step = step_of(flight);
    *ret_since_boot_ms = since_ms;
    return waiting;
}

void flight_progress(Flight *flight)
{
    if (!flight->work->saga.is_stuck) {
        flight->progress_boot_ms = clock_boot_ms();
    }
}
