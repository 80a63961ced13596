#include "ledger/cells.h"
#include "ledger/columns.h"

static const char OPEN[] =
    "WITH input AS (SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], "
    "$5::boolean[], $6::bigint[], $7::bigint[], $8::boolean[], $9::boolean[], $10::jsonb[]) WITH "
    "ORDINALITY AS i(application_id, command_id, epoch, step, settles, window_ms, settle_ms, "
    "is_final, goes_on, journal, ordinal)), "
    "present AS (SELECT i.*, c.stop, c.stopped_by, "
    "c.stop IS NULL OR c.direction = 'undo' OR i.is_final AS allowed "
    "FROM input i JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running'), "
    "written AS (UPDATE provision.command c SET "
    "unsettled_until = CASE WHEN c.intent_status = 'open' AND c.intent_settles "
    "THEN greatest(c.unsettled_until, c.settled_at) ELSE c.unsettled_until END, "
    "intent_status = 'open', intent_step = p.step, intent_number = c.intent_number + 1, "
    "intent_epoch = p.epoch, intent_settles = p.settles, intent_result = NULL, "
    "sent_before = clock_timestamp() + p.window_ms * interval '1 ms', "
    "settled_at = clock_timestamp() + (p.window_ms + p.settle_ms) * interval '1 ms', "
    "journal = p.journal, " LEDGER_PROGRESS_IF " "
    "FROM present p WHERE p.allowed AND c.application_id = p.application_id "
    "AND c.command_id = p.command_id "
    "RETURNING p.ordinal, c.intent_number, p.stop, p.stopped_by) "
    "SELECT ordinal, intent_number, stop, stopped_by FROM written "
    "UNION ALL SELECT ordinal, NULL, stop, stopped_by FROM present WHERE NOT allowed";

static const Column OPEN_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerOpen, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerOpen, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerOpen, key.epoch)},
    {COLUMN_TEXT, offsetof(LedgerOpen, step)},
    {COLUMN_FLAG, offsetof(LedgerOpen, settles)},
    {COLUMN_INT64, offsetof(LedgerOpen, send_window_ms)},
    {COLUMN_INT64, offsetof(LedgerOpen, settle_after_ms)},
    {COLUMN_FLAG, offsetof(LedgerOpen, is_final)},
    {COLUMN_FLAG, offsetof(LedgerOpen, goes_on)},
    {COLUMN_TEXT, offsetof(LedgerOpen, journal)},
};

void ledger_open_build(const LedgerOpen *opens, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, OPEN, COLUMNS(OPEN_COLUMNS, LedgerOpen), opens, count);
}

bool ledger_open_decode(const PGresult *rows, LedgerOpened *ret_opened, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        ret_opened[i] = (LedgerOpened){.written = false};
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        LedgerOpened *one = &ret_opened[cells_begin(&cells, rows, row, count)];
        one->number = cells_int64(&cells);
        one->written = one->number > 0;
        cells_text(&cells, one->stop, sizeof(one->stop));
        cells_text(&cells, one->stopped_by, sizeof(one->stopped_by));
        if (!cells_end(&cells, err)) {
            return false;
        }
    }
    return true;
}

// An intent that a takeover has counted as abandoned, and that its opener closes after all, was
// not.
static const char CLOSE[] =
    "WITH input AS (SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], "
    "$5::boolean[], $6::jsonb[], $7::jsonb[]) WITH ORDINALITY AS i(application_id, command_id, "
    "epoch, number, learnt, result, journal, ordinal)), "
    "present AS (SELECT i.*, c.epoch = i.epoch AS current, c.epoch = i.epoch AND i.learnt AS "
    "goes_on, "
    "(c.intent_status = 'open' AND c.intent_epoch = i.epoch AND c.intent_number = i.number) "
    "IS TRUE AS own "
    "FROM input i JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.status = 'running'), "
    "written AS (UPDATE provision.command c SET intent_status = 'closed', "
    "intent_result = p.result, "
    "journal = CASE WHEN p.current THEN p.journal ELSE c.journal END, " LEDGER_PROGRESS_IF ", "
    "abandoned = c.abandoned - (c.abandoned_number = c.intent_number)::integer "
    "FROM present p WHERE p.own AND c.application_id = p.application_id "
    "AND c.command_id = p.command_id) "
    "SELECT p.ordinal, p.own, p.current FROM present p";

static const Column CLOSE_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerClose, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerClose, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerClose, key.epoch)},
    {COLUMN_INT64, offsetof(LedgerClose, number)},
    {COLUMN_FLAG, offsetof(LedgerClose, goes_on)},
    {COLUMN_TEXT, offsetof(LedgerClose, result)},
    {COLUMN_TEXT, offsetof(LedgerClose, journal)},
};

void ledger_close_build(const LedgerClose *closes, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, CLOSE, COLUMNS(CLOSE_COLUMNS, LedgerClose), closes,
                                 count);
}

bool ledger_close_decode(const PGresult *rows, LedgerClosed *ret_closed, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        ret_closed[i] = (LedgerClosed){.written = false};
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        LedgerClosed *one = &ret_closed[cells_begin(&cells, rows, row, count)];
        one->written = cells_flag(&cells);
        one->current = cells_flag(&cells);
        if (!cells_end(&cells, err)) {
            return false;
        }
    }
    return true;
}

static const char LOOK[] =
    "SELECT i.ordinal, c.epoch = i.epoch AND c.status = 'running', " LEDGER_INTENT_COLUMNS ", "
    "c.stop, c.stopped_by "
    "FROM unnest($1::text[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS i(application_id, "
    "command_id, epoch, ordinal) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id";

static const Column LOOK_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerKey, application_id)},
    {COLUMN_TEXT, offsetof(LedgerKey, command_id)},
    {COLUMN_INT64, offsetof(LedgerKey, epoch)},
};

void ledger_look_build(const LedgerKey *keys, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, LOOK, COLUMNS(LOOK_COLUMNS, LedgerKey), keys, count);
}

bool ledger_look_decode(const PGresult *rows, LedgerLook *ret_looks, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        ledger_intent_clear(&ret_looks[i].intent);
        ret_looks[i] = (LedgerLook){.current = false};
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        LedgerLook *one = &ret_looks[cells_begin(&cells, rows, row, count)];
        one->current = cells_flag(&cells);
        ledger_intent_clear(&one->intent);
        cells_intent(&cells, &one->intent);
        cells_text(&cells, one->stop, sizeof(one->stop));
        cells_text(&cells, one->stopped_by, sizeof(one->stopped_by));
        if (!cells_end(&cells, err)) {
            return false;
        }
    }
    return true;
}
