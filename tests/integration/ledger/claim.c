#include "support.h"

#include <stdlib.h>
#include <string.h>

static void a_first_claim_makes_the_row_and_reserves_the_environment(void **state)
{
    Support *support = *state;
    LedgerClaim claim = support_claim(1);
    claim.account = "main";
    LedgerClaimed claimed = {.answered = false};
    support_take(support->one, &claim, 1, &claimed);
    assert_true(claimed.answered);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed.epoch, 1);
    assert_int_equal(claimed.takeovers, 0);
    assert_int_equal(claimed.abandoned, 0);
    assert_int_equal(claimed.partition, 3);
    assert_int_equal(claimed.offset, 1);
    assert_string_equal(claimed.stop, "");
    assert_false(claimed.undoing || claimed.had_intent || claimed.published);
    assert_null(claimed.first_error);
    assert_int_equal(json_object_size(claimed.journal), 0);
    assert_int_equal(claimed.environment.state, LEDGER_STATE_CREATING);
    assert_string_equal(claimed.environment.environment, "env-1");
    assert_string_equal(claimed.environment.command_id, claim.command_id);
    assert_string_equal(claimed.environment.action, "CreateEnvironment");
    assert_string_equal(claimed.environment.origin, "created");
    assert_string_equal(claimed.environment.account, "main");
    assert_memory_equal(claimed.environment.spec_digest, claim.spec_digest, CRYPTO_SHA256_BYTES);
    assert_int_equal(claimed.source.state, LEDGER_STATE_NONE);
    assert_false(claimed.account.found);
    assert_int_equal(claimed.subject_sequence, 0);
    assert_true(claimed.now_ms > 1700000000000);
    ledger_claimed_clear(&claimed);
}

static void a_claim_counts_takeovers_and_keeps_what_it_knows(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, 1);
    LedgerClaim again = support_claim(1);
    again.partition = 9;
    again.offset = 99;
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &again, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed.epoch, 2);
    assert_int_equal(claimed.takeovers, 1);
    assert_int_equal(claimed.partition, 3);
    assert_int_equal(claimed.offset, 1);
    assert_int_equal(claimed.environment.state, LEDGER_STATE_CREATING);
    ledger_claimed_clear(&claimed);
}

static void the_same_id_with_other_content_takes_and_reserves_nothing(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, 1);
    static const uint8_t OTHER[CRYPTO_SHA256_BYTES] = {9};
    LedgerClaim other = support_claim(1);
    other.digest = OTHER;
    other.environment = "elsewhere";
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &other, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_REUSED);
    assert_int_equal(claimed.environment.state, LEDGER_STATE_NONE);
    ledger_claimed_clear(&claimed);
    support_assert_value(support->one, "SELECT epoch FROM provision.command", "1");
}

static void a_finished_command_shows_its_outcome_and_is_not_taken(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, 1);
    support_execute(support->one, "UPDATE provision.command SET status = 'finished', "
                                  "outcome = '\\x00ff5c', outcome_sequence = 1, "
                                  "finished_at = now(), published_at = now()");
    support_execute(support->one, "UPDATE provision.environment SET state = 'ready', sequence = 2");
    LedgerClaim claim = support_claim(1);
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &claim, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_FINISHED);
    assert_int_equal(claimed.epoch, 1);
    assert_int_equal(claimed.outcome.size, 3);
    assert_memory_equal(claimed.outcome.data, "\x00\xff\x5c", 3);
    assert_int_equal(claimed.outcome_sequence, 1);
    assert_int_equal(claimed.subject_sequence, 2);
    assert_true(claimed.published);
    assert_int_equal(claimed.environment.state, LEDGER_STATE_READY);
    ledger_claimed_clear(&claimed);
}

