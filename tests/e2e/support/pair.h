/*
 * Two real workers of one group, of which the first stops, or is stopped, in the middle of a
 * command: what every test of a named interleaving begins with. The other one lives as long as the
 * program and goes on with what the first has left.
 */
#ifndef E2E_PAIR_H
#define E2E_PAIR_H

#include "support/login.h"
#include "support/world.h"

enum { PAIR_SECONDS = 40 };

// Members of commands, for command_send and its like.
#define PAIR_CREATE                                                                                \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define PAIR_BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define PAIR_DELETE "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"

typedef struct Pair {
    World *world;
    Process *other;
    Process *first;
    const char *first_name;
    const char *application; // its commands go to the first
} Pair;

// For a group's setup: a world whose sandbox has no computes, and the other worker. The settings
// are both workers'.
void pair_open(void **state, const char *const *settings);
// The same with computes, for what is done by SQL.
void pair_open_with_computes(void **state, const char *const *settings);
// Starts the first one and waits until it has partitions. `point`: CRASH_POINT_AT of sys/crash.h,
// or NULL. `setting`: one more of its settings, or NULL. The application is new, and has the
// account "main".
Pair pair_begin(World *world, const char *point, const char *setting);
// A test's teardown: ends all first workers and all faults.
int pair_end(void **state);
// A group's last test but one: sequences are whole, and nothing is a dead letter.
void pair_sequences_are_whole(void **state);

// The first worker by itself; it takes commands once it has partitions.
Process *pair_start(World *world, const char *name, const char *point, const char *setting);
// A new application whose records this member of the group gets, with its account connected.
const char *pair_application_of(World *world, const char *worker_name);

// ---- at the point

void pair_await_kill(Pair *pair);
// SIGKILL, also of one that is held at a point.
void pair_kill(Pair *pair);
// Stopped (SIGSTOP) or held there.
void pair_await_point(Pair *pair, const char *point);
// Waits until the group has done without the first one, which is stopped.
void pair_await_exclusion(Pair *pair);
// SIGCONT; waits until it is a member again.
void pair_thaw(Pair *pair);
// Lets go of the one that is held at a point.
void pair_release(World *world, const char *worker_name);

// ---- afterwards

// Waits for the outcome: exactly one that isn't a replay, and the ledger's row is finished and
// marked as published.
const Seen *pair_await_once(World *world, const char *id, const char *type);
// One value of a command's row.
const char *pair_row(World *world, const char *id, const char *column);
int64_t pair_row_number(World *world, const char *id, const char *column);
// Waits until a condition of SQL holds for a command's row ("status = 'finished'").
void pair_await_row(World *world, const char *id, const char *condition);
// Waits until the row's `takeovers` is at least this.
void pair_await_takeover(World *world, const char *id, int64_t takeovers);
// What the sandbox has created or deleted ("created.projects").
int64_t pair_made(World *world, const char *what);
// Projects of that name in a listing as the worker would read it now.
size_t pair_count_listed(World *world, const char *project_name);
// Waits until the fault has met so many calls.
void pair_await_fault(World *world, int64_t fault, int64_t calls);

#endif
