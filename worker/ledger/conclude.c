#include <assert.h>
#include <inttypes.h>

#include "ledger/cells.h"
#include "ledger/columns.h"

static const char SAVE[] =
    "UPDATE provision.command c SET journal = i.journal, " LEDGER_PROGRESS ", "
    "direction = CASE WHEN i.undoing THEN 'undo' ELSE c.direction END, "
    "first_error = coalesce(c.first_error, i.first_error) "
    "FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::boolean[], $5::jsonb[], $6::jsonb[]) "
    "WITH ORDINALITY AS i(application_id, command_id, epoch, undoing, first_error, journal, "
    "ordinal) "
    "WHERE c.application_id = i.application_id AND c.command_id = i.command_id "
    "AND c.epoch = i.epoch AND c.status = 'running' "
    "RETURNING i.ordinal";

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
    columns_add_locked_statement(ret_batch, SAVE, COLUMNS(SAVE_COLUMNS, LedgerSave), saves, count);
}

// The subject is written first, where its sequence is the expected one; the command is finished
// only where the subject was: both or neither. NULL details: those that are there stay.
static const char CONCLUDE[] =
    "WITH input AS (SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::jsonb[], "
    "$5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], "
    "$12::text[], $13::jsonb[], $14::boolean[], $15::bytea[], $16::text[], $17::text[], "
    "$18::text[], $19::text[], $20::boolean[], $21::boolean[], $22::text[]) WITH ORDINALITY AS "
    "i(application_id, command_id, "
    "epoch, journal, "
    "outcome, sequence, environment, state, account, project_id, branch_id, endpoint_id, details, "
    "writes_account, sealed_key, key_kind, neon_account_id, org_id, account_project_id, "
    "heeds_stop, writes_application, preview_base, ordinal)), "
    "present AS (SELECT i.*, greatest(c.unsettled_until, "
    "CASE WHEN c.intent_status = 'open' AND c.intent_settles THEN c.settled_at END) AS unsettled "
    "FROM input i JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running' "
    "AND (c.stop IS NULL OR NOT i.heeds_stop OR c.direction = 'undo')), "
    "environments AS (UPDATE provision.environment e SET state = coalesce(p.state, e.state), "
    "account = nullif(p.account, ''), project_id = nullif(p.project_id, ''), "
    "branch_id = nullif(p.branch_id, ''), endpoint_id = nullif(p.endpoint_id, ''), "
    "details = coalesce(p.details, e.details), "
    "sequence = CASE WHEN p.sequence = 0 THEN e.sequence ELSE p.sequence END, "
    "unsettled_until = greatest(e.unsettled_until, p.unsettled), "
    "updated_at = clock_timestamp() "
    "FROM present p WHERE e.application_id = p.application_id AND e.environment = p.environment "
    "AND (p.sequence = 0 OR e.sequence = p.sequence - 1) "
    "RETURNING p.ordinal), "
    "secrets AS (DELETE FROM provision.role_secret r USING present p "
    "WHERE p.state IN ('gone', 'failed') AND p.ordinal IN (SELECT ordinal FROM environments) "
    "AND r.application_id = p.application_id AND r.environment = p.environment), "
    "accounts AS (INSERT INTO provision.account AS a (application_id, account, sealed_key, "
    "key_kind, neon_account_id, org_id, project_id, sequence) "
    "SELECT p.application_id, p.account, nullif(p.sealed_key, ''), nullif(p.key_kind, ''), "
    "nullif(p.neon_account_id, ''), nullif(p.org_id, ''), nullif(p.account_project_id, ''), "
    "p.sequence FROM present p "
    "LEFT JOIN provision.account b ON b.application_id = p.application_id "
    "AND b.account = p.account "
    "WHERE p.writes_account AND coalesce(b.sequence, 0) = p.sequence - 1 "
    "ORDER BY p.application_id COLLATE \"C\", p.account COLLATE \"C\" "
    "ON CONFLICT (application_id, account) DO UPDATE SET sealed_key = EXCLUDED.sealed_key, "
    "key_kind = EXCLUDED.key_kind, neon_account_id = EXCLUDED.neon_account_id, "
    "org_id = EXCLUDED.org_id, project_id = EXCLUDED.project_id, "
    "sequence = EXCLUDED.sequence, updated_at = clock_timestamp() "
    "WHERE a.sequence = EXCLUDED.sequence - 1 "
    "RETURNING a.application_id, a.account), "
    "applications AS (INSERT INTO provision.application AS a (application_id, preview_base, "
    "sequence) "
    "SELECT p.application_id, nullif(p.preview_base, ''), p.sequence FROM present p "
    "LEFT JOIN provision.application b ON b.application_id = p.application_id "
    "WHERE p.writes_application AND coalesce(b.sequence, 0) = p.sequence - 1 "
    "ORDER BY p.application_id COLLATE \"C\" "
    "ON CONFLICT (application_id) DO UPDATE SET preview_base = EXCLUDED.preview_base, "
    "sequence = EXCLUDED.sequence, updated_at = clock_timestamp() "
    "WHERE a.sequence = EXCLUDED.sequence - 1 "
    "RETURNING a.application_id) "
    "UPDATE provision.command c SET status = 'finished', journal = p.journal, "
    "outcome = p.outcome, outcome_sequence = nullif(p.sequence, 0), "
    "finished_at = clock_timestamp(), " LEDGER_PROGRESS " "
    "FROM present p WHERE c.application_id = p.application_id AND c.command_id = p.command_id "
    "AND (p.environment = '' OR p.ordinal IN (SELECT ordinal FROM environments)) "
    "AND (NOT p.writes_account "
    "OR (p.application_id, p.account) IN (SELECT application_id, account FROM accounts)) "
    "AND (NOT p.writes_application "
    "OR p.application_id IN (SELECT application_id FROM applications)) "
    "RETURNING p.ordinal";

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
    {COLUMN_FLAG, offsetof(LedgerConclude, heeds_stop)},
    {COLUMN_FLAG, offsetof(LedgerConclude, writes_application)},
    {COLUMN_TEXT, offsetof(LedgerConclude, preview_base)},
};