// They would be held in memory all at once.
static void outcomes_are_answered_up_to_their_bound_and_never_none(void **state)
{
    enum { COUNT = 6, RUNNING = 5 };
    Support *support = *state;
    LedgerClaim claims[COUNT];
    LedgerClaimed claimed[COUNT] = {{.answered = false}};
    for (size_t i = 0; i < COUNT; i++) {
        claims[i] = support_claim(i + 1);
        (void)support_take_one(support->one, i + 1);
    }
    support_execute(support->one,
                    "UPDATE provision.command SET status = 'finished', finished_at = now(), "
                    "outcome = decode(repeat('ab', CASE WHEN record_offset = 1 THEN 3000000 "
                    "ELSE 900000 END), 'hex') WHERE record_offset <= 5");
    // one that is larger than all may be together
    support_take(support->two, claims, COUNT, claimed);
    assert_true(claimed[0].answered);
    assert_int_equal(claimed[0].outcome.size, 3000000);
    for (size_t i = 1; i < RUNNING; i++) {
        assert_false(claimed[i].answered);
    }
    // what runs was taken, and is answered
    assert_true(claimed[RUNNING].answered);
    assert_int_equal(claimed[RUNNING].epoch, 2);
    for (size_t i = 0; i < COUNT; i++) {
        ledger_claimed_clear(&claimed[i]);
    }
    support_take(support->two, &claims[1], COUNT - 1, claimed);
    assert_true(claimed[0].answered && claimed[1].answered && claimed[2].answered);
    assert_false(claimed[3].answered);
    for (size_t i = 0; i < COUNT; i++) {
        ledger_claimed_clear(&claimed[i]);
    }
}

static void a_stop_mark_that_came_first_is_filled_by_the_claim(void **state)
{
    Support *support = *state;
    support_execute(support->one,
                    "INSERT INTO provision.command (application_id, command_id, stop, stopped_by) "
                    "VALUES ('shop', '00000000-0000-4000-8000-000000000001', 'superseded', "
                    "'00000000-0000-4000-8000-0000000000ff')");
    LedgerClaim claim = support_claim(1);
    LedgerClaimed claimed = {.answered = false};
    support_take(support->one, &claim, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed.epoch, 1);
    assert_int_equal(claimed.takeovers, 0);
    assert_int_equal(claimed.offset, 1);
    assert_string_equal(claimed.stop, "superseded");
    assert_string_equal(claimed.stopped_by, "00000000-0000-4000-8000-0000000000ff");
    ledger_claimed_clear(&claimed);
}

typedef struct ReserveCase {
    const char *row; // state, action of the row that is there
    bool taken_over;
    const char *details;
    const char *project_id;
} ReserveCase;

static const ReserveCase RESERVE_CASES[] = {
    {"'gone', 'BranchEnvironment'", true, "{}", NULL},
    {"'failed', 'CreateEnvironment'", true, "{\"left\": [\"p\"]}", "old-project"},
    {"'failed', 'BranchEnvironment'", false, NULL, NULL},
    {"'ready', 'CreateEnvironment'", false, NULL, NULL},
    {"'creating', 'CreateEnvironment'", false, NULL, NULL},
    {"'deleting', 'CreateEnvironment'", false, NULL, NULL},
};

static void insert_environment(PGconn *connection, const char *row)
{
    char sql[1024];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO provision.environment (application_id, environment, command_id, "
                   "origin, spec_digest, account, project_id, branch_id, endpoint_id, sequence, "
                   "unsettled_until, details, state, action) VALUES ('shop', 'env-1', "
                   "'00000000-0000-4000-8000-0000000000aa', 'created', decode(repeat('07', 32), "
                   "'hex'), 'older', 'old-project', 'br-old', 'ep-old', 7, now() + interval '1 h', "
                   "'{\"left\": [\"p\"], \"host\": \"h\"}', %s)",
                   row);
    support_execute(connection, sql);
}

static void assert_reserved(PGconn *connection, const ReserveCase *expected)
{
    LedgerClaim claim = support_claim(1);
    LedgerClaimed claimed = {.answered = false};
    support_take(connection, &claim, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed.subject_sequence, 7);
    assert_true(claimed.environment.unsettled_in_ms > 3500000);
    bool ours = strcmp(claimed.environment.command_id, claim.command_id) == 0;
    assert_int_equal(ours, expected->taken_over);
    if (expected->taken_over) {
        assert_int_equal(claimed.environment.state, LEDGER_STATE_CREATING);
        support_assert_value(connection, "SELECT details FROM provision.environment",
                             expected->details);
        support_assert_value(connection, "SELECT project_id FROM provision.environment",
                             expected->project_id);
    } else {
        assert_string_equal(claimed.environment.project_id, "old-project");
        assert_string_equal(json_string_value(json_object_get(claimed.environment.details, "host")),
                            "h");
    }
    ledger_claimed_clear(&claimed);
}

