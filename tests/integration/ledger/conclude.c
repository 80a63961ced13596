#include "support.h"

#include <stdlib.h>
#include <string.h>

static bool run_save(PGconn *connection, LedgerKey key, bool undoing, const char *first_error)
{
    LedgerSave save = {key, undoing, first_error, "{\"saved\": 1}"};
    LedgerBatch batch;
    ledger_save_build(&save, 1, &batch);
    return support_written(connection, &batch);
}

static void a_stop_that_nobody_has_seen_keeps_a_command_from_its_conclusion(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_environment(1, support_take_one(support->one, 1), 1);
    conclude.heeds_stop = true;
    support_execute(support->two, "UPDATE provision.command SET stop = 'cancelled', stopped_by = "
                                  "'00000000-0000-4000-8000-0000000000ff'");
    assert_false(support_conclude(support->one, &conclude));
    support_assert_value(support->one, "SELECT sequence FROM provision.environment", "0");
    conclude.heeds_stop = false; // it can't turn any more, or has
    assert_true(support_conclude(support->one, &conclude));
}

static void a_stop_is_heeded_no_more_once_the_command_has_turned(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_environment(1, support_take_one(support->one, 1), 1);
    conclude.heeds_stop = true;
    support_execute(support->two,
                    "UPDATE provision.command SET direction = 'undo', stop = 'cancelled', "
                    "stopped_by = '00000000-0000-4000-8000-0000000000ff'");
    assert_true(support_conclude(support->one, &conclude));
}

static void assert_nothing_concluded(PGconn *connection)
{
    support_assert_value(connection,
                         "SELECT count(*) FROM provision.command WHERE status = 'finished'", "0");
    support_assert_value(connection,
                         "SELECT count(*) FROM provision.environment WHERE sequence > 0", "0");
    support_assert_value(connection, "SELECT count(*) FROM provision.account WHERE org_id <> ''",
                         "0");
}

static void saving_turns_a_command_for_good_and_keeps_the_first_error(void **state)
{
    Support *support = *state;
    LedgerKey key = support_key(1, support_take_one(support->one, 1));
    assert_true(run_save(support->one, key, false, NULL));
    support_assert_value(support->one, "SELECT first_error FROM provision.command", NULL);
    assert_true(run_save(support->one, key, true, "{\"code\": \"A\"}"));
    assert_true(run_save(support->one, key, false, "{\"code\": \"B\"}"));
    assert_true(run_save(support->one, key, false, NULL));
    LedgerClaim claim = support_claim(1);
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &claim, 1, &claimed);
    assert_true(claimed.undoing);
    assert_string_equal(json_string_value(json_object_get(claimed.first_error, "code")), "A");
    assert_int_equal(json_integer_value(json_object_get(claimed.journal, "saved")), 1);
    ledger_claimed_clear(&claimed);
    assert_false(run_save(support->one, key, true, NULL));
}

static void an_outcome_is_kept_together_with_its_environment(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_environment(1, support_take_one(support->one, 1), 1);
    assert_true(support_conclude(support->one, &conclude));
    LedgerClaim claim = support_claim(1);
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &claim, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_FINISHED);
    assert_int_equal(claimed.outcome.size, 4);
    assert_memory_equal(claimed.outcome.data, "\0o\\'", 4);
    assert_int_equal(claimed.outcome_sequence, 1);
    assert_int_equal(claimed.subject_sequence, 1);
    assert_int_equal(claimed.environment.state, LEDGER_STATE_READY);
    assert_string_equal(claimed.environment.account, "main");
    assert_string_equal(claimed.environment.project_id, "p-1");
    assert_string_equal(claimed.environment.branch_id, "br-1");
    assert_string_equal(claimed.environment.endpoint_id, "ep-1");
    assert_int_equal(json_object_size(claimed.environment.details), 1);
    assert_true(claimed.environment.unsettled_in_ms <= 0);
    ledger_claimed_clear(&claimed);
    assert_false(support_conclude(support->one, &conclude));
}

static void without_a_sequence_the_row_is_written_and_the_sequence_stays(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_environment(1, support_take_one(support->one, 1), 0);
    support_execute(support->one, "UPDATE provision.environment SET sequence = 5, details = "
                                  "'{\"kept\": 1}'");
    conclude.state = LEDGER_STATE_GONE;
    conclude.details = NULL;
    conclude.project_id = "";
    assert_true(support_conclude(support->one, &conclude));
    support_assert_value(support->one,
                         "SELECT concat_ws(' ', state, sequence, details, project_id) FROM "
                         "provision.environment",
                         "gone 5 {\"kept\": 1}");
    support_assert_value(support->one, "SELECT outcome_sequence FROM provision.command", NULL);
}

