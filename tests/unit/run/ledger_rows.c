#include "run/ledger_rows.h"

#include <string.h>

#include "unit.h"

#define FIRST "00000000-0000-4000-8000-000000000001"
#define SECOND "00000000-0000-4000-8000-000000000002"

// The same command asked for something of this kind.
static LedgerOp op_of(LedgerOpKind kind, const char *application, const char *id)
{
    LedgerOp op = {.kind = kind};
    LedgerKey key = {application, id, 7};
    switch (kind) {
    case LEDGER_OP_CLAIM:
        op.ask.claim = (LedgerClaim){.application_id = application, .command_id = id};
        break;
    case LEDGER_OP_OPEN:
        op.ask.open = (LedgerOpen){.key = key, .step = "s", .journal = "{}"};
        break;
    case LEDGER_OP_CLOSE:
        op.ask.close = (LedgerClose){.key = key, .result = "{}", .journal = "{}"};
        break;
    case LEDGER_OP_SAVE:
        op.ask.save = (LedgerSave){.key = key, .journal = "{}"};
        break;
    case LEDGER_OP_LOOK:
        op.ask.look = key;
        break;
    case LEDGER_OP_NOTE:
        op.ask.note = (LedgerNote){.key = key, .step = "s", .waiting_for = "locked"};
        break;
    case LEDGER_OP_MARK:
        op.ask.mark = (LedgerMark){.key = key, .environment = "e"};
        break;
    case LEDGER_OP_DEPENDENTS:
        op.ask.dependents = (LedgerDependents){application, id, "p", "", ""};
        break;
    case LEDGER_OP_STOP:
        op.ask.stop = (LedgerStop){application, id, SECOND, "cancelled", "", ""};
        break;
    case LEDGER_OP_SECRETS:
        op.ask.secrets = (LedgerSecrets){.key = key, .environment = "e", .secrets = "[]"};
        break;
    case LEDGER_OP_KEEP:
        op.ask.keep = (LedgerKeep){.key = key, .environment = "e", .roles = "[]"};
        break;
    case LEDGER_OP_PASSWORDS:
        op.ask.passwords = (LedgerPasswords){application, id, ""};
        break;
    case LEDGER_OP_JUDGE:
        op.ask.judge = (LedgerJudge){application, id, "[]"};
        break;
    case LEDGER_OP_CONDEMN:
        op.ask.condemn = (LedgerCondemn){.key = key, .environment = "e", .project_id = "p"};
        break;
    case LEDGER_OP_CONCLUDE:
        op.ask.conclude = (LedgerConclude){.key = key, .journal = "{}"};
        break;
    case LEDGER_OP_PUBLISHED:
        op.ask.published = (LedgerPublished){application, id};
        break;
    case LEDGER_OP_PURGE:
    case LEDGER_OP_COUNT_OF:
        fail();
    }
    return op;
}

static const LedgerOpKind KINDS[] = {
    LEDGER_OP_CLAIM,    LEDGER_OP_OPEN,      LEDGER_OP_CLOSE, LEDGER_OP_SAVE,
    LEDGER_OP_LOOK,     LEDGER_OP_NOTE,      LEDGER_OP_MARK,  LEDGER_OP_DEPENDENTS,
    LEDGER_OP_CONCLUDE, LEDGER_OP_PUBLISHED, LEDGER_OP_STOP,  LEDGER_OP_SECRETS,
    LEDGER_OP_KEEP,     LEDGER_OP_PASSWORDS, LEDGER_OP_JUDGE, LEDGER_OP_CONDEMN,
};

static void rows_of_every_kind_are_ordered_by_application_and_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(KINDS); i++) {
        LedgerOp first = op_of(KINDS[i], "a", FIRST);
        LedgerOp same = op_of(KINDS[i], "a", FIRST);
        LedgerOp second = op_of(KINDS[i], "a", SECOND);
        LedgerOp other = op_of(KINDS[i], "b", FIRST);
        assert_int_equal(ledger_rows_compare(&first, &same), 0);
        assert_true(ledger_rows_compare(&first, &second) < 0);
        assert_true(ledger_rows_compare(&second, &first) > 0);
        assert_true(ledger_rows_compare(&second, &other) < 0);
    }
}

static void bytes_decide_as_in_the_ledger_not_the_locale(void **state)
{
    (void)state;
    LedgerOp dash = op_of(LEDGER_OP_LOOK, "a-b", FIRST);
    LedgerOp dot = op_of(LEDGER_OP_LOOK, "a.b", FIRST);
    LedgerOp longer = op_of(LEDGER_OP_LOOK, "a", SECOND);
    assert_true(ledger_rows_compare(&dash, &dot) < 0);
    assert_true(ledger_rows_compare(&longer, &dash) < 0);
}

static void a_batch_sorts_its_rows_and_asks_in_that_order(void **state)
{
    (void)state;
    LedgerOp rows[] = {op_of(LEDGER_OP_LOOK, "b", FIRST), op_of(LEDGER_OP_LOOK, "a", SECOND),
                       op_of(LEDGER_OP_LOOK, "a", FIRST)};
    LedgerOp *ops[] = {&rows[0], &rows[1], &rows[2]};
    LedgerBatch batch;
    ledger_rows_build(LEDGER_OP_LOOK, ops, 3, &batch);
    assert_ptr_equal(ops[0], &rows[2]);
    assert_ptr_equal(ops[1], &rows[1]);
    assert_ptr_equal(ops[2], &rows[0]);
    const LedgerStatement *statement = &batch.statements[batch.answer];
    assert_non_null(strstr(text_get(&statement->params[0]), "a"));
    const char *ids = text_get(&statement->params[1]);
    assert_true(strstr(ids, SECOND) > strstr(ids, FIRST));
    ledger_batch_clear(&batch);
}

static void rows_with_whole_outcomes_in_their_answer_are_few(void **state)
{
    (void)state;
    assert_int_equal(ledger_rows_most(LEDGER_OP_CLAIM), LEDGER_ROWS_MAX);
    assert_int_equal(ledger_rows_most(LEDGER_OP_STOP), LEDGER_STOPS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_kind_are_ordered_by_application_and_command),
        cmocka_unit_test(bytes_decide_as_in_the_ledger_not_the_locale),
        cmocka_unit_test(a_batch_sorts_its_rows_and_asks_in_that_order),
        cmocka_unit_test(rows_with_whole_outcomes_in_their_answer_are_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