static void only_what_is_gone_or_failed_by_the_same_action_is_reserved_again(void **state)
{
    Support *support = *state;
    for (size_t i = 0; i < sizeof(RESERVE_CASES) / sizeof(RESERVE_CASES[0]); i++) {
        (void)support_empty_tables(state);
        insert_environment(support->one, RESERVE_CASES[i].row);
        assert_reserved(support->one, &RESERVE_CASES[i]);
    }
}

static void the_account_is_the_named_one_else_the_source_s_else_the_environment_s(void **state)
{
    Support *support = *state;
    insert_environment(support->one, "'ready', 'CreateEnvironment'");
    support_execute(support->one,
                    "INSERT INTO provision.environment SELECT application_id, 'base', state, "
                    "origin, command_id, action, spec_digest, 'source' FROM provision.environment");
    support_execute(support->one,
                    "INSERT INTO provision.account (application_id, account, sealed_key, key_kind, "
                    "neon_account_id, sequence) SELECT 'shop', a, '\\x0102', 'personal', a || "
                    "'-id', 4 FROM unnest('{named,source,older}'::text[]) a");
    LedgerClaim claims[] = {support_claim(2), support_claim(3), support_claim(4)};
    static const char *const EXPECTED[] = {"named-id", "source-id", "older-id"};
    claims[0].account = "named";
    claims[0].writes_account = true;
    claims[0].source_environment = claims[1].source_environment = "base";
    LedgerClaimed claimed[3] = {{.answered = false}};
    for (size_t i = 0; i < 3; i++) {
        claims[i].reserve = false;
        claims[i].environment = "env-1";
    }
    support_take(support->one, claims, 3, claimed);
    for (size_t i = 0; i < 3; i++) {
        assert_true(claimed[i].account.found);
        assert_string_equal(claimed[i].account.neon_account_id, EXPECTED[i]);
        assert_int_equal(claimed[i].account.sealed_key.size, 2);
    }
    assert_int_equal(claimed[0].subject_sequence, 4);
    assert_int_equal(claimed[1].subject_sequence, 7);
    assert_int_equal(claimed[1].source.state, LEDGER_STATE_READY);
    for (size_t i = 0; i < 3; i++) {
        ledger_claimed_clear(&claimed[i]);
    }
}

static void two_hundred_claims_are_answered_in_their_order(void **state)
{
    Support *support = *state;
    LedgerClaim claims[SUPPORT_BATCH];
    LedgerClaimed *claimed = calloc(SUPPORT_BATCH, sizeof(*claimed));
    for (size_t i = 0; i < SUPPORT_BATCH; i++) {
        claims[i] = support_claim(SUPPORT_BATCH - 1 - i);
        claims[i].reserve = i % 2 == 0;
    }
    support_take(support->one, claims, SUPPORT_BATCH, claimed);
    for (size_t i = 0; i < SUPPORT_BATCH; i++) {
        assert_true(claimed[i].answered);
        assert_int_equal(claimed[i].offset, SUPPORT_BATCH - 1 - i);
        assert_string_equal(claimed[i].environment.environment,
                            i % 2 == 0 ? claims[i].environment : "");
        ledger_claimed_clear(&claimed[i]);
    }
    free(claimed);
}

static void hostile_texts_are_only_texts(void **state)
{
    Support *support = *state;
    for (size_t i = 0; i < SUPPORT_HOSTILE_COUNT; i++) {
        LedgerClaim claim = support_claim(i);
        claim.application_id = claim.environment = claim.action = claim.account =
            SUPPORT_HOSTILE[i];
        LedgerClaimed claimed = {.answered = false};
        support_take(support->one, &claim, 1, &claimed);
        assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
        assert_string_equal(claimed.environment.environment, SUPPORT_HOSTILE[i]);
        assert_string_equal(claimed.environment.action, SUPPORT_HOSTILE[i]);
        assert_string_equal(claimed.environment.account, SUPPORT_HOSTILE[i]);
        ledger_claimed_clear(&claimed);
    }
}

