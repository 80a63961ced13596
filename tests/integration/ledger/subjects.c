// Accounts and applications as subjects of a command.
#include "support.h"

static void an_account_is_made_and_its_key_rotated(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_account(1, support_take_one(support->one, 1), 1);
    assert_true(support_conclude(support->one, &conclude));
    conclude = support_conclude_account(2, support_take_one(support->one, 2), 2);
    conclude.key_kind = "project";
    conclude.account_project_id = "p-9";
    conclude.org_id = "";
    assert_true(support_conclude(support->one, &conclude));
    LedgerClaim claim = support_claim(2);
    claim.account = "main";
    claim.writes_account = true;
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &claim, 1, &claimed);
    assert_int_equal(claimed.subject_sequence, 2);
    assert_true(claimed.account.found);
    assert_string_equal(claimed.account.key_kind, "project");
    assert_string_equal(claimed.account.neon_account_id, "acc");
    assert_string_equal(claimed.account.org_id, "");
    assert_string_equal(claimed.account.project_id, "p-9");
    assert_memory_equal(claimed.account.sealed_key.data, "\1\2\3", 3);
    ledger_claimed_clear(&claimed);
}

static void a_disconnected_account_keeps_its_sequence_alone(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_account(1, support_take_one(support->one, 1), 1);
    assert_true(support_conclude(support->one, &conclude));
    conclude = support_conclude_account(2, support_take_one(support->one, 2), 2);
    conclude.sealed_key = (Bytes){NULL, 0};
    conclude.key_kind = conclude.neon_account_id = conclude.org_id = "";
    assert_true(support_conclude(support->one, &conclude));
    support_assert_value(support->one,
                         "SELECT sequence || ' ' || num_nonnulls(sealed_key, key_kind, "
                         "neon_account_id, org_id, project_id) FROM provision.account",
                         "2 0");
    LedgerClaim claim = support_claim(3);
    claim.account = "main";
    claim.writes_account = true;
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &claim, 1, &claimed);
    assert_false(claimed.account.found);
    assert_int_equal(claimed.subject_sequence, 2);
    ledger_claimed_clear(&claimed);
}

static LedgerConclude conclude_application(size_t i, int64_t epoch, int64_t sequence)
{
    LedgerConclude conclude = support_conclude_environment(i, epoch, sequence);
    conclude.environment = "";
    conclude.writes_application = true;
    conclude.preview_base = "env-1";
    return conclude;
}

// What the claim of a command that branches off the base is told.
static void claim_by_base(Support *support, size_t i, LedgerClaimed *ret_claimed)
{
    LedgerClaim claim = support_claim(i);
    claim.account = "";
    claim.source_environment = "";
    claim.source_is_base = true;
    *ret_claimed = (LedgerClaimed){.answered = false};
    support_take(support->two, &claim, 1, ret_claimed);
}

static void the_preview_base_is_kept_and_comes_with_the_claim(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_environment(1, support_take_one(support->one, 1), 1);
    conclude.account = "main";
    assert_true(support_conclude(support->one, &conclude));
    LedgerClaimed claimed;
    claim_by_base(support, 2, &claimed);
    assert_string_equal(claimed.preview_base, "");
    assert_int_equal(claimed.source.state, LEDGER_STATE_NONE);
    ledger_claimed_clear(&claimed);
    conclude = conclude_application(3, support_take_one(support->one, 3), 2);
    assert_false(support_conclude(support->one, &conclude)); // it has none yet
    conclude.sequence = 1;
    assert_true(support_conclude(support->one, &conclude));
    conclude = support_conclude_account(4, support_take_one(support->one, 4), 1);
    conclude.account = "main";
    assert_true(support_conclude(support->one, &conclude));
    claim_by_base(support, 5, &claimed);
    assert_string_equal(claimed.preview_base, "env-1");
    assert_string_equal(claimed.source.environment, "env-1");
    assert_true(claimed.account.found); // the base's
    ledger_claimed_clear(&claimed);
    LedgerClaim claim = support_claim(6);
    claim.environment = "";
    claim.reserve = false;
    claim.writes_application = true;
    claimed = (LedgerClaimed){.answered = false};
    support_take(support->two, &claim, 1, &claimed);
    assert_int_equal(claimed.subject_sequence, 1);
    ledger_claimed_clear(&claimed);
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_account_is_made_and_its_key_rotated, support_empty_tables),
        cmocka_unit_test_setup(a_disconnected_account_keeps_its_sequence_alone,
                               support_empty_tables),
        cmocka_unit_test_setup(the_preview_base_is_kept_and_comes_with_the_claim,
                               support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
