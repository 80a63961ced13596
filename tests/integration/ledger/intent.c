#include "support.h"

#include <stdlib.h>
#include <string.h>

static LedgerOpen open_of(size_t i, int64_t epoch)
{
    return (LedgerOpen){
        .key = support_key(i, epoch),
        .step = "create_project",
        .settles = true,
        .send_window_ms = 15000,
        .settle_after_ms = 90000,
        .goes_on = true,
        .journal = "{\"name\": \"x\"}",
    };
}

static LedgerOpened run_open(PGconn *connection, const LedgerOpen *open)
{
    LedgerBatch batch;
    LedgerOpened opened;
    Error err = ERROR_INIT;
    ledger_open_build(open, 1, &batch);
    PGresult *rows = support_run(connection, &batch);
    assert_true(ledger_open_decode(rows, &opened, 1, &err));
    PQclear(rows);
    return opened;
}

static LedgerClosed run_close(PGconn *connection, LedgerKey key, int64_t number)
{
    LedgerClose close = {key, number, true, "{\"id\": \"p-1\"}", "{\"closed\": true}"};
    LedgerBatch batch;
    LedgerClosed closed;
    Error err = ERROR_INIT;
    ledger_close_build(&close, 1, &batch);
    PGresult *rows = support_run(connection, &batch);
    assert_true(ledger_close_decode(rows, &closed, 1, &err));
    PQclear(rows);
    return closed;
}

// The result's intent is cleared by the caller.
static LedgerLook run_look(PGconn *connection, LedgerKey key)
{
    LedgerBatch batch;
    LedgerLook look = {.current = false};
    Error err = ERROR_INIT;
    ledger_look_build(&key, 1, &batch);
    PGresult *rows = support_run(connection, &batch);
    assert_true(ledger_look_decode(rows, &look, 1, &err));
    PQclear(rows);
    return look;
}

static void an_intent_is_committed_with_its_limits_and_the_journal(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    LedgerOpen open = open_of(1, epoch);
    LedgerOpened opened = run_open(support->one, &open);
    assert_true(opened.written);
    assert_int_equal(opened.number, 1);
    LedgerLook look = run_look(support->two, open.key);
    assert_true(look.current);
    assert_int_equal(look.intent.status, LEDGER_INTENT_OPEN);
    assert_string_equal(look.intent.step, "create_project");
    assert_int_equal(look.intent.number, 1);
    assert_int_equal(look.intent.epoch, epoch);
    assert_true(look.intent.settles);
    assert_in_range(look.intent.settled_in_ms, 90000, 105000);
    assert_null(look.intent.result);
    ledger_intent_clear(&look.intent);
    support_assert_value(support->one, "SELECT journal FROM provision.command",
                         "{\"name\": \"x\"}");
    support_assert_value(support->one,
                         "SELECT sent_before > now() + interval '14 s' AND "
                         "sent_before <= now() + interval '15 s' FROM provision.command",
                         "t");
}

static void a_stale_epoch_opens_closes_and_sees_nothing_as_its_own(void **state)
{
    Support *support = *state;
    (void)support_take_one(support->one, 1);
    (void)support_take_one(support->two, 1);
    LedgerOpen open = open_of(1, 1);
    LedgerOpened opened = run_open(support->one, &open);
    assert_false(opened.written);
    assert_int_equal(opened.number, 0);
    LedgerClosed closed = run_close(support->one, open.key, 1);
    assert_false(closed.written || closed.current);
    LedgerLook look = run_look(support->one, open.key);
    assert_false(look.current);
    assert_int_equal(look.intent.status, LEDGER_INTENT_NONE);
    support_assert_value(support->one, "SELECT journal FROM provision.command", "{}");
    support_assert_value(support->one, "SELECT intent_number FROM provision.command", "0");
}

static void a_stop_mark_keeps_a_command_that_has_not_turned_from_opening(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    support_execute(support->one, "UPDATE provision.command SET stop = 'cancelled', stopped_by = "
                                  "'00000000-0000-4000-8000-0000000000ff'");
    LedgerOpen open = open_of(1, epoch);
    LedgerOpened opened = run_open(support->one, &open);
    assert_false(opened.written);
    assert_string_equal(opened.stop, "cancelled");
    assert_string_equal(opened.stopped_by, "00000000-0000-4000-8000-0000000000ff");
    open.is_final = true; // nothing turns it any more
    assert_true(run_open(support->one, &open).written);
    open.is_final = false;
    support_execute(support->one, "UPDATE provision.command SET direction = 'undo'");
    opened = run_open(support->one, &open);
    assert_true(opened.written);
    assert_string_equal(opened.stop, "cancelled");
}

