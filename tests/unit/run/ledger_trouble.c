#include "run/ledger_trouble.h"

#include "unit.h"

enum { CLAIM, OPEN, ROWS = 3 };

static void some_classes_are_the_ledgers_own_trouble(void **state)
{
    (void)state;
    static const struct {
        ErrorKind kind;
        const char *code;
        bool is_trouble;
    } CASES[] = {
        {ERROR_INTERNAL, "53100", true},     {ERROR_INTERNAL, "58030", true},
        {ERROR_INTERNAL, "57P03", true},     {ERROR_INTERNAL, "25006", true},
        {ERROR_INTERNAL, "22021", false},    {ERROR_INTERNAL, "57014", false},
        {ERROR_UNAVAILABLE, "53300", false}, {ERROR_INTERNAL, "LEDGER_ANSWER", false},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        Error err = ERROR_INIT;
        error_set(&err, CASES[i].kind, CASES[i].code, "no text");
        assert_int_equal(ledger_trouble_is(&err), CASES[i].is_trouble);
    }
}

static void a_row_counts_once_however_often_it_is_refused(void **state)
{
    (void)state;
    LedgerTrouble trouble = {.suspects = {0}};
    LedgerSuspect rows[ROWS] = {{.was_refused = false}};
    assert_false(ledger_trouble_stands(&trouble));
    for (int i = 0; i < 10; i++) {
        ledger_trouble_refuse(&trouble, CLAIM, &rows[0]);
    }
    assert_true(ledger_trouble_stands(&trouble));
    assert_int_equal(ledger_trouble_suspects(&trouble, CLAIM), 1);
    ledger_trouble_refuse(&trouble, OPEN, &rows[1]);
    assert_int_equal(ledger_trouble_suspects(&trouble, CLAIM), 1);
}

static void a_row_that_is_taken_ends_the_trouble_of_its_kind_only(void **state)
{
    (void)state;
    LedgerTrouble trouble = {.suspects = {0}};
    LedgerSuspect rows[ROWS] = {{.was_refused = false}};
    ledger_trouble_refuse(&trouble, CLAIM, &rows[0]);
    ledger_trouble_refuse(&trouble, CLAIM, &rows[1]);
    ledger_trouble_take(&trouble, OPEN);
    assert_true(ledger_trouble_stands(&trouble));
    ledger_trouble_take(&trouble, CLAIM);
    assert_false(ledger_trouble_stands(&trouble));
    // and it may begin again
    ledger_trouble_refuse(&trouble, CLAIM, &rows[0]);
    ledger_trouble_refuse(&trouble, CLAIM, &rows[2]);
    assert_true(ledger_trouble_stands(&trouble));
}

static void rows_that_are_withdrawn_leave_no_trouble_behind(void **state)
{
    (void)state;
    LedgerTrouble trouble = {.suspects = {0}};
    LedgerSuspect rows[ROWS] = {{.was_refused = false}};
    for (int i = 0; i < ROWS; i++) {
        ledger_trouble_refuse(&trouble, CLAIM, &rows[i]);
    }
    ledger_trouble_withdraw(&trouble, CLAIM, &rows[0]);
    ledger_trouble_withdraw(&trouble, CLAIM, &rows[0]);
    assert_true(ledger_trouble_stands(&trouble));
    ledger_trouble_withdraw(&trouble, CLAIM, &rows[1]);
    ledger_trouble_withdraw(&trouble, CLAIM, &rows[2]);
    assert_false(ledger_trouble_stands(&trouble));
    // one that no longer counts takes nothing away
    ledger_trouble_take(&trouble, CLAIM);
    ledger_trouble_refuse(&trouble, CLAIM, &rows[0]);
    ledger_trouble_withdraw(&trouble, CLAIM, &rows[2]);
    assert_int_equal(ledger_trouble_suspects(&trouble, CLAIM), 1);
}

static void rows_that_stay_refused_while_others_are_taken_count_no_longer(void **state)
{
    (void)state;
    LedgerTrouble trouble = {.suspects = {0}};
    LedgerSuspect rows[ROWS] = {{.was_refused = false}};
    for (int i = 0; i <= LEDGER_TROUBLE_OUTVOTED_MAX; i++) {
        ledger_trouble_refuse(&trouble, CLAIM, &rows[0]);
        ledger_trouble_refuse(&trouble, CLAIM, &rows[1]);
        assert_int_equal(ledger_trouble_stands(&trouble), i < LEDGER_TROUBLE_OUTVOTED_MAX);
        ledger_trouble_take(&trouble, CLAIM);
    }
    ledger_trouble_refuse(&trouble, CLAIM, &rows[0]);
    ledger_trouble_refuse(&trouble, CLAIM, &rows[1]);
    assert_false(ledger_trouble_stands(&trouble));
    ledger_trouble_refuse(&trouble, CLAIM, &rows[2]);
    assert_true(ledger_trouble_stands(&trouble));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_classes_are_the_ledgers_own_trouble),
        cmocka_unit_test(a_row_counts_once_however_often_it_is_refused),
        cmocka_unit_test(a_row_that_is_taken_ends_the_trouble_of_its_kind_only),
        cmocka_unit_test(rows_that_are_withdrawn_leave_no_trouble_behind),
        cmocka_unit_test(rows_that_stay_refused_while_others_are_taken_count_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
