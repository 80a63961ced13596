#include <string.h>

#include "ledger/cells.h"
#include "ledger/columns.h"

static const char MARK[] =
    "UPDATE provision.environment e SET state = coalesce(i.state, e.state), "
    "account = coalesce(nullif(i.account, ''), e.account), "
    "project_id = coalesce(nullif(i.project_id, ''), e.project_id), "
    "branch_id = coalesce(nullif(i.branch_id, ''), e.branch_id), "
    "updated_at = clock_timestamp() "
    "FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], "
    "$7::text[], $8::text[]) WITH ORDINALITY AS i(application_id, command_id, epoch, environment, "
    "state, account, project_id, branch_id, ordinal) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running' "
    "WHERE e.application_id = i.application_id AND e.environment = i.environment "
    "RETURNING i.ordinal";

static const Column MARK_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerMark, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerMark, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerMark, key.epoch)},
    {COLUMN_TEXT, offsetof(LedgerMark, environment)},
    {COLUMN_STATE, offsetof(LedgerMark, state)},
    {COLUMN_TEXT, offsetof(LedgerMark, account)},
    {COLUMN_TEXT, offsetof(LedgerMark, project_id)},
    {COLUMN_TEXT, offsetof(LedgerMark, branch_id)},
};

void ledger_mark_build(const LedgerMark *marks, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, MARK, COLUMNS(MARK_COLUMNS, LedgerMark), marks, count);
}

static const char DEPENDENTS[] =
    "WITH i AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], "
    "$5::text[]) WITH ORDINALITY AS i(application_id, environment, project_id, account, branch_id, "
    "ordinal)) "
    "SELECT d.ordinal, d.application_id, d.environment, d.state, d.origin, d.branch_id FROM ("
    "SELECT i.ordinal, e.application_id, e.environment, e.state, e.origin, e.branch_id FROM i "
    "JOIN provision.environment e ON e.project_id = nullif(i.project_id, '') "
    "AND e.state <> 'gone' "
    "AND (e.application_id <> i.application_id OR e.environment <> i.environment) "
    "UNION ALL "
    "SELECT i.ordinal, d.application_id, d.environment, 'deleting', "
    "CASE WHEN d.branch_id = '' THEN 'created' ELSE 'branched' END, d.branch_id FROM i "
    "JOIN provision.condemned d ON d.project_id = nullif(i.project_id, '') "
    "JOIN provision.command c ON c.application_id = d.application_id "
    "AND c.command_id = d.command_id AND c.status = 'running' "
    "UNION ALL "
    "SELECT i.ordinal, e.application_id, e.environment, e.state, e.origin, e.branch_id FROM i "
    "JOIN provision.environment e ON e.application_id = i.application_id "
    "AND e.account = nullif(i.account, '') AND e.state <> 'gone') AS d JOIN i USING (ordinal) "
    // a reader has room for the first few only: first who has the project, then who is on the
    // branch that matters, and of these those that take others with them
    "ORDER BY d.ordinal, d.origin <> 'created', (d.branch_id = nullif(i.branch_id, '')) IS NOT "
    "TRUE, d.state <> 'deleting', d.application_id, d.environment";

static const Column DEPENDENTS_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerDependents, application_id)},
    {COLUMN_TEXT, offsetof(LedgerDependents, environment)},
    {COLUMN_TEXT, offsetof(LedgerDependents, project_id)},
    {COLUMN_TEXT, offsetof(LedgerDependents, account)},
    {COLUMN_TEXT, offsetof(LedgerDependents, branch_id)},
};

void ledger_dependents_build(const LedgerDependents *asks, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, DEPENDENTS, COLUMNS(DEPENDENTS_COLUMNS, LedgerDependents),
                          asks, count);
}

// A name that doesn't fit stays empty: the row counts all the same.
static void decode_dependent(Cells *cells, LedgerDependent *dependent)
{
    *dependent = (LedgerDependent){.state = LEDGER_STATE_NONE};
    cells_text(cells, dependent->application_id, sizeof(dependent->application_id));
    cells_text(cells, dependent->environment, sizeof(dependent->environment));
    dependent->state = cells_state(cells);
    cells_text(cells, dependent->origin, sizeof(dependent->origin));
    cells_text(cells, dependent->branch_id, sizeof(dependent->branch_id));
}

size_t ledger_dependents_decode(const PGresult *rows, size_t index, LedgerDependent *ret_list,
                                size_t max)
{
    size_t found = 0;
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        if (cells_begin(&cells, rows, row, SIZE_MAX) != index) {
            continue;
        }
        if (found < max) {
            decode_dependent(&cells, &ret_list[found]);
        }
        found++;
    }
    return found;
}