static void closing_keeps_the_result_and_the_journal(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    LedgerOpen open = open_of(1, epoch);
    int64_t number = run_open(support->one, &open).number;
    LedgerClosed closed = run_close(support->one, open.key, number);
    assert_true(closed.written && closed.current);
    LedgerLook look = run_look(support->one, open.key);
    assert_int_equal(look.intent.status, LEDGER_INTENT_CLOSED);
    assert_string_equal(json_string_value(json_object_get(look.intent.result, "id")), "p-1");
    ledger_intent_clear(&look.intent);
    support_assert_value(support->one, "SELECT journal FROM provision.command",
                         "{\"closed\": true}");
    closed = run_close(support->one, open.key, number);
    assert_false(closed.written);
    assert_true(closed.current);
}

static void a_former_opener_closes_its_intent_but_writes_no_journal(void **state)
{
    Support *support = *state;
    LedgerOpen open = open_of(1, support_take_one(support->one, 1));
    int64_t number = run_open(support->one, &open).number;
    int64_t epoch = support_take_one(support->two, 1);
    support_assert_value(support->one, "SELECT abandoned FROM provision.command", "1");
    LedgerClosed closed = run_close(support->one, open.key, number);
    assert_true(closed.written);
    assert_false(closed.current);
    LedgerLook look = run_look(support->two, support_key(1, epoch));
    assert_true(look.current);
    assert_int_equal(look.intent.status, LEDGER_INTENT_CLOSED);
    assert_string_equal(json_string_value(json_object_get(look.intent.result, "id")), "p-1");
    ledger_intent_clear(&look.intent);
    support_assert_value(support->one, "SELECT journal FROM provision.command",
                         "{\"name\": \"x\"}");
    support_assert_value(support->one, "SELECT abandoned FROM provision.command", "0");
}

static void takeovers_of_one_open_intent_count_once(void **state)
{
    Support *support = *state;
    LedgerOpen open = open_of(1, support_take_one(support->one, 1));
    (void)run_open(support->one, &open);
    (void)support_take_one(support->two, 1);
    open.key.epoch = support_take_one(support->one, 1);
    support_assert_value(support->one, "SELECT abandoned FROM provision.command", "1");
    support_assert_value(support->one, "SELECT takeovers FROM provision.command", "2");
    (void)run_open(support->one, &open);
    (void)support_take_one(support->two, 1);
    support_assert_value(support->one, "SELECT abandoned FROM provision.command", "2");
}

static void an_intent_passed_over_is_remembered_until_it_is_settled(void **state)
{
    Support *support = *state;
    LedgerOpen open = open_of(1, support_take_one(support->one, 1));
    LedgerKey former = open.key;
    int64_t passed_over = run_open(support->one, &open).number;
    open.key.epoch = support_take_one(support->two, 1);
    open.send_window_ms = 1;
    open.settle_after_ms = 1;
    open.settles = false;
    assert_int_equal(run_open(support->two, &open).number, passed_over + 1);
    support_assert_value(support->one,
                         "SELECT unsettled_until > now() + interval '100 s' AND settled_at < now() "
                         "+ interval '1 s' FROM provision.command",
                         "t");
    LedgerClosed closed = run_close(support->one, former, passed_over);
    assert_false(closed.written || closed.current);
    assert_true(run_open(support->two, &open).written);
    support_assert_value(support->one,
                         "SELECT unsettled_until > now() + interval '100 s' FROM provision.command",
                         "t");
    LedgerClaim claim = support_claim(1);
    LedgerClaimed claimed = {.answered = false};
    support_take(support->one, &claim, 1, &claimed);
    assert_true(claimed.had_intent);
    assert_in_range(claimed.unsettled_in_ms, 90000, 105000);
    assert_false(claimed.intent.settles);
    ledger_claimed_clear(&claimed);
}

static void a_closed_intent_is_not_remembered(void **state)
{
    Support *support = *state;
    LedgerOpen open = open_of(1, support_take_one(support->one, 1));
    int64_t number = run_open(support->one, &open).number;
    assert_true(run_close(support->one, open.key, number).written);
    assert_true(run_open(support->one, &open).written);
    support_assert_value(support->one, "SELECT unsettled_until FROM provision.command", NULL);
}

