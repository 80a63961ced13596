#include "ledger/columns.h"

#include "rows.h"

typedef struct Item {
    const char *text;
    int32_t small;
    int64_t large;
    bool flag;
    LedgerState state;
    const uint8_t *digest;
    Bytes bytes;
} Item;

static const Column ITEM_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(Item, text)},   {COLUMN_INT32, offsetof(Item, small)},
    {COLUMN_INT64, offsetof(Item, large)}, {COLUMN_FLAG, offsetof(Item, flag)},
    {COLUMN_STATE, offsetof(Item, state)}, {COLUMN_DIGEST, offsetof(Item, digest)},
    {COLUMN_BYTES, offsetof(Item, bytes)},
};

static void each_column_is_an_array_of_the_items_values(void **state)
{
    (void)state;
    static const uint8_t DIGEST[CRYPTO_SHA256_BYTES] = {0xab};
    const Item items[] = {
        {"a\"b", -1, INT64_MAX, true, LEDGER_STATE_READY, DIGEST, {DIGEST, 1}},
        {NULL, 2, -3, false, LEDGER_STATE_NONE, NULL, {NULL, 0}},
    };
    static const char *const EXPECTED[] = {
        "{\"a\\\"b\",NULL}",
        "{-1,2}",
        "{9223372036854775807,-3}",
        "{true,false}",
        "{\"ready\",NULL}",
        "{\"\\\\xab00000000000000000000000000000000000000000000000000000000000000\",NULL}",
        "{\"\\\\xab\",\"\\\\x\"}",
    };
    LedgerBatch batch = {.count = 0};
    columns_add_statement(&batch, "SELECT 1", COLUMNS(ITEM_COLUMNS, Item), items, 2);
    assert_int_equal(batch.count, 1);
    assert_string_equal(batch.statements[0].sql, "SELECT 1");
    assert_int_equal(batch.statements[0].param_count, ROWS_COUNT(EXPECTED));
    for (size_t i = 0; i < ROWS_COUNT(EXPECTED); i++) {
        assert_string_equal(text_get(&batch.statements[0].params[i]), EXPECTED[i]);
    }
    ledger_batch_clear(&batch);
}

static void a_text_that_can_t_be_kept_leaves_no_literal_that_could_be_taken(void **state)
{
    (void)state;
    const Item items[] = {{.text = "a"}, {.text = "\xff"}, {.text = "b"}};
    LedgerBatch batch = {.count = 0};
    columns_add_statement(&batch, "SELECT 1", COLUMNS(ITEM_COLUMNS, Item), items, 3);
    assert_false(text_ok(&batch.statements[0].params[0]));
    assert_string_equal(text_get(&batch.statements[0].params[0]), "{\"a\",");
    ledger_batch_clear(&batch);
}

static void clearing_a_batch_leaves_it_empty(void **state)
{
    (void)state;
    const Item items[] = {{.text = "a"}};
    LedgerBatch batch = {.count = 0};
    columns_add_statement(&batch, "SELECT 1", COLUMNS(ITEM_COLUMNS, Item), items, 1);
    columns_add_statement(&batch, "SELECT 2", COLUMNS(ITEM_COLUMNS, Item), items, 1);
    ledger_batch_clear(&batch);
    assert_int_equal(batch.count, 0);
    assert_null(batch.statements[1].sql);
    ledger_batch_clear(&batch);
}

static void states_have_the_names_of_the_schema(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"none", "creating", "ready", "deleting", "failed", "gone"};
    for (size_t i = 0; i < ROWS_COUNT(NAMES); i++) {
        assert_string_equal(ledger_state_name((LedgerState)i), NAMES[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_column_is_an_array_of_the_items_values),
        cmocka_unit_test(a_text_that_can_t_be_kept_leaves_no_literal_that_could_be_taken),
        cmocka_unit_test(clearing_a_batch_leaves_it_empty),
        cmocka_unit_test(states_have_the_names_of_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
