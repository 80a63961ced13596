#include "ledger/cells.h"
#include "ledger/columns.h"

// Makes the row where there is none, and the claim fills it; the first mark stays. An unfinished
// command only may stop another. Whoever concludes the other at the same moment comes before (and
// the mark changes nothing) or after (and its conclude sees the mark): both lock the row.
static const char STOP[] =
    "INSERT INTO provision.command AS c (application_id, command_id, stop, stopped_by) "
    "SELECT i.application_id, i.target_id, i.stop, i.command_id "
    "FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[]) "
    "AS i(application_id, target_id, command_id, stop, environment, repository) "
    "WHERE NOT EXISTS (SELECT FROM provision.command o WHERE o.application_id = i.application_id "
    "AND o.command_id = i.command_id AND o.status = 'finished') "
    "AND (i.repository = '' OR NOT EXISTS (SELECT FROM provision.environment e "
    "WHERE e.application_id = i.application_id AND e.environment = i.environment "
    "AND e.state <> 'gone' AND e.details ->> 'repository' NOT IN ('', i.repository))) "
    "ORDER BY i.application_id COLLATE \"C\", i.target_id "
    "ON CONFLICT (application_id, command_id) DO UPDATE SET stop = EXCLUDED.stop, "
    "stopped_by = EXCLUDED.stopped_by WHERE c.status = 'running' AND c.stop IS NULL";

static const char TARGET[] =
    "SELECT i.ordinal, c.status = 'finished', c.stop, c.stopped_by, c.action, "
    "c.direction = 'undo', c.intent_number > 0, c.journal, encode(c.outcome, 'hex') "
    "FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS i(application_id, target_id, ordinal) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.target_id";

static const Column STOP_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerStop, application_id)},
    {COLUMN_TEXT, offsetof(LedgerStop, target_id)},
    {COLUMN_TEXT, offsetof(LedgerStop, command_id)},
    {COLUMN_TEXT, offsetof(LedgerStop, stop)},
    {COLUMN_TEXT, offsetof(LedgerStop, environment)},
    {COLUMN_TEXT, offsetof(LedgerStop, repository)},
};

void ledger_stop_build(const LedgerStop *stops, size_t count, LedgerBatch *ret_batch)
{
    Columns keys = COLUMNS(STOP_COLUMNS, LedgerStop);
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, STOP, keys, stops, count);
    keys.count = 2;
    columns_add_statement(ret_batch, TARGET, keys, stops, count);
    ret_batch->answer = ret_batch->count - 1;
}

void ledger_stopped_clear(LedgerStopped *stopped)
{
    json_decref(stopped->journal);
    buffer_clear(&stopped->outcome);
    *stopped = (LedgerStopped){.found = false};
}

static bool decode_row(const PGresult *rows, int row, LedgerStopped *stopped, size_t count,
                       Error *err)
{
    Cells cells;
    LedgerStopped *one = &stopped[cells_begin(&cells, rows, row, count)];
    ledger_stopped_clear(one);
    one->found = true;
    one->finished = cells_flag(&cells);
    cells_text(&cells, one->stop, sizeof(one->stop));
    cells_text(&cells, one->stopped_by, sizeof(one->stopped_by));
    cells_text(&cells, one->action, sizeof(one->action));
    one->undoing = cells_flag(&cells);
    one->had_intent = cells_flag(&cells);
    one->journal = cells_object(&cells);
    cells_bytes(&cells, &one->outcome);
    return cells_end(&cells, err);
}

bool ledger_stop_decode(const PGresult *rows, LedgerStopped *ret_stopped, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        ret_stopped[i] = (LedgerStopped){.found = false};
    }
    bool ok = true;
    for (int row = 0; ok && row < PQntuples(rows); row++) {
        ok = decode_row(rows, row, ret_stopped, count, err);
    }
    for (size_t i = 0; !ok && i < count; i++) {
        ledger_stopped_clear(&ret_stopped[i]);
    }
    return ok;
}
