#include "ledger/columns.h"

#include <assert.h>
#include <string.h>

#include "ledger/arrays.h"

static void append_digest(PgArray *array, const uint8_t *digest)
{
    if (digest == NULL) {
        pg_array_append_null(array);
    } else {
        pg_array_append_bytes(array, (Bytes){digest, CRYPTO_SHA256_BYTES});
    }
}

static void append_state(PgArray *array, LedgerState state)
{
    pg_array_append_text(array, state == LEDGER_STATE_NONE ? NULL : ledger_state_name(state));
}

// Copies a field out of a struct whose type is only known to the table.
#define FIELD(Type, field) (*(Type const *)(field))

static void append_field(PgArray *array, ColumnType type, const void *field)
{
    switch (type) {
    case COLUMN_TEXT:
        pg_array_append_text(array, FIELD(const char *, field));
        break;
    case COLUMN_INT32:
        pg_array_append_int64(array, FIELD(int32_t, field));
        break;
    case COLUMN_INT64:
        pg_array_append_int64(array, FIELD(int64_t, field));
        break;
    case COLUMN_FLAG:
        pg_array_append_bool(array, FIELD(bool, field));
        break;
    case COLUMN_STATE:
        append_state(array, FIELD(LedgerState, field));
        break;
    case COLUMN_DIGEST:
        append_digest(array, FIELD(const uint8_t *, field));
        break;
    case COLUMN_BYTES:
        pg_array_append_bytes(array, FIELD(Bytes, field));
        break;
    }
}

// A literal that failed lacks its closing brace and is refused by the server, never half taken.
static Text column_literal(Column column, const char *items, size_t item_bytes, size_t count)
{
    PgArray array = PG_ARRAY_INIT;
    for (size_t i = 0; i < count; i++) {
        append_field(&array, column.type, items + i * item_bytes + column.offset);
    }
    (void)!pg_array_finish(&array);
    return array.text;
}

void columns_add_statement(LedgerBatch *batch, const char *sql, Columns columns, const void *items,
                           size_t count)
{
    assert(batch->count < LEDGER_STATEMENTS_MAX && columns.count <= LEDGER_PARAMS_MAX);
    LedgerStatement *statement = &batch->statements[batch->count++];
    statement->sql = sql;
    statement->param_count = columns.count;
    for (size_t i = 0; i < columns.count; i++) {
        statement->params[i] = column_literal(columns.columns[i], items, columns.item_bytes, count);
    }
}

// An UPDATE with a join would lock in the order of whatever plan it gets, and two batches could
// wait for each other.
static const char LOCK[] =
    "SELECT count(*) FROM (SELECT FROM unnest($1::text[], $2::uuid[]) AS i(application_id, "
    "command_id) JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id "
    "ORDER BY c.application_id, c.command_id FOR UPDATE OF c) AS locked";

void columns_add_locked_statement(LedgerBatch *batch, const char *sql, Columns columns,
                                  const void *items, size_t count)
{
    Columns keys = columns;
    keys.count = 2;
    columns_add_statement(batch, LOCK, keys, items, count);
    columns_add_statement(batch, sql, columns, items, count);
    batch->answer = batch->count - 1;
}
