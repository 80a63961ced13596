#include "roles/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "query_texts.inc"

const char *roles_query_sql(RolesQuery query)
{
    static const char *const TEXTS[] = {
        [ROLES_QUERY_CLUSTER] = SQL_CLUSTER,       [ROLES_QUERY_DATABASES] = SQL_DATABASES,
        [ROLES_QUERY_OWNER] = SQL_OWNER,           [ROLES_QUERY_PRIVILEGES] = SQL_PRIVILEGES,
        [ROLES_QUERY_CREATOR] = SQL_CREATOR,       [ROLES_QUERY_VERIFIERS] = SQL_VERIFIERS,
        [ROLES_QUERY_LOGINS] = SQL_LOGINS,         [ROLES_QUERY_OWNERS] = SQL_OWNERS,
        [ROLES_QUERY_EXTENSIONS] = SQL_EXTENSIONS,
    };
    return TEXTS[query];
}

typedef enum PlanColumn {
    COLUMN_KIND,
    COLUMN_STATEMENT,
    COLUMN_REASON,
    COLUMN_OBJECT,
    COLUMN_SECRET_OF,
    COLUMNS,
} PlanColumn;

static bool read_kind(const char *name, RolesStepKind *ret_kind)
{
    static const char *const NAMES[] = {
        [ROLES_STEP_FRAME] = "frame",     [ROLES_STEP_TEMPORARY] = "temporary",
        [ROLES_STEP_CHANGE] = "change",   [ROLES_STEP_FINDING] = "finding",
        [ROLES_STEP_BLOCKED] = "blocked", [ROLES_STEP_OWNER] = "owner",
        [ROLES_STEP_FENCED] = "fenced",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *ret_kind = (RolesStepKind)i;
            return true;
        }
    }
    return false;
}

static bool is_executed(RolesStepKind kind)
{
    return kind == ROLES_STEP_FRAME || kind == ROLES_STEP_TEMPORARY || kind == ROLES_STEP_CHANGE;
}

static char *copy_cell(const PGresult *rows, int row, PlanColumn column)
{
    return alloc_text(PQgetvalue(rows, row, (int)column)); // "" where it is NULL
}

static bool read_step(const PGresult *rows, int row, RolesStep *ret_step)
{
    ret_step->statement = copy_cell(rows, row, COLUMN_STATEMENT);
    ret_step->reason = copy_cell(rows, row, COLUMN_REASON);
    ret_step->object = copy_cell(rows, row, COLUMN_OBJECT);
    ret_step->secret_of =
        PQgetisnull(rows, row, COLUMN_SECRET_OF) ? NULL : copy_cell(rows, row, COLUMN_SECRET_OF);
    return read_kind(PQgetvalue(rows, row, COLUMN_KIND), &ret_step->kind) &&
           is_executed(ret_step->kind) == (ret_step->statement[0] != '\0');
}

// 0: it is none.
static int64_t read_number(const char *digits)
{
    char *end = NULL;
    long long number = strtoll(digits, &end, 10);
    return *end == '\0' && number > 0 ? number : 0;
}

static bool refuse(const char *what, int row, Error *err)
{
    return error_set(err, ERROR_INTERNAL, "ROLES_ROW_INVALID", "row %d of a roles' plan: %s", row,
                     what);
}

static bool read_row(const PGresult *rows, int row, RolesPlan *plan, Error *err)
{
    RolesStep *step = &plan->steps[plan->count];
    plan->count++;
    if (!read_step(rows, row, step)) {
        return refuse("its kind and statement don't go together", row, err);
    }
    if (step->kind == ROLES_STEP_FENCED) {
        plan->fence_seen = read_number(step->object);
        return plan->fence_seen > 0 || refuse("a fence without a number", row, err);
    }
    return true;
}

bool roles_plan_decode(const PGresult *rows, RolesPlan *ret_plan, Error *err)
{
    int count = PQntuples(rows);
    roles_plan_clear(ret_plan);
    if (PQnfields(rows) != COLUMNS) {
        return refuse("wrong number of columns", 0, err);
    }
    ret_plan->steps = alloc_zeroed((size_t)count + 1, sizeof ret_plan->steps[0]);
    for (int row = 0; row < count; row++) {
        if (!read_row(rows, row, ret_plan, err)) {
            roles_plan_clear(ret_plan);
            return false;
        }
    }
    return true;
}

void roles_plan_clear(RolesPlan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->steps[i].statement);
        free(plan->steps[i].reason);
        free(plan->steps[i].object);
        free(plan->steps[i].secret_of);
    }
    free(plan->steps);
    *plan = ROLES_PLAN_INIT;
}

bool roles_plan_has_changes(const RolesPlan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].kind == ROLES_STEP_CHANGE) {
            return true;
        }
    }
    return false;
}

const RolesStep *roles_plan_fenced(const RolesPlan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].kind == ROLES_STEP_FENCED) {
            return &plan->steps[i];
        }
    }
    return NULL;
}
