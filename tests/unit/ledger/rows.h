/*
 * Answers made by hand, for decoders; cmocka with the headers it asks for.
 */
#ifndef LEDGER_ROWS_H
#define LEDGER_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libpq-fe.h>

#define ROWS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

// An answer of `count` columns named c1, c2, … and no rows. Freed with PQclear.
PGresult *rows_new(size_t count);
// Appends a row of as many values; NULL is SQL NULL.
void rows_append(PGresult *rows, const char *const *values, size_t count);
// rows_new with one row.
PGresult *rows_of(const char *const *values, size_t count);

#endif
