#include "support.h"

#include <string.h>

static const char WAITING[] =
    "SELECT coalesce(waiting_step || ' ' || waiting_for || ' ' || "
    "round(extract(epoch FROM clock_timestamp() - waiting_since)), 'nothing') "
    "FROM provision.command ORDER BY command_id LIMIT 1";

// As if the owner had written for the last time so many seconds ago.
static void age(Support *support, int seconds)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE provision.command SET progress_at = clock_timestamp() - interval '%d s'",
                   seconds);
    support_execute(support->one, sql);
}

static bool run_note(PGconn *connection, LedgerKey key, int64_t waiting_ms)
{
    LedgerNote note = {key, "create_branch", "locked", waiting_ms};
    LedgerBatch batch;
    ledger_note_build(&note, 1, &batch);
    return support_written(connection, &batch);
}

static void run_open(Support *support, LedgerKey key, bool goes_on)
{
    LedgerOpen open = {key, "create_branch", true, 15000, 90000, false, goes_on, "{}"};
    LedgerBatch batch;
    ledger_open_build(&open, 1, &batch);
    PQclear(support_run(support->one, &batch));
}

static void run_close(Support *support, LedgerKey key, int64_t number, bool goes_on)
{
    LedgerClose close = {key, number, goes_on, NULL, "{}"};
    LedgerBatch batch;
    ledger_close_build(&close, 1, &batch);
    PQclear(support_run(support->one, &batch));
}

static void run_save(Support *support, LedgerKey key)
{
    LedgerSave save = {key, true, "{}", "{}"};
    LedgerBatch batch;
    ledger_save_build(&save, 1, &batch);
    PQclear(support_run(support->one, &batch));
}

static void assert_age_s(Support *support, const char *expected)
{
    support_assert_value(support->one,
                         "SELECT round(extract(epoch FROM clock_timestamp() - progress_at)) "
                         "FROM provision.command",
                         expected);
}

static void a_claim_says_who_and_when(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, 1);
    static const char CLAIMED[] = "SELECT subject || ' ' || worker || ' ' || (claimed_at > "
                                  "clock_timestamp() - interval '5 s') || ' ' || "
                                  "(progress_at >= claimed_at) FROM provision.command";
    support_assert_value(support->one, CLAIMED, "applications/shop/environments/x one true true");
    support_execute(support->one,
                    "UPDATE provision.command SET worker = 'two', waiting_step = 's', waiting_for "
                    "= 'x', waiting_since = now(), claimed_at = now() - interval '1 day'");
    (void)support_take_one(support->one, 1);
    support_assert_value(support->one, CLAIMED, "applications/shop/environments/x one true true");
    support_assert_value(support->one, WAITING, "nothing");
}

static void a_note_says_what_is_waited_for_and_is_no_progress(void **state)
{
    Support *support = *state;
    LedgerKey key = support_key(1, support_take_one(support->one, 1));
    age(support, 70);
    assert_true(run_note(support->one, key, 60000));
    support_assert_value(support->one, WAITING, "create_branch locked 60");
    assert_age_s(support, "70");
}

static void a_note_that_comes_too_late_changes_nothing(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    LedgerKey key = support_key(1, epoch);
    assert_false(run_note(support->one, key, 60000)); // it went on since
    age(support, 70);
    key.epoch = epoch - 1;
    assert_false(run_note(support->one, key, 60000)); // it has another owner
    key.epoch = epoch;
    support_execute(support->one,
                    "UPDATE provision.command SET status = 'finished', outcome = '', finished_at = "
                    "now()");
    assert_false(run_note(support->one, key, 60000));
    support_assert_value(support->one, WAITING, "nothing");
}

static void what_its_owner_writes_ends_the_wait(void **state)
{
    Support *support = *state;
    LedgerKey key = support_key(1, support_take_one(support->one, 1));
    for (int write = 0; write < 3; write++) {
        age(support, 70);
        assert_true(run_note(support->one, key, 60000));
        if (write == 0) {
            run_open(support, key, true);
        } else if (write == 1) {
            run_close(support, key, 1, true);
        } else {
            run_save(support, key);
        }
        support_assert_value(support->one, WAITING, "nothing");
        assert_age_s(support, "0");
    }
}

static void the_same_call_again_is_no_progress(void **state)
{
    Support *support = *state;
    LedgerKey key = support_key(1, support_take_one(support->one, 1));
    run_open(support, key, true);
    age(support, 70);
    assert_true(run_note(support->one, key, 60000));
    run_close(support, key, 1, false);
    run_open(support, key, false);
    support_assert_value(support->one, "SELECT intent_number FROM provision.command", "2");
    support_assert_value(support->one, WAITING, "create_branch locked 60");
    assert_age_s(support, "70");
}

static void one_who_lost_the_command_closes_without_ending_the_wait_of_the_owner(void **state)
{
    Support *support = *state;
    LedgerKey former = support_key(1, support_take_one(support->one, 1));
    run_open(support, former, true);
    LedgerKey owner = support_key(1, support_take_one(support->two, 1));
    age(support, 70);
    assert_true(run_note(support->one, owner, 60000));
    run_close(support, former, 1, true);
    support_assert_value(support->one, "SELECT intent_status FROM provision.command", "closed");
    support_assert_value(support->one, WAITING, "create_branch locked 60");
    assert_age_s(support, "70");
}

static void notes_of_many_commands_are_one_statement(void **state)
{
    Support *support = *state;
    LedgerNote notes[3];
    bool written[3];
    LedgerBatch batch;
    Error err = ERROR_INIT;
    for (size_t i = 0; i < 3; i++) {
        notes[i] =
            (LedgerNote){support_key(i, support_take_one(support->one, i)), "s", "key", 1000};
    }
    age(support, 70);
    notes[1].key.epoch = 99;
    ledger_note_build(notes, 3, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_true(ledger_written_decode(rows, written, 3, &err));
    PQclear(rows);
    assert_true(written[0] && !written[1] && written[2]);
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_claim_says_who_and_when, support_empty_tables),
        cmocka_unit_test_setup(a_note_says_what_is_waited_for_and_is_no_progress,
                               support_empty_tables),
        cmocka_unit_test_setup(a_note_that_comes_too_late_changes_nothing, support_empty_tables),
        cmocka_unit_test_setup(what_its_owner_writes_ends_the_wait, support_empty_tables),
        cmocka_unit_test_setup(the_same_call_again_is_no_progress, support_empty_tables),
        cmocka_unit_test_setup(one_who_lost_the_command_closes_without_ending_the_wait_of_the_owner,
                               support_empty_tables),
        cmocka_unit_test_setup(notes_of_many_commands_are_one_statement, support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
