/*
 * PostgreSQL array literals in text format
 * (https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO), for `unnest($1::text[], …)`. Every
 * element but a number, a flag and NULL is quoted, so that no text can be taken for anything else.
 * A text with a byte that PostgreSQL can't keep (it ends at a NUL in C, and must be UTF-8) fails
 * the array, as does what goes over the limit: check pg_array_finish.
 */
#ifndef LEDGER_ARRAYS_H
#define LEDGER_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/text.h"

enum { PG_ARRAY_BYTES_MAX = 64 * 1024 * 1024 };

typedef struct PgArray {
    Text text;
    size_t count; // elements so far
    bool closed;
} PgArray;

#define PG_ARRAY_INIT ((PgArray){.text = TEXT_INIT(PG_ARRAY_BYTES_MAX)})

// NULL appends NULL.
void pg_array_append_text(PgArray *array, const char *text);
void pg_array_append_int64(PgArray *array, int64_t number);
void pg_array_append_bool(PgArray *array, bool flag);
// As bytea in hex; no data and no size is an empty value.
void pg_array_append_bytes(PgArray *array, Bytes bytes);
void pg_array_append_null(PgArray *array);
// Closes the literal. False when an element was refused or the limit was met. Nothing may be
// appended afterwards.
bool pg_array_finish(PgArray *array) MUST_USE;
void pg_array_clear(PgArray *array);

#endif