static void what_the_server_cannot_keep_fails_the_whole_batch(void **state)
{
    Support *support = *state;
    LedgerClaim claims[] = {support_claim(1), support_claim(2)};
    claims[1].environment = "\xff\xfe";
    LedgerBatch batch;
    ledger_claim_build(claims, 2, &batch);
    support_run_failing(support->one, &batch, "22P02");
    claims[1].environment = "env-2";
    claims[1].origin = "found";
    ledger_claim_build(claims, 2, &batch);
    support_run_failing(support->one, &batch, "23514");
    support_assert_value(support->one, "SELECT count(*) FROM provision.command", "0");
    support_assert_value(support->one, "SELECT count(*) FROM provision.environment", "0");
}

static void two_workers_that_claim_at_once_take_turns(void **state)
{
    Support *support = *state;
    LedgerClaim claims[] = {support_claim(1), support_claim(2)};
    LedgerClaim turned[] = {support_claim(2), support_claim(1)};
    LedgerClaimed first[2] = {{.answered = false}};
    LedgerClaimed second[2] = {{.answered = false}};
    support_execute(support->one, "BEGIN");
    support_take(support->one, claims, 2, first);
    LedgerBatch batch;
    ledger_claim_build(turned, 2, &batch);
    size_t statements = batch.count;
    size_t answer = batch.answer;
    support_send(support->two, &batch);
    support_await_blocked(support->one, support->two, support->one);
    support_execute(support->one, "COMMIT");
    PGresult *rows = support_receive(support->two, statements, answer);
    Error err = ERROR_INIT;
    assert_true(ledger_claim_decode(rows, second, 2, &err));
    PQclear(rows);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(first[i].epoch, 1);
        assert_int_equal(second[i].epoch, 2);
        assert_int_equal(second[i].takeovers, 1);
        assert_string_equal(second[i].environment.command_id, turned[i].command_id);
        ledger_claimed_clear(&first[i]);
        ledger_claimed_clear(&second[i]);
    }
}

static void of_two_commands_that_want_one_environment_the_first_has_it(void **state)
{
    Support *support = *state;
    LedgerClaim later = support_claim(2);
    later.environment = "env-1";
    support_execute(support->one, "BEGIN");
    (void)support_take_one(support->one, 1);
    LedgerBatch batch;
    ledger_claim_build(&later, 1, &batch);
    size_t statements = batch.count;
    size_t answer = batch.answer;
    support_send(support->two, &batch);
    support_await_blocked(support->one, support->two, support->one);
    support_execute(support->one, "COMMIT");
    PGresult *rows = support_receive(support->two, statements, answer);
    LedgerClaimed claimed = {.answered = false};
    Error err = ERROR_INIT;
    assert_true(ledger_claim_decode(rows, &claimed, 1, &err));
    PQclear(rows);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed.environment.state, LEDGER_STATE_CREATING);
    assert_string_equal(claimed.environment.command_id, "00000000-0000-4000-8000-000000000001");
    ledger_claimed_clear(&claimed);
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_first_claim_makes_the_row_and_reserves_the_environment,
                               support_empty_tables),
        cmocka_unit_test_setup(a_claim_counts_takeovers_and_keeps_what_it_knows,
                               support_empty_tables),
        cmocka_unit_test_setup(the_same_id_with_other_content_takes_and_reserves_nothing,
                               support_empty_tables),
        cmocka_unit_test_setup(a_finished_command_shows_its_outcome_and_is_not_taken,
                               support_empty_tables),
        cmocka_unit_test_setup(outcomes_are_answered_up_to_their_bound_and_never_none,
                               support_empty_tables),
        cmocka_unit_test_setup(a_stop_mark_that_came_first_is_filled_by_the_claim,
                               support_empty_tables),
        cmocka_unit_test_setup(only_what_is_gone_or_failed_by_the_same_action_is_reserved_again,
                               support_empty_tables),
        cmocka_unit_test_setup(
            the_account_is_the_named_one_else_the_source_s_else_the_environment_s,
            support_empty_tables),
        cmocka_unit_test_setup(two_hundred_claims_are_answered_in_their_order,
                               support_empty_tables),
        cmocka_unit_test_setup(hostile_texts_are_only_texts, support_empty_tables),
        cmocka_unit_test_setup(what_the_server_cannot_keep_fails_the_whole_batch,
                               support_empty_tables),
        cmocka_unit_test_setup(two_workers_that_claim_at_once_take_turns, support_empty_tables),
        cmocka_unit_test_setup(of_two_commands_that_want_one_environment_the_first_has_it,
                               support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
