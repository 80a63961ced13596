#include "ledger/cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void fail(Cells *cells, int column)
{
    if (cells->failed < 0) {
        cells->failed = column;
    }
}

// The next cell, NULL for SQL NULL and for one that isn't there.
static const char *next(Cells *cells)
{
    int column = cells->column++;
    if (column >= PQnfields(cells->rows)) {
        fail(cells, column);
        return NULL;
    }
    if (PQgetisnull(cells->rows, cells->row, column)) {
        return NULL;
    }
    return PQgetvalue(cells->rows, cells->row, column);
}

static void fail_last(Cells *cells)
{
    fail(cells, cells->column - 1);
}

size_t cells_begin(Cells *cells, const PGresult *rows, int row, size_t count)
{
    *cells = (Cells){.rows = rows, .row = row, .failed = -1};
    int64_t ordinal = cells_int64(cells);
    if (ordinal < 1 || (uint64_t)ordinal > count) {
        fail_last(cells);
        return 0;
    }
    return (size_t)ordinal - 1;
}

bool cells_end(const Cells *cells, Error *err)
{
    int columns = PQnfields(cells->rows);
    if (cells->failed < 0 && cells->column == columns) {
        return true;
    }
    int column = cells->failed < 0 ? cells->column : cells->failed;
    const char *name = PQfname(cells->rows, column);
    return error_set(err, ERROR_INTERNAL, "LEDGER_ROW_INVALID",
                     "row %d of the ledger's answer cannot be read at column %d (%s)",
                     cells->row + 1, column + 1, name == NULL ? "missing" : name);
}

void cells_text(Cells *cells, char *ret_field, size_t field_bytes)
{
    const char *value = next(cells);
    if (!text_copy(ret_field, field_bytes, value == NULL ? "" : value)) {
        fail_last(cells);
    }
}

int64_t cells_int64(Cells *cells)
{
    const char *value = next(cells);
    if (value == NULL) {
        return 0;
    }
    char *end;
    errno = 0;
    int64_t number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0') {
        fail_last(cells);
        return 0;
    }
    return number;
}

int32_t cells_int32(Cells *cells)
{
    int64_t number = cells_int64(cells);
    if (number < INT32_MIN || number > INT32_MAX) {
        fail_last(cells);
        return 0;
    }
    return (int32_t)number;
}

bool cells_flag(Cells *cells)
{
    const char *value = next(cells);
    if (value == NULL || strcmp(value, "f") == 0) {
        return false;
    }
    if (strcmp(value, "t") != 0) {
        fail_last(cells);
        return false;
    }
    return true;
}

void cells_bytes(Cells *cells, Buffer *ret_bytes)
{
    const char *value = next(cells);
    buffer_clear(ret_bytes);
    if (value == NULL) {
        return;
    }
    size_t size = strlen(value) / 2;
    uint8_t *data = alloc_bytes(size + 1);
    data[size] = '\0';
    *ret_bytes = (Buffer){.data = data, .size = size};
    if (!crypto_hex_decode(value, data, size)) {
        buffer_clear(ret_bytes);
        fail_last(cells);
    }
}

void cells_digest(Cells *cells, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    const char *value = next(cells);
    if (value == NULL || !crypto_hex_decode(value, ret_digest, CRYPTO_SHA256_BYTES)) {
        memset(ret_digest, 0, CRYPTO_SHA256_BYTES);
        if (value != NULL) {
            fail_last(cells);
        }
    }
}

size_t cells_choice(Cells *cells, const char *const *names, size_t count)
{
    const char *value = next(cells);
    for (size_t i = 0; value != NULL && i < count; i++) {
        if (strcmp(value, names[i]) == 0) {
            return i;
        }
    }
    fail_last(cells);
    return 0;
}

LedgerState cells_state(Cells *cells)
{
    const char *value = next(cells);
    if (value == NULL) {
        return LEDGER_STATE_NONE;
    }
    for (LedgerState state = LEDGER_STATE_CREATING; state <= LEDGER_STATE_GONE; state++) {
        if (strcmp(value, ledger_state_name(state)) == 0) {
            return state;
        }
    }
    fail_last(cells);
    return LEDGER_STATE_NONE;
}

json_t *cells_object(Cells *cells)
{
    const char *value = next(cells);
    if (value == NULL) {
        return NULL;
    }
    json_t *object = json_loads(value, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        fail_last(cells);
        return NULL;
    }
    return object;
}

void cells_intent(Cells *cells, LedgerIntent *ret_intent)
{
    char status[16];
    cells_text(cells, status, sizeof(status));
    if (strcmp(status, "open") == 0) {
        ret_intent->status = LEDGER_INTENT_OPEN;
    } else if (strcmp(status, "closed") == 0) {
        ret_intent->status = LEDGER_INTENT_CLOSED;
    } else if (status[0] != '\0') {
        fail_last(cells);
    }
    cells_text(cells, ret_intent->step, sizeof(ret_intent->step));
    ret_intent->number = cells_int64(cells);
    ret_intent->epoch = cells_int64(cells);
    ret_intent->settles = cells_flag(cells);
    ret_intent->settled_in_ms = cells_int64(cells);
    ret_intent->result = cells_object(cells);
}
