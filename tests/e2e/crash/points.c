#include "crash/points.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "saga/sagas.h"
#include "support/cmocka.h"
#include "sys/crash.h"

static void add(Points *points, const char *name)
{
    for (size_t i = 0; i < points->count; i++) {
        if (strcmp(points->names[i], name) == 0) {
            return; // several steps share an undo
        }
    }
    assert_true(points->count < POINTS_MAX);
    int length = snprintf(points->names[points->count++], POINT_BYTES, "%s", name);
    assert_in_range(length, 1, POINT_BYTES - 1);
}

static bool is_mutating(Protection protection)
{
    return protection != PROTECTED_READ && protection != PROTECTED_LEDGER;
}

static void add_step(Points *points, const char *action, const char *step)
{
    char name[POINT_BYTES];
    for (int i = 0; i < CRASH_POINT_COUNT; i++) {
        CrashPoint point = (CrashPoint)i;
        if (crash_point_is_of_step(point)) {
            (void)snprintf(name, sizeof(name), "%s/%s/%s", crash_point_name(point), action, step);
            add(points, name);
        }
    }
}

// Commands that are about roles only.
static bool works_by_sql(const char *action)
{
    return strcmp(action, "SetupRoles") == 0 || strcmp(action, "RotateCredentials") == 0;
}

static bool is_meant(const char *action, Protection protection, bool by_sql)
{
    return (works_by_sql(action) || protection == PROTECTED_FENCE) == by_sql;
}

static void add_steps(Points *points, const char *action, const Step *steps, bool by_sql)
{
    for (const Step *step = steps; step->name != NULL; step++) {
        if (is_mutating(step->protection) && is_meant(action, step->protection, by_sql)) {
            add_step(points, action, step->name);
        }
        if (step->undo != NULL) {
            for (const Step *undo = step->undo; undo->name != NULL; undo++) {
                assert_null(undo->undo);
                if (is_mutating(undo->protection) && !by_sql) {
                    add_step(points, action, undo->name);
                }
            }
        }
    }
}

static bool is_of_action(CrashPoint point)
{
    return point == CRASH_CLAIM_BEFORE || point == CRASH_CLAIM_AFTER ||
           point == CRASH_CONCLUDE_BEFORE || point == CRASH_CONCLUDE_AFTER;
}

void points_make(bool by_sql, Points *ret_points)
{
    char name[POINT_BYTES];
    size_t action_count = 0;
    const SagaDefinition *actions = sagas_table(&action_count);
    ret_points->count = 0;
    for (size_t i = 0; i < action_count; i++) {
        add_steps(ret_points, actions[i].name, actions[i].steps, by_sql);
    }
    for (int i = 0; i < CRASH_POINT_COUNT; i++) {
        CrashPoint point = (CrashPoint)i;
        if (is_of_action(point)) {
            for (size_t j = 0; j < action_count; j++) {
                if (works_by_sql(actions[j].name) != by_sql) {
                    continue;
                }
                (void)snprintf(name, sizeof(name), "%s/%s", crash_point_name(point),
                               actions[j].name);
                add(ret_points, name);
            }
        } else if (!crash_point_is_of_step(point) && !by_sql) {
            add(ret_points, crash_point_name(point));
        }
    }
}
