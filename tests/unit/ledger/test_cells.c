#include <string.h>

#include "ledger/cells.h"
#include "rows.h"

typedef void ReadCell(Cells *cells);

static void read_text(Cells *cells)
{
    char field[4];
    cells_text(cells, field, sizeof(field));
}

static void read_int64(Cells *cells)
{
    (void)cells_int64(cells);
}

static void read_int32(Cells *cells)
{
    (void)cells_int32(cells);
}

static void read_flag(Cells *cells)
{
    (void)cells_flag(cells);
}

static void read_bytes(Cells *cells)
{
    Buffer bytes = {.data = NULL};
    cells_bytes(cells, &bytes);
    buffer_clear(&bytes);
}

static void read_digest(Cells *cells)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    cells_digest(cells, digest);
}

static void read_state(Cells *cells)
{
    (void)cells_state(cells);
}

static void read_object(Cells *cells)
{
    json_decref(cells_object(cells));
}

static void read_intent(Cells *cells)
{
    LedgerIntent intent = {.status = LEDGER_INTENT_NONE};
    cells_intent(cells, &intent);
    cells->column = 2;
    ledger_intent_clear(&intent);
}

typedef struct Case {
    ReadCell *read;
    const char *value;
    bool readable;
} Case;

#define HEX_DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const Case CASES[] = {
    {read_text, NULL, true},
    {read_text, "abc", true},
    {read_text, "abcd", false},
    {read_int64, NULL, true},
    {read_int64, "-9223372036854775808", true},
    {read_int64, "9223372036854775808", false},
    {read_int64, "1x", false},
    {read_int64, "", false},
    {read_int32, "2147483647", true},
    {read_int32, "-2147483648", true},
    {read_int32, "2147483648", false},
    {read_int32, "-2147483649", false},
    {read_flag, NULL, true},
    {read_flag, "t", true},
    {read_flag, "f", true},
    {read_flag, "true", false},
    {read_bytes, NULL, true},
    {read_bytes, "", true},
    {read_bytes, "00ff", true},
    {read_bytes, "0", false},
    {read_bytes, "0g", false},
    {read_digest, NULL, true},
    {read_digest, HEX_DIGEST, true},
    {read_digest, "00", false},
    {read_state, NULL, true},
    {read_state, "creating", true},
    {read_state, "gone", true},
    {read_state, "none", false},
    {read_object, NULL, true},
    {read_object, "{}", true},
    {read_object, "[]", false},
    {read_object, "{", false},
    {read_object, "{\"a\": 1, \"a\": 2}", false},
    {read_intent, NULL, false},
    {read_intent, "ajar", false},
};

static void each_cell_is_what_it_should_be_or_fails_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_COUNT(CASES); i++) {
        const char *const values[] = {"1", CASES[i].value};
        PGresult *rows = rows_of(values, 2);
        Cells cells;
        Error err = ERROR_INIT;
        assert_int_equal(cells_begin(&cells, rows, 0, 1), 0);
        CASES[i].read(&cells);
        bool readable = cells_end(&cells, &err);
        if (readable != CASES[i].readable) {
            fail_msg("case %zu", i);
        }
        assert_string_equal(err.code, readable ? "" : "LEDGER_ROW_INVALID");
        PQclear(rows);
    }
}

static void values_come_back_whole(void **state)
{
    (void)state;
    const char *const values[] = {"3",    "abc",      "-7",     "8",         "t",
                                  "00ff", HEX_DIGEST, "failed", "{\"a\": 1}"};
    PGresult *rows = rows_of(values, ROWS_COUNT(values));
    Cells cells;
    char text[8];
    uint8_t digest[CRYPTO_SHA256_BYTES];
    Buffer bytes = {.data = NULL};
    assert_int_equal(cells_begin(&cells, rows, 0, 3), 2);
    cells_text(&cells, text, sizeof(text));
    assert_string_equal(text, "abc");
    assert_int_equal(cells_int64(&cells), -7);
    assert_int_equal(cells_int32(&cells), 8);
    assert_true(cells_flag(&cells));
    cells_bytes(&cells, &bytes);
    assert_int_equal(bytes.size, 2);
    assert_memory_equal(bytes.data, "\x00\xff", 3);
    buffer_clear(&bytes);
    cells_digest(&cells, digest);
    assert_int_equal(digest[1], 0x23);
    assert_int_equal(cells_state(&cells), LEDGER_STATE_FAILED);
    json_t *object = cells_object(&cells);
    assert_int_equal(json_integer_value(json_object_get(object, "a")), 1);
    json_decref(object);
    assert_true(cells_end(&cells, NULL));
    PQclear(rows);
}