static void a_command_without_a_subject_is_concluded_alone(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_environment(1, support_take_one(support->one, 1), 0);
    conclude.environment = "";
    assert_true(support_conclude(support->one, &conclude));
    support_assert_value(support->one, "SELECT state FROM provision.environment", "creating");
}

static void a_wrong_sequence_or_a_missing_subject_writes_nothing(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    LedgerConclude conclude = support_conclude_environment(1, epoch, 2);
    assert_false(support_conclude(support->one, &conclude));
    conclude.sequence = 1;
    conclude.environment = "env-7";
    assert_false(support_conclude(support->one, &conclude));
    conclude = support_conclude_account(1, epoch, 2);
    assert_false(support_conclude(support->one, &conclude));
    support_execute(support->one, "INSERT INTO provision.account (application_id, account, "
                                  "sequence) VALUES ('shop', 'main', 4)");
    assert_false(support_conclude(support->one, &conclude));
    assert_nothing_concluded(support->one);
}

static void a_stale_epoch_concludes_nothing(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    (void)support_take_one(support->two, 1);
    LedgerConclude conclude = support_conclude_environment(1, epoch, 1);
    assert_false(support_conclude(support->one, &conclude));
    conclude = support_conclude_account(1, epoch, 1);
    assert_false(support_conclude(support->one, &conclude));
    assert_nothing_concluded(support->one);
}

static void what_may_still_appear_is_kept_with_the_environment(void **state)
{
    static const char *const COMMANDS[] = {
        "unsettled_until = now() + interval '1 h'",
        "intent_status = 'open', intent_settles = true, settled_at = now() + interval '1 h'",
        "intent_status = 'open', intent_settles = false, settled_at = now() + interval '1 h'",
        "intent_status = 'closed', intent_settles = true, settled_at = now() + interval '1 h'",
    };
    static const char *const EXPECTED[] = {"60", "60", "10", "10"};
    Support *support = *state;
    for (size_t i = 0; i < 4; i++) {
        (void)support_empty_tables(state);
        LedgerConclude conclude =
            support_conclude_environment(1, support_take_one(support->one, 1), 1);
        char sql[512];
        (void)snprintf(
            sql, sizeof(sql),
            "UPDATE provision.environment SET unsettled_until = now() + interval '10 m'; "
            "UPDATE provision.command SET intent_number = 1, intent_step = 's', "
            "intent_epoch = 1, sent_before = now(), intent_status = 'closed', "
            "intent_settles = false, settled_at = now(); "
            "UPDATE provision.command SET %s",
            COMMANDS[i]);
        support_execute(support->one, sql);
        assert_true(support_conclude(support->one, &conclude));
        support_assert_value(support->one,
                             "SELECT ceil(extract(epoch FROM unsettled_until - now()) / 60)::int "
                             "FROM provision.environment",
                             EXPECTED[i]);
    }
}

