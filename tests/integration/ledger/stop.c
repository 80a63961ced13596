#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { TARGET = 1, CANCEL = 2, OTHER = 3 };

static LedgerStop stop_of(size_t target, size_t by)
{
    return (LedgerStop){
        "shop", support_claim(target).command_id, support_claim(by).command_id, "cancelled", "",
        ""};
}

static LedgerStopped run_stop(PGconn *connection, const LedgerStop *stop)
{
    LedgerStopped stopped;
    LedgerBatch batch;
    Error err = ERROR_INIT;
    ledger_stop_build(stop, 1, &batch);
    PGresult *rows = support_run(connection, &batch);
    assert_true(ledger_stop_decode(rows, &stopped, 1, &err));
    PQclear(rows);
    return stopped;
}

static void finish(PGconn *connection, size_t i, int64_t epoch)
{
    LedgerConclude conclude = {.key = support_key(i, epoch),
                               .journal = "{}",
                               .outcome = {(const uint8_t *)"done", 4},
                               .environment = "",
                               .account = "",
                               .project_id = "",
                               .branch_id = "",
                               .endpoint_id = "",
                               .details = "{}",
                               .key_kind = "",
                               .neon_account_id = "",
                               .org_id = "",
                               .account_project_id = ""};
    LedgerBatch batch;
    ledger_conclude_build(&conclude, 1, &batch);
    PQclear(support_run(connection, &batch));
}

static void a_running_command_is_marked_and_the_first_mark_stays(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, TARGET);
    LedgerStop stop = stop_of(TARGET, CANCEL);
    LedgerStopped stopped = run_stop(support->one, &stop);
    assert_true(stopped.found && !stopped.finished && !stopped.had_intent && !stopped.undoing);
    assert_string_equal(stopped.stop, "cancelled");
    assert_string_equal(stopped.stopped_by, support_claim(CANCEL).command_id);
    assert_string_equal(stopped.action, "CreateEnvironment");
    assert_non_null(stopped.journal);
    ledger_stopped_clear(&stopped);
    LedgerStop later = stop_of(TARGET, OTHER);
    later.stop = "superseded";
    stopped = run_stop(support->two, &later);
    assert_string_equal(stopped.stop, "cancelled");
    assert_string_equal(stopped.stopped_by, support_claim(CANCEL).command_id);
    ledger_stopped_clear(&stopped);
}

static void a_mark_that_comes_first_makes_the_row_and_the_claim_fills_it(void **state)
{
    Support *support = *state;
    LedgerStop stop = stop_of(TARGET, CANCEL);
    LedgerStopped stopped = run_stop(support->one, &stop);
    assert_true(stopped.found);
    assert_string_equal(stopped.action, "");
    ledger_stopped_clear(&stopped);
    LedgerClaim claim = support_claim(TARGET);
    LedgerClaimed claimed = {.answered = false};
    support_take(support->two, &claim, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed.takeovers, 0);
    assert_string_equal(claimed.stop, "cancelled");
    ledger_claimed_clear(&claimed);
}

static void a_finished_command_is_not_marked_and_tells_its_outcome(void **state)
{
    Support *support = *state;
    finish(support->one, TARGET, support_take_one(support->one, TARGET));
    LedgerStop stop = stop_of(TARGET, CANCEL);
    LedgerStopped stopped = run_stop(support->one, &stop);
    assert_true(stopped.finished);
    assert_string_equal(stopped.stop, "");
    assert_int_equal(stopped.outcome.size, 4);
    assert_memory_equal(stopped.outcome.data, "done", 4);
    ledger_stopped_clear(&stopped);
}

static void a_finished_command_marks_nothing(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, TARGET);
    finish(support->one, CANCEL, support_take_one(support->one, CANCEL));
    LedgerStop stop = stop_of(TARGET, CANCEL);
    LedgerStopped stopped = run_stop(support->one, &stop);
    assert_true(stopped.found);
    assert_string_equal(stopped.stop, "");
    ledger_stopped_clear(&stopped);
    stop = stop_of(OTHER, CANCEL);
    stopped = run_stop(support->one, &stop);
    assert_false(stopped.found);
    ledger_stopped_clear(&stopped);
}

static void another_application_with_the_same_id_is_left_alone(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, TARGET);
    LedgerStop stop = stop_of(TARGET, CANCEL);
    stop.application_id = "blog";
    LedgerStopped stopped = run_stop(support->one, &stop);
    ledger_stopped_clear(&stopped);
    support_assert_value(support->one,
                         "SELECT stop FROM provision.command WHERE application_id = 'shop'", NULL);
}

