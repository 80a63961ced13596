#include <string.h>

#include "ledger/ledger.h"
#include "ledger/secrets.h"
#include "rows.h"

#define ID "00000000-0000-4000-8000-000000000001"
#define KEY ((LedgerKey){"shop", ID, 7})

static void expect_last(const LedgerBatch *batch, size_t statements, size_t params,
                        const char *last)
{
    const LedgerStatement *statement = &batch->statements[batch->answer];
    char name[8] = "$1";
    assert_int_equal(batch->count, statements);
    assert_int_equal(statement->param_count, params);
    name[1] = (char)('0' + params);
    assert_non_null(strstr(statement->sql, name));
    name[1]++;
    assert_null(strstr(statement->sql, name));
    assert_string_equal(text_get(&statement->params[params - 1]), last);
}

static void what_writes_names_its_epoch_behind_the_lock(void **state)
{
    (void)state;
    LedgerBatch batch;
    const LedgerSecrets secrets = {KEY, "main", 4, "[]"};
    ledger_secrets_build(&secrets, 1, &batch);
    expect_last(&batch, 2, 6, "{\"[]\"}");
    assert_string_equal(text_get(&batch.statements[1].params[4]), "{4}");
    ledger_batch_clear(&batch);
    const LedgerKeep keep = {KEY, "main", "[\"svc\"]"};
    ledger_keep_build(&keep, 1, &batch);
    expect_last(&batch, 2, 5, "{\"[\\\"svc\\\"]\"}");
    assert_string_equal(text_get(&batch.statements[1].params[2]), "{7}");
    ledger_batch_clear(&batch);
    const LedgerPasswords passwords = {"shop", "main", "svc"};
    ledger_passwords_build(&passwords, 1, &batch);
    expect_last(&batch, 1, 3, "{\"svc\"}");
    ledger_batch_clear(&batch);
}

static void a_fence_comes_back_for_who_is_current(void **state)
{
    (void)state;
    static const char *const WRITTEN[] = {"2", "9"};
    static const char *const WRONG[] = {"1", "many"};
    LedgerFence fences[2];
    Error err = ERROR_INIT;
    PGresult *rows = rows_of(WRITTEN, 2);
    assert_true(ledger_secrets_decode(rows, fences, 2, &err));
    assert_false(fences[0].written);
    assert_true(fences[1].written);
    assert_int_equal(fences[1].fence, 9);
    rows_append(rows, WRONG, 2);
    assert_false(ledger_secrets_decode(rows, fences, 2, &err));
    assert_string_equal(err.code, "LEDGER_ROW_INVALID");
    PQclear(rows);
}

static void passwords_are_those_of_the_one_who_asked(void **state)
{
    (void)state;
    static const char *const OTHER[] = {"1", "svc_a", "0102", NULL};
    static const char *const SET[] = {"2", "svc_b", "03", "0405"};
    static const char *const UNSET[] = {"2", "svc_c", NULL, "06"};
    static const char *const WRONG[] = {"2", "svc_d", "x", NULL};
    LedgerPasswordList list;
    Error err = ERROR_INIT;
    PGresult *rows = rows_of(OTHER, 4);
    rows_append(rows, SET, 4);
    rows_append(rows, UNSET, 4);
    assert_true(ledger_passwords_decode(rows, 1, &list, &err));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.list[0].role, "svc_b");
    assert_int_equal(list.list[0].sealed.size, 1);
    assert_int_equal(list.list[0].next.size, 2);
    assert_int_equal(list.list[1].sealed.size, 0);
    assert_int_equal(list.list[1].next.data[0], 6);
    ledger_passwords_clear(&list);
    assert_true(ledger_passwords_decode(rows, 2, &list, &err));
    assert_int_equal(list.count, 0);
    ledger_passwords_clear(&list);
    rows_append(rows, WRONG, 4);
    assert_false(ledger_passwords_decode(rows, 1, &list, &err));
    assert_null(list.list);
    PQclear(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_writes_names_its_epoch_behind_the_lock),
        cmocka_unit_test(a_fence_comes_back_for_who_is_current),
        cmocka_unit_test(passwords_are_those_of_the_one_who_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
