/*
 * The list of all crash points (sys/crash.h), made from the sagas' tables: a new step or action is
 * on it by itself.
 */
#ifndef E2E_CRASH_POINTS_H
#define E2E_CRASH_POINTS_H

#include <stdbool.h>
#include <stddef.h>

enum { POINTS_MAX = 1000, POINT_BYTES = 160 };

typedef struct Points {
    char names[POINTS_MAX][POINT_BYTES]; // "call.before/CreateEnvironment/create_project"
    size_t count;
} Points;

// Six for each step of each command that changes something at Neon (its undo's steps, too), four
// for each command, and those of the publication. `by_sql`: those that only a worker passes which
// logs in to branches; else all others.
void points_make(bool by_sql, Points *ret_points);

#endif