void ledger_conclude_build(const LedgerConclude *concludes, size_t count, LedgerBatch *ret_batch)
{
    for (size_t i = 0; i < count; i++) {
        // One subject at most, and a sequence only with it.
        int subjects = (concludes[i].environment[0] != '\0') + concludes[i].writes_account +
                       concludes[i].writes_application;
        assert(subjects <= 1);
        assert(concludes[i].sequence == 0 || subjects == 1);
        assert(concludes[i].environment[0] != '\0' || subjects == 0 || concludes[i].sequence > 0);
        (void)subjects;
    }
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, CONCLUDE, COLUMNS(CONCLUDE_COLUMNS, LedgerConclude),
                                 concludes, count);
}

// By `finished_at`, which says the same as the status but has no index: through the one of what was
// published PostgreSQL would read all that is not published yet, for each row.
static const char PUBLISHED[] =
    "UPDATE provision.command c SET published_at = clock_timestamp() "
    "FROM unnest($1::text[], $2::uuid[]) AS i(application_id, command_id) "
    "WHERE c.application_id = i.application_id AND c.command_id = i.command_id "
    "AND c.finished_at IS NOT NULL AND c.published_at IS NULL";

static const Column PUBLISHED_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerPublished, application_id)},
    {COLUMN_TEXT, offsetof(LedgerPublished, command_id)},
};

void ledger_published_build(const LedgerPublished *commands, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, PUBLISHED, COLUMNS(PUBLISHED_COLUMNS, LedgerPublished),
                                 commands, count);
}

static const char PURGE[] =
    "WITH old AS (SELECT application_id, command_id FROM provision.command "
    "WHERE status = 'finished' "
    "AND (published_at < clock_timestamp() - $1::bigint * interval '1 ms' "
    "OR (published_at IS NULL "
    "AND finished_at < clock_timestamp() - 2 * $1::bigint * interval '1 ms')) "
    "ORDER BY published_at LIMIT 1000 FOR UPDATE SKIP LOCKED), "
    "gone AS (DELETE FROM provision.command c USING old "
    "WHERE c.application_id = old.application_id AND c.command_id = old.command_id RETURNING 1), "
    "unmet AS (SELECT application_id, command_id FROM provision.command "
    "WHERE digest IS NULL AND created_at < clock_timestamp() - $1::bigint * interval '1 ms' "
    "ORDER BY created_at LIMIT 1000 FOR UPDATE SKIP LOCKED), "
    "forgotten AS (DELETE FROM provision.command c USING unmet "
    "WHERE c.application_id = unmet.application_id AND c.command_id = unmet.command_id "
    "RETURNING 1) "
    "SELECT least(1000, (SELECT count(*) FROM gone) + (SELECT count(*) FROM forgotten))";

void ledger_purge_build(int64_t retention_ms, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 1};
    LedgerStatement *statement = &ret_batch->statements[0];
    statement->sql = PURGE;
    statement->param_count = 1;
    statement->params[0] = TEXT_INIT(32);
    text_printf(&statement->params[0], "%" PRId64, retention_ms);
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
