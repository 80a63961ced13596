/*
 * A steady stream of commands while the fleet changes, and how long each took until its outcome was
 * handed to Kafka (the record's timestamp; its transaction commits some 30 ms later).
 */
#ifndef E2E_TRAFFIC_H
#define E2E_TRAFFIC_H

#include "base/table.h"
#include "support/wait.h"
#include "support/world.h"

enum { TRAFFIC_MAX = 2000, TRAFFIC_APPLICATIONS = 16 };

typedef struct TrafficItem {
    const char *id;
    char application[24];
    const char *environment;
    int64_t sent_ms;
    int64_t took_ms; // -1: no outcome yet
} TrafficItem;

typedef struct Traffic {
    World *world;
    int period_ms; // between two commands
    int64_t due_ms;
    TrafficItem items[TRAFFIC_MAX];
    size_t count;
    Table *by_id;
    size_t seen; // records of the reader that were looked at
    size_t ended;
} Traffic;

// Latencies of the commands from one index on, to another.
typedef struct TrafficTimes {
    size_t count;
    int64_t p50_ms;
    int64_t p99_ms;
    int64_t max_ms;
} TrafficTimes;

// Its applications have their account "main" when it returns; a worker has to run.
void traffic_begin(Traffic *traffic, World *world, int period_ms);
void traffic_end(Traffic *traffic);
// Sends on and reads until the condition holds.
void traffic_until(Traffic *traffic, bool (*condition)(void *context), void *context, int seconds,
                   const char *what);
// ... until so many more were sent.
void traffic_send(Traffic *traffic, size_t count);
// Sends nothing more; reads until all have ended, each with one outcome and one project; Neon has
// no other.
void traffic_settle(Traffic *traffic, int seconds);
// Prints them, too, with `what` in front.
TrafficTimes traffic_times(const Traffic *traffic, size_t first, size_t end, const char *what);

#endif
