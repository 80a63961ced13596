#include "roles/talk_batch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

// What a step could not do is told by the setting, and undone: the block is a savepoint of its own.
#define STAGE_STEP                                                                                 \
    "SELECT FROM pg_catalog.set_config('provision.first', '', true) AS first, "                    \
    "pg_catalog.set_config('provision.statement', $1::text, true) AS second"
#define TRY_STEP                                                                                   \
    "DO $provision$ BEGIN EXECUTE pg_catalog.current_setting('provision.first'); "                 \
    "EXECUTE pg_catalog.current_setting('provision.statement'); "                                  \
    "PERFORM pg_catalog.set_config('provision.failure', '', true); "                               \
    "EXCEPTION WHEN query_canceled OR others THEN "                                                \
    "PERFORM pg_catalog.set_config('provision.failure', SQLSTATE || ' ' || SQLERRM, true); "       \
    "END $provision$"
#define ASK_FAILURE "SELECT pg_catalog.current_setting('provision.failure')"

enum { FIRST_CAPACITY = 16 };

void talk_batch_begin(TalkBatch *batch, bool each, bool changes)
{
    batch->count = 0;
    batch->each = each;
    batch->changes = changes;
}

void talk_batch_clear(TalkBatch *batch)
{
    free(batch->list);
    *batch = (TalkBatch){.list = NULL};
}

static RolesStatement *append(TalkBatch *batch, const char *sql)
{
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity == 0 ? FIRST_CAPACITY : batch->capacity * 2;
        batch->list = alloc_resize(batch->list, (size_t)batch->capacity * sizeof(batch->list[0]));
    }
    RolesStatement *statement = &batch->list[batch->count++];
    *statement = (RolesStatement){.sql = sql};
    return statement;
}

int talk_batch_add(TalkBatch *batch, const char *sql)
{
    append(batch, sql);
    return batch->count - 1;
}

int talk_batch_add_with(TalkBatch *batch, const char *sql, const char *param)
{
    RolesStatement *statement = append(batch, sql);
    statement->param_count = 1;
    statement->params[0] = param;
    return batch->count - 1;
}

static void stage_secret(TalkBatch *batch, const RolesStep *step, const char *covered)
{
    RolesStatement *statement = append(batch, ROLES_SQL_STAGE_SECRET);
    statement->param_count = 3;
    statement->params[0] = step->statement;
    statement->params[1] = covered;
    statement->params[2] = step->secret_of;
}

void talk_batch_add_step(TalkBatch *batch, const RolesStep *step, const char *covered)
{
    if (step->secret_of == NULL) {
        talk_batch_add(batch, step->statement);
    } else {
        stage_secret(batch, step, covered);
        talk_batch_add(batch, ROLES_SQL_RUN_SECRET);
    }
}

int talk_batch_try_step(TalkBatch *batch, const RolesStep *step, const char *covered)
{
    if (step->secret_of == NULL) {
        talk_batch_add_with(batch, STAGE_STEP, step->statement);
    } else {
        stage_secret(batch, step, covered);
    }
    talk_batch_add(batch, TRY_STEP);
    return talk_batch_add(batch, ASK_FAILURE);
}

RolesBatch talk_batch_get(const TalkBatch *batch)
{
    return (RolesBatch){.statements = batch->list,
                        .count = batch->count,
                        .each = batch->each,
                        .changes = batch->changes};
}
