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

// Who asks by a project must not pay for all that the application has on its accounts: LATERAL, as
// a join would be turned round where the application has most of the table. The first few only are
// sent: first who has the project, then who is on the branch that matters, and of these those that
// take others with them.
// clang-format off
static const char DEPENDENTS[] =
    "SELECT ordinal, whole, application_id, environment, state, origin, branch_id FROM ("
    "SELECT d.*, count(*) OVER (PARTITION BY d.ordinal) AS whole, "
    "row_number() OVER (PARTITION BY d.ordinal ORDER BY d.origin <> 'created', "
    "(d.branch_id = d.branch) IS NOT TRUE, d.state <> 'deleting', d.application_id, "
    "d.environment) AS place FROM ("
    "SELECT i.ordinal, i.branch, found.* "
    "FROM (SELECT ordinal, application_id, environment, nullif(project_id, '') AS project_id, "
    "nullif(account, '') AS account, nullif(branch_id, '') AS branch "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS "
    "i(application_id, environment, project_id, account, branch_id, ordinal)) AS i "
    "CROSS JOIN LATERAL ("
    "SELECT e.application_id, e.environment, e.state, e.origin, e.branch_id "
    "FROM provision.environment e WHERE e.project_id = i.project_id AND e.state <> 'gone' "
    "AND (e.application_id <> i.application_id OR e.environment <> i.environment) "
    "UNION ALL "
    "SELECT d.application_id, d.environment, 'deleting', "
    "CASE WHEN d.branch_id = '' THEN 'created' ELSE 'branched' END, d.branch_id "
    "FROM provision.condemned d JOIN provision.command c ON c.application_id = d.application_id "
    "AND c.command_id = d.command_id AND c.status = 'running' WHERE d.project_id = i.project_id "
    "UNION ALL "
    "SELECT e.application_id, e.environment, e.state, e.origin, e.branch_id "
    "FROM provision.environment e WHERE i.account IS NOT NULL "
    "AND e.application_id = i.application_id AND e.account = i.account AND e.state <> 'gone'"
    ") AS found) AS d) AS d WHERE place <= " COLUMNS_TEXT(LEDGER_DEPENDENTS_MAX) " "
    "ORDER BY ordinal, place";
// clang-format on

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
    size_t whole = 0;
    size_t listed = 0;
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        if (cells_begin(&cells, rows, row, SIZE_MAX) != index) {
            continue;
        }
        whole = (size_t)cells_int64(&cells);
        if (listed < max) {
            decode_dependent(&cells, &ret_list[listed++]);
        }
    }
    return whole;
}
