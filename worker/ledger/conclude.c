#include <assert.h>

#include "ledger/cells.h"
#include "ledger/columns.h"

static const char SAVE[] =
    "WITH input AS (SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::boolean[], "
    "$5::jsonb[], $6::jsonb[]) WITH ORDINALITY AS i(application_id, command_id, epoch, undoing, "
    "first_error, journal, ordinal)), "
    "locked AS MATERIALIZED (SELECT i.* "
    "FROM input i JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running' "
    "ORDER BY c.application_id, c.command_id FOR UPDATE OF c) "
    "UPDATE provision.command c SET journal = l.journal, "
    "direction = CASE WHEN l.undoing THEN 'undo' ELSE c.direction END, "
    "first_error = coalesce(c.first_error, l.first_error) "
    "FROM locked l WHERE c.application_id = l.application_id AND c.command_id = l.command_id "
    "RETURNING l.ordinal";

static const Column SAVE_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerSave, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerSave, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerSave, key.epoch)},
    {COLUMN_FLAG, offsetof(LedgerSave, undoing)},
    {COLUMN_TEXT, offsetof(LedgerSave, first_error)},
    {COLUMN_TEXT, offsetof(LedgerSave, journal)},
};

void ledger_save_build(const LedgerSave *saves, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, SAVE, COLUMNS(SAVE_COLUMNS, LedgerSave), saves, count);
}

// The subject is written first, where its sequence is the expected one; the command is finished
// only where the subject was: both or neither. NULL details: those that are there stay.
static const char CONCLUDE[] =
    "WITH input AS (SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::jsonb[], "
    "$5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], "
    "$12::text[], $13::jsonb[], $14::boolean[], $15::bytea[], $16::text[], $17::text[], "
    "$18::text[], $19::text[]) WITH ORDINALITY AS i(application_id, command_id, epoch, journal, "
    "outcome, sequence, environment, state, account, project_id, branch_id, endpoint_id, details, "
    "writes_account, sealed_key, key_kind, neon_account_id, org_id, account_project_id, "
    "ordinal)), "
    "locked AS MATERIALIZED (SELECT i.*, greatest(c.unsettled_until, "
    "CASE WHEN c.intent_status = 'open' AND c.intent_settles THEN c.settled_at END) AS unsettled "
    "FROM input i JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running' "
    "ORDER BY c.application_id, c.command_id FOR UPDATE OF c), "
    "environments AS (UPDATE provision.environment e SET state = coalesce(l.state, e.state), "
    "account = nullif(l.account, ''), project_id = nullif(l.project_id, ''), "
    "branch_id = nullif(l.branch_id, ''), endpoint_id = nullif(l.endpoint_id, ''), "
    "details = coalesce(l.details, e.details), "
    "sequence = CASE WHEN l.sequence = 0 THEN e.sequence ELSE l.sequence END, "
    "unsettled_until = greatest(e.unsettled_until, l.unsettled), "
    "updated_at = clock_timestamp() "
    "FROM locked l WHERE e.application_id = l.application_id AND e.environment = l.environment "
    "AND (l.sequence = 0 OR e.sequence = l.sequence - 1) "
    "RETURNING l.ordinal), "
    "accounts AS (INSERT INTO provision.account AS a (application_id, account, sealed_key, "
    "key_kind, neon_account_id, org_id, project_id, sequence) "
    "SELECT l.application_id, l.account, l.sealed_key, nullif(l.key_kind, ''), "
    "nullif(l.neon_account_id, ''), nullif(l.org_id, ''), nullif(l.account_project_id, ''), "
    "l.sequence FROM locked l "
    "LEFT JOIN provision.account b ON b.application_id = l.application_id "
    "AND b.account = l.account "
    "WHERE l.writes_account AND coalesce(b.sequence, 0) = l.sequence - 1 "
    "ORDER BY l.application_id COLLATE \"C\", l.account COLLATE \"C\" "
    "ON CONFLICT (application_id, account) DO UPDATE SET sealed_key = EXCLUDED.sealed_key, "
    "key_kind = EXCLUDED.key_kind, neon_account_id = EXCLUDED.neon_account_id, "
    "org_id = EXCLUDED.org_id, project_id = EXCLUDED.project_id, "
    "sequence = EXCLUDED.sequence, updated_at = clock_timestamp() "
    "WHERE a.sequence = EXCLUDED.sequence - 1 "
    "RETURNING a.application_id, a.account) "
    "UPDATE provision.command c SET status = 'finished', journal = l.journal, "
    "outcome = l.outcome, outcome_sequence = nullif(l.sequence, 0), "
    "finished_at = clock_timestamp() "
    "FROM locked l WHERE c.application_id = l.application_id AND c.command_id = l.command_id "
    "AND (l.environment = '' OR l.ordinal IN (SELECT ordinal FROM environments)) "
    "AND (NOT l.writes_account "
    "OR (l.application_id, l.account) IN (SELECT application_id, account FROM accounts)) "
    "RETURNING l.ordinal";

