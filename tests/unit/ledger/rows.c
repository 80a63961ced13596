#include "rows.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 80 };

PGresult *rows_new(size_t count)
{
    PGresAttDesc columns[COLUMNS_MAX] = {{.name = NULL}};
    char names[COLUMNS_MAX][24];
    assert_true(count <= COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "c%zu", i + 1);
        columns[i].name = names[i];
    }
    PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert_non_null(rows);
    assert_int_equal(PQsetResultAttrs(rows, (int)count, columns), 1);
    return rows;
}

void rows_append(PGresult *rows, const char *const *values, size_t count)
{
    int row = PQntuples(rows);
    for (size_t i = 0; i < count; i++) {
        char copy[4096];
        int length = values[i] == NULL ? -1 : snprintf(copy, sizeof(copy), "%s", values[i]);
        assert_true(length < (int)sizeof(copy));
        assert_int_equal(PQsetvalue(rows, row, (int)i, values[i] == NULL ? NULL : copy, length), 1);
    }
}

PGresult *rows_of(const char *const *values, size_t count)
{
    PGresult *rows = rows_new(count);
    rows_append(rows, values, count);
    return rows;
}
