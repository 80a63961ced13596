#include "ledger/columns.h"

// Of the same age as a write of the owner: that came later, and the wait is over.
static const char NOTE[] =
    "UPDATE provision.command c SET waiting_step = i.step, waiting_for = i.waiting_for, "
    "waiting_since = clock_timestamp() - i.waiting_ms * interval '1 ms' "
    "FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]) "
    "WITH ORDINALITY AS i(application_id, command_id, epoch, step, waiting_for, waiting_ms, "
    "ordinal) "
    "WHERE c.application_id = i.application_id AND c.command_id = i.command_id "
    "AND c.epoch = i.epoch AND c.status = 'running' "
    "AND c.progress_at < clock_timestamp() - i.waiting_ms * interval '1 ms' "
    "RETURNING i.ordinal";

static const Column NOTE_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerNote, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerNote, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerNote, key.epoch)},
    {COLUMN_TEXT, offsetof(LedgerNote, step)},
    {COLUMN_TEXT, offsetof(LedgerNote, waiting_for)},
    {COLUMN_INT64, offsetof(LedgerNote, waiting_ms)},
};

void ledger_note_build(const LedgerNote *notes, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, NOTE, COLUMNS(NOTE_COLUMNS, LedgerNote), notes, count);
}