static void what_is_null_is_empty(void **state)
{
    (void)state;
    const char *const values[] = {"1", NULL, NULL, NULL, NULL, NULL, NULL};
    PGresult *rows = rows_of(values, ROWS_COUNT(values));
    Cells cells;
    char text[8] = "x";
    uint8_t digest[CRYPTO_SHA256_BYTES] = {1};
    Buffer bytes = {.data = NULL};
    (void)cells_begin(&cells, rows, 0, 1);
    cells_text(&cells, text, sizeof(text));
    assert_string_equal(text, "");
    assert_int_equal(cells_int64(&cells), 0);
    assert_false(cells_flag(&cells));
    cells_bytes(&cells, &bytes);
    assert_null(bytes.data);
    cells_digest(&cells, digest);
    assert_int_equal(digest[0], 0);
    assert_int_equal(cells_state(&cells), LEDGER_STATE_NONE);
    assert_true(cells_end(&cells, NULL));
    PQclear(rows);
}

static void an_ordinal_must_be_one_that_was_asked_for(void **state)
{
    (void)state;
    static const char *const ORDINALS[] = {"0", "-1", "4", "x", NULL};
    for (size_t i = 0; i < ROWS_COUNT(ORDINALS); i++) {
        PGresult *rows = rows_of(&ORDINALS[i], 1);
        Cells cells;
        Error err = ERROR_INIT;
        assert_int_equal(cells_begin(&cells, rows, 0, 3), 0);
        assert_false(cells_end(&cells, &err));
        assert_string_equal(err.text,
                            "row 1 of the ledger's answer cannot be read at column 1 (c1)");
        PQclear(rows);
    }
}

static void columns_too_few_or_too_many_are_told(void **state)
{
    (void)state;
    const char *const values[] = {"1", "2", "3"};
    PGresult *rows = rows_of(values, 3);
    Cells cells;
    Error err = ERROR_INIT;
    (void)cells_begin(&cells, rows, 0, 1);
    assert_false(cells_end(&cells, &err));
    assert_non_null(strstr(err.text, "column 2 (c2)"));
    (void)cells_begin(&cells, rows, 0, 1);
    for (int i = 0; i < 4; i++) {
        (void)cells_int64(&cells);
    }
    assert_false(cells_end(&cells, &err));
    assert_non_null(strstr(err.text, "column 4 (missing)"));
    PQclear(rows);
}

static void the_first_cell_that_fails_is_named(void **state)
{
    (void)state;
    const char *const values[] = {"1", "x", "y"};
    PGresult *rows = rows_of(values, 3);
    Cells cells;
    Error err = ERROR_INIT;
    (void)cells_begin(&cells, rows, 0, 1);
    (void)cells_int64(&cells);
    (void)cells_flag(&cells);
    assert_false(cells_end(&cells, &err));
    assert_non_null(strstr(err.text, "column 2 (c2)"));
    assert_int_equal(err.kind, ERROR_INTERNAL);
    PQclear(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell_is_what_it_should_be_or_fails_its_row),
        cmocka_unit_test(values_come_back_whole),
        cmocka_unit_test(what_is_null_is_empty),
        cmocka_unit_test(an_ordinal_must_be_one_that_was_asked_for),
        cmocka_unit_test(columns_too_few_or_too_many_are_told),
        cmocka_unit_test(the_first_cell_that_fails_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
