/*
 * Fills a statement's parameters from an array of structs: one array literal a column, for
 * unnest(). A statement states its columns as a table of types and offsets, in the order of its
 * parameters.
 */
#ifndef LEDGER_COLUMNS_H
#define LEDGER_COLUMNS_H

#include <stddef.h>

#include "ledger/ledger.h"

typedef enum ColumnType {
    COLUMN_TEXT,   // const char *; NULL = SQL NULL
    COLUMN_INT32,  // int32_t
    COLUMN_INT64,  // int64_t
    COLUMN_FLAG,   // bool
    COLUMN_STATE,  // LedgerState; LEDGER_STATE_NONE = SQL NULL
    COLUMN_DIGEST, // const uint8_t * to CRYPTO_SHA256_BYTES; NULL = SQL NULL
    COLUMN_BYTES,  // Bytes
} ColumnType;

typedef struct Column {
    ColumnType type;
    size_t offset;
} Column;

typedef struct Columns {
    const Column *columns;
    size_t count; // at most LEDGER_PARAMS_MAX
    size_t item_bytes;
} Columns;

#define COLUMNS(table, Item) ((Columns){(table), sizeof(table) / sizeof((table)[0]), sizeof(Item)})

// A limit, as a part of a statement's text.
#define COLUMNS_TEXT(limit) COLUMNS_TEXT_OF(limit)
#define COLUMNS_TEXT_OF(number) #number

// Adds a statement to the batch and fills its parameters with `count` items.
void columns_add_statement(LedgerBatch *batch, const char *sql, Columns columns, const void *items,
                           size_t count);

// The same, with a statement before it that locks the commands' rows in the order of their keys;
// the first two columns are those keys. The answer is the statement's own.
//
// In the same statement the lock would come too late: what it waited for is newer than the
// statement's snapshot, and CHECK constraints would be tried on the older versions of the rows.
void columns_add_locked_statement(LedgerBatch *batch, const char *sql, Columns columns,
                                  const void *items, size_t count);

#endif