static void stop_for(PGconn *connection, const char *environment, const char *repository)
{
    LedgerStop stop = stop_of(TARGET, CANCEL);
    stop.environment = environment;
    stop.repository = repository;
    LedgerStopped stopped = run_stop(connection, &stop);
    assert_true(stopped.found);
    ledger_stopped_clear(&stopped);
}

static void what_was_opened_for_another_repository_is_left_alone(void **state)
{
    static const char MARK[] = "SELECT stop FROM provision.command";
    Support *support = *state;
    (void)support_take_one(support->one, TARGET);
    support_execute(
        support->one,
        "INSERT INTO provision.environment (application_id, environment, state, "
        "origin, action, command_id, spec_digest, details) SELECT 'shop', name, 'ready', "
        "'branched', 'OpenPreview', '00000000-0000-4000-8000-000000000001', decode(repeat('00', "
        "32), 'hex'), details "
        "FROM (VALUES ('pr:7', '{\"repository\": \"git.example/shop\"}'::jsonb), "
        "('pr:8', '{}')) AS v(name, details)");
    stop_for(support->one, "pr:7", "git.example/other");
    support_assert_value(support->one, MARK, NULL);
    stop_for(support->one, "pr:7", "git.example/shop");
    support_assert_value(support->one, MARK, "cancelled");
    support_execute(support->one, "UPDATE provision.command SET stop = NULL, stopped_by = NULL");
    stop_for(support->one, "pr:8", "git.example/other");
    support_assert_value(support->one, MARK, "cancelled");
    support_execute(support->one, "UPDATE provision.command SET stop = NULL, stopped_by = NULL");
    stop_for(support->one, "pr:9", "git.example/other");
    support_assert_value(support->one, MARK, "cancelled");
}

static void many_targets_go_in_one_statement(void **state)
{
    Support *support = *state;
    enum { MANY = 50 };
    LedgerStop stops[MANY];
    for (size_t i = 0; i < MANY; i++) {
        if (i % 2 == 0) {
            (void)support_take_one(support->one, i + 1);
        }
        stops[MANY - 1 - i] = stop_of(i + 1, 100);
    }
    LedgerBatch batch;
    LedgerStopped stopped[MANY];
    Error err = ERROR_INIT;
    ledger_stop_build(stops, MANY, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_true(ledger_stop_decode(rows, stopped, MANY, &err));
    PQclear(rows);
    for (size_t i = 0; i < MANY; i++) {
        size_t number = MANY - i;
        assert_true(stopped[i].found);
        assert_int_equal(stopped[i].action[0] != '\0', number % 2 == 1);
        ledger_stopped_clear(&stopped[i]);
    }
    support_assert_value(support->one,
                         "SELECT count(*) FROM provision.command WHERE stop = 'cancelled'", "50");
}

static void marks_whose_command_never_came_are_purged(void **state)
{
    Support *support = *state;
    for (size_t i = 1; i <= 2; i++) {
        LedgerStop stop = stop_of(i, CANCEL + 10);
        LedgerStopped stopped = run_stop(support->one, &stop);
        ledger_stopped_clear(&stopped);
    }
    (void)support_take_one(support->one, OTHER); // runs for long
    support_execute(support->one,
                    "UPDATE provision.command SET created_at = now() - interval '2 days' "
                    "WHERE command_id <> '00000000-0000-4000-8000-000000000002'");
    LedgerBatch batch;
    ledger_purge_build(INT64_C(86400000), &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_string_equal(PQgetvalue(rows, 0, 0), "1");
    PQclear(rows);
    support_assert_value(support->one,
                         "SELECT string_agg(command_id::text, ' ' ORDER BY command_id) "
                         "FROM provision.command",
                         "00000000-0000-4000-8000-000000000002 "
                         "00000000-0000-4000-8000-000000000003");
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_running_command_is_marked_and_the_first_mark_stays,
                               support_empty_tables),
        cmocka_unit_test_setup(a_mark_that_comes_first_makes_the_row_and_the_claim_fills_it,
                               support_empty_tables),
        cmocka_unit_test_setup(a_finished_command_is_not_marked_and_tells_its_outcome,
                               support_empty_tables),
        cmocka_unit_test_setup(a_finished_command_marks_nothing, support_empty_tables),
        cmocka_unit_test_setup(another_application_with_the_same_id_is_left_alone,
                               support_empty_tables),
        cmocka_unit_test_setup(what_was_opened_for_another_repository_is_left_alone,
                               support_empty_tables),
        cmocka_unit_test_setup(many_targets_go_in_one_statement, support_empty_tables),
        cmocka_unit_test_setup(marks_whose_command_never_came_are_purged, support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