static void a_batch_concludes_what_is_current_and_leaves_the_rest(void **state)
{
    Support *support = *state;
    LedgerClaim claims[SUPPORT_BATCH];
    LedgerConclude concludes[SUPPORT_BATCH];
    LedgerClaimed *claimed = calloc(SUPPORT_BATCH, sizeof(*claimed));
    bool written[SUPPORT_BATCH];
    for (size_t i = 0; i < SUPPORT_BATCH; i++) {
        claims[i] = support_claim(i);
        concludes[i] = support_conclude_environment(SUPPORT_BATCH - 1 - i, i % 4 == 0 ? 2 : 1,
                                                    i % 4 == 1 ? 3 : 1);
    }
    support_take(support->one, claims, SUPPORT_BATCH, claimed);
    LedgerBatch batch;
    Error err = ERROR_INIT;
    ledger_conclude_build(concludes, SUPPORT_BATCH, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_true(ledger_written_decode(rows, written, SUPPORT_BATCH, &err));
    PQclear(rows);
    for (size_t i = 0; i < SUPPORT_BATCH; i++) {
        assert_int_equal(written[i], i % 4 > 1);
        ledger_claimed_clear(&claimed[i]);
    }
    free(claimed);
    support_assert_value(support->one,
                         "SELECT count(*) FROM provision.command c JOIN provision.environment e "
                         "USING (command_id) WHERE (c.status = 'finished') <> (e.state = 'ready')",
                         "0");
}

static void a_row_that_the_server_refuses_undoes_the_whole_batch(void **state)
{
    Support *support = *state;
    LedgerConclude concludes[] = {
        support_conclude_environment(1, support_take_one(support->one, 1), 1),
        support_conclude_account(2, support_take_one(support->one, 2), 1),
    };
    concludes[1].key_kind = "stolen";
    LedgerBatch batch;
    ledger_conclude_build(concludes, 2, &batch);
    support_run_failing(support->one, &batch, "23514");
    concludes[1].key_kind = "personal";
    concludes[1].journal = "{\"nul\": \"\\u0000\"}";
    ledger_conclude_build(concludes, 2, &batch);
    support_run_failing(support->one, &batch, "22P05");
    assert_nothing_concluded(support->one);
}

static void hostile_texts_are_kept_as_they_are(void **state)
{
    Support *support = *state;
    for (size_t i = 0; i < SUPPORT_HOSTILE_COUNT; i++) {
        LedgerConclude conclude =
            support_conclude_environment(i, support_take_one(support->one, i), 1);
        conclude.account = conclude.project_id = conclude.branch_id = conclude.endpoint_id =
            SUPPORT_HOSTILE[i];
        assert_true(support_conclude(support->one, &conclude));
        LedgerClaim claim = support_claim(i);
        LedgerClaimed claimed = {.answered = false};
        support_take(support->one, &claim, 1, &claimed);
        assert_string_equal(claimed.environment.account, SUPPORT_HOSTILE[i]);
        assert_string_equal(claimed.environment.project_id, SUPPORT_HOSTILE[i]);
        assert_string_equal(claimed.environment.branch_id, SUPPORT_HOSTILE[i]);
        assert_string_equal(claimed.environment.endpoint_id, SUPPORT_HOSTILE[i]);
        ledger_claimed_clear(&claimed);
    }
}

static void concluding_while_another_claims_is_decided_by_the_row_s_lock(void **state)
{
    Support *support = *state;
    LedgerConclude conclude = support_conclude_environment(1, support_take_one(support->one, 1), 1);
    support_execute(support->two, "BEGIN");
    int64_t epoch = support_take_one(support->two, 1);
    LedgerBatch batch;
    ledger_conclude_build(&conclude, 1, &batch);
    support_send(support->one, &batch);
    support_await_blocked(support->two, support->one, support->two);
    support_execute(support->two, "COMMIT");
    PGresult *rows = support_receive(support->one, 2, 1);
    assert_int_equal(PQntuples(rows), 0);
    PQclear(rows);
    assert_nothing_concluded(support->one);
    conclude.key.epoch = epoch;
    assert_true(support_conclude(support->two, &conclude));
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_stop_that_nobody_has_seen_keeps_a_command_from_its_conclusion,
                               support_empty_tables),
        cmocka_unit_test_setup(a_stop_is_heeded_no_more_once_the_command_has_turned,
                               support_empty_tables),
        cmocka_unit_test_setup(saving_turns_a_command_for_good_and_keeps_the_first_error,
                               support_empty_tables),
        cmocka_unit_test_setup(an_outcome_is_kept_together_with_its_environment,
                               support_empty_tables),
        cmocka_unit_test_setup(without_a_sequence_the_row_is_written_and_the_sequence_stays,
                               support_empty_tables),
        cmocka_unit_test_setup(a_command_without_a_subject_is_concluded_alone,
                               support_empty_tables),
        cmocka_unit_test_setup(a_wrong_sequence_or_a_missing_subject_writes_nothing,
                               support_empty_tables),
        cmocka_unit_test_setup(a_stale_epoch_concludes_nothing, support_empty_tables),
        cmocka_unit_test_setup(what_may_still_appear_is_kept_with_the_environment,
                               support_empty_tables),
        cmocka_unit_test_setup(a_batch_concludes_what_is_current_and_leaves_the_rest,
                               support_empty_tables),
        cmocka_unit_test_setup(a_row_that_the_server_refuses_undoes_the_whole_batch,
                               support_empty_tables),
        cmocka_unit_test_setup(hostile_texts_are_kept_as_they_are, support_empty_tables),
        cmocka_unit_test_setup(concluding_while_another_claims_is_decided_by_the_row_s_lock,
                               support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
