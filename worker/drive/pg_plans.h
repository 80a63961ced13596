/*
 * Which statements a connection has prepared on the server, so that each is parsed and planned once
 * for each connection. Used by drive/pg only.
 */
#ifndef DRIVE_PG_PLANS_H
#define DRIVE_PG_PLANS_H

#include <stdbool.h>
#include <stddef.h>

enum { PG_PLANS_MAX = 64, PG_PLAN_NAME_BYTES = 16 };

typedef struct PgPlan {
    const char *sql; // static: known by its address
    bool is_ready;   // the server has it
} PgPlan;

typedef struct PgPlans {
    PgPlan plans[PG_PLANS_MAX];
    size_t count;
} PgPlans;

// The connection is a new one: it knows none.
void pg_plans_forget(PgPlans *plans);
// The statement's plan and its name on the server.
PgPlan *pg_plans_find(PgPlans *plans, const char *sql, char ret_name[PG_PLAN_NAME_BYTES]);

#endif