static void a_batch_writes_what_is_current_and_leaves_the_rest(void **state)
{
    Support *support = *state;
    LedgerClaim claims[SUPPORT_BATCH];
    LedgerOpen opens[SUPPORT_BATCH];
    LedgerOpened opened[SUPPORT_BATCH];
    LedgerClaimed *claimed = calloc(SUPPORT_BATCH, sizeof(*claimed));
    for (size_t i = 0; i < SUPPORT_BATCH; i++) {
        claims[i] = support_claim(i);
        opens[i] = open_of(SUPPORT_BATCH - 1 - i, i % 3 == 0 ? 7 : 1);
    }
    support_take(support->one, claims, SUPPORT_BATCH, claimed);
    LedgerBatch batch;
    Error err = ERROR_INIT;
    ledger_open_build(opens, SUPPORT_BATCH, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_true(ledger_open_decode(rows, opened, SUPPORT_BATCH, &err));
    PQclear(rows);
    for (size_t i = 0; i < SUPPORT_BATCH; i++) {
        assert_int_equal(opened[i].written, i % 3 != 0);
        ledger_claimed_clear(&claimed[i]);
    }
    free(claimed);
    support_assert_value(
        support->one, "SELECT count(*) FROM provision.command WHERE intent_status = 'open'", "133");
}

static void hostile_texts_come_back_as_they_were(void **state)
{
    Support *support = *state;
    for (size_t i = 0; i < SUPPORT_HOSTILE_COUNT; i++) {
        LedgerOpen open = open_of(i, support_take_one(support->one, i));
        json_t *journal = json_pack("{s:s}", "text", SUPPORT_HOSTILE[i]);
        char *dumped = json_dumps(journal, 0);
        open.step = SUPPORT_HOSTILE[i];
        open.journal = dumped;
        assert_true(run_open(support->one, &open).written);
        free(dumped);
        LedgerClaim claim = support_claim(i);
        LedgerClaimed claimed = {.answered = false};
        support_take(support->one, &claim, 1, &claimed);
        assert_true(json_equal(claimed.journal, journal));
        assert_string_equal(claimed.intent.step, SUPPORT_HOSTILE[i]);
        ledger_claimed_clear(&claimed);
        json_decref(journal);
    }
}

static void opening_while_another_claims_is_decided_by_the_row_s_lock(void **state)
{
    Support *support = *state;
    LedgerOpen open = open_of(1, support_take_one(support->one, 1));
    support_execute(support->two, "BEGIN");
    int64_t epoch = support_take_one(support->two, 1);
    LedgerBatch batch;
    ledger_open_build(&open, 1, &batch);
    support_send(support->one, &batch);
    support_await_blocked(support->two, support->one, support->two);
    support_execute(support->two, "COMMIT");
    PGresult *rows = support_receive(support->one, 2, 1);
    LedgerOpened opened;
    Error err = ERROR_INIT;
    assert_true(ledger_open_decode(rows, &opened, 1, &err));
    PQclear(rows);
    assert_false(opened.written);
    open.key.epoch = epoch;
    assert_true(run_open(support->two, &open).written);
}

// Each batch locks in the order of the keys, whatever order its rows have: else rounds end as
// deadlocks.
static void batches_of_two_workers_in_opposite_orders_take_turns(void **state)
{
    enum { ROUNDS = 25 };
    Support *support = *state;
    LedgerOpen up[SUPPORT_BATCH];
    LedgerClose down[SUPPORT_BATCH];
    for (size_t i = 0; i < SUPPORT_BATCH; i++) {
        size_t last = SUPPORT_BATCH - 1 - i;
        up[i] = open_of(i, support_take_one(support->one, i));
        down[i] = (LedgerClose){support_key(last, 1), 1, true, NULL, "{}"};
    }
    for (int round = 0; round < ROUNDS; round++) {
        LedgerBatch batch;
        ledger_open_build(up, SUPPORT_BATCH, &batch);
        support_send(support->one, &batch);
        ledger_close_build(down, SUPPORT_BATCH, &batch);
        support_send(support->two, &batch);
        PGresult *opened = support_receive(support->one, 2, 1);
        PGresult *closed = support_receive(support->two, 2, 1);
        assert_int_equal(PQntuples(opened), SUPPORT_BATCH);
        assert_int_equal(PQntuples(closed), SUPPORT_BATCH);
        PQclear(opened);
        PQclear(closed);
    }
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_intent_is_committed_with_its_limits_and_the_journal,
                               support_empty_tables),
        cmocka_unit_test_setup(a_stale_epoch_opens_closes_and_sees_nothing_as_its_own,
                               support_empty_tables),
        cmocka_unit_test_setup(a_stop_mark_keeps_a_command_that_has_not_turned_from_opening,
                               support_empty_tables),
        cmocka_unit_test_setup(closing_keeps_the_result_and_the_journal, support_empty_tables),
        cmocka_unit_test_setup(a_former_opener_closes_its_intent_but_writes_no_journal,
                               support_empty_tables),
        cmocka_unit_test_setup(takeovers_of_one_open_intent_count_once, support_empty_tables),
        cmocka_unit_test_setup(an_intent_passed_over_is_remembered_until_it_is_settled,
                               support_empty_tables),
        cmocka_unit_test_setup(a_closed_intent_is_not_remembered, support_empty_tables),
        cmocka_unit_test_setup(a_batch_writes_what_is_current_and_leaves_the_rest,
                               support_empty_tables),
        cmocka_unit_test_setup(hostile_texts_come_back_as_they_were, support_empty_tables),
        cmocka_unit_test_setup(opening_while_another_claims_is_decided_by_the_row_s_lock,
                               support_empty_tables),
        cmocka_unit_test_setup(batches_of_two_workers_in_opposite_orders_take_turns,
                               support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