static const Column CONCLUDE_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerConclude, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerConclude, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerConclude, key.epoch)},
    {COLUMN_TEXT, offsetof(LedgerConclude, journal)},
    {COLUMN_BYTES, offsetof(LedgerConclude, outcome)},
    {COLUMN_INT64, offsetof(LedgerConclude, sequence)},
    {COLUMN_TEXT, offsetof(LedgerConclude, environment)},
    {COLUMN_STATE, offsetof(LedgerConclude, state)},
    {COLUMN_TEXT, offsetof(LedgerConclude, account)},
    {COLUMN_TEXT, offsetof(LedgerConclude, project_id)},
    {COLUMN_TEXT, offsetof(LedgerConclude, branch_id)},
    {COLUMN_TEXT, offsetof(LedgerConclude, endpoint_id)},
    {COLUMN_TEXT, offsetof(LedgerConclude, details)},
    {COLUMN_FLAG, offsetof(LedgerConclude, writes_account)},
    {COLUMN_BYTES, offsetof(LedgerConclude, sealed_key)},
    {COLUMN_TEXT, offsetof(LedgerConclude, key_kind)},
    {COLUMN_TEXT, offsetof(LedgerConclude, neon_account_id)},
    {COLUMN_TEXT, offsetof(LedgerConclude, org_id)},
    {COLUMN_TEXT, offsetof(LedgerConclude, account_project_id)},
};

void ledger_conclude_build(const LedgerConclude *concludes, size_t count, LedgerBatch *ret_batch)
{
    for (size_t i = 0; i < count; i++) {
        // One subject at most, and a sequence only with it.
        assert(!concludes[i].writes_account || concludes[i].environment[0] == '\0');
        assert(concludes[i].writes_account == (concludes[i].sequence > 0) ||
               (!concludes[i].writes_account && concludes[i].environment[0] != '\0'));
    }
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, CONCLUDE, COLUMNS(CONCLUDE_COLUMNS, LedgerConclude), concludes,
                          count);
}

static const char PUBLISHED[] =
    "WITH locked AS MATERIALIZED (SELECT c.application_id, c.command_id "
    "FROM unnest($1::text[], $2::uuid[]) AS i(application_id, command_id) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.status = 'finished' AND c.published_at IS NULL "
    "ORDER BY c.application_id, c.command_id FOR UPDATE OF c) "
    "UPDATE provision.command c SET published_at = clock_timestamp() "
    "FROM locked l WHERE c.application_id = l.application_id AND c.command_id = l.command_id";

static const Column PUBLISHED_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerPublished, application_id)},
    {COLUMN_TEXT, offsetof(LedgerPublished, command_id)},
};

void ledger_published_build(const LedgerPublished *commands, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, PUBLISHED, COLUMNS(PUBLISHED_COLUMNS, LedgerPublished),
                          commands, count);
}

bool ledger_written_decode(const PGresult *rows, bool *ret_written, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        ret_written[i] = false;
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        size_t index = cells_begin(&cells, rows, row, count);
        if (!cells_end(&cells, err)) {
            return false;
        }
        ret_written[index] = true;
    }
    return true;
}
