#include <string.h>

#include "ledger/ledger.h"
#include "ledger/sweep.h"
#include "rows.h"

#define ID "00000000-0000-4000-8000-000000000001"

static const LedgerKey KEY = {"shop", ID, 7};

static void assert_statement(LedgerBatch *batch, size_t params, const char *last)
{
    const LedgerStatement *statement = &batch->statements[batch->answer];
    assert_int_equal(batch->answer, batch->count - 1);
    assert_int_equal(statement->param_count, params);
    assert_string_equal(text_get(&statement->params[0]), "{\"shop\"}");
    assert_string_equal(text_get(&statement->params[params - 1]), last);
    char parameter[32];
    (void)snprintf(parameter, sizeof(parameter), "$%zu::", params + 1);
    assert_null(strstr(statement->sql, parameter));
    (void)snprintf(parameter, sizeof(parameter), "$%zu::", params);
    assert_non_null(strstr(statement->sql, parameter));
    ledger_batch_clear(batch);
}

// What writes locks its rows before, in the order of their keys.
static void assert_locked(LedgerBatch *batch, size_t params, const char *last)
{
    assert_int_equal(batch->count, 2);
    const LedgerStatement *lock = &batch->statements[0];
    assert_non_null(strstr(lock->sql, "ORDER BY c.application_id, c.command_id FOR UPDATE OF c"));
    assert_int_equal(lock->param_count, 2);
    assert_string_equal(text_get(&lock->params[0]), "{\"shop\"}");
    assert_string_equal(text_get(&lock->params[1]), "{\"" ID "\"}");
    assert_statement(batch, params, last);
}

static void every_statement_has_the_parameters_that_its_text_names(void **state)
{
    (void)state;
    LedgerBatch batch;
    const LedgerOpen open = {KEY, "s", true, 1, 2, false, true, "{}"};
    ledger_open_build(&open, 1, &batch);
    assert_locked(&batch, 10, "{\"{}\"}");
    const LedgerClose close = {KEY, 3, true, NULL, "{}"};
    ledger_close_build(&close, 1, &batch);
    assert_locked(&batch, 7, "{\"{}\"}");
    ledger_look_build(&KEY, 1, &batch);
    assert_int_equal(batch.count, 1);
    assert_statement(&batch, 3, "{7}");
    const LedgerSave save = {KEY, true, NULL, "{}"};
    ledger_save_build(&save, 1, &batch);
    assert_locked(&batch, 6, "{\"{}\"}");
    const LedgerNote note = {KEY, "s", "locked", 12000};
    ledger_note_build(&note, 1, &batch);
    assert_locked(&batch, 6, "{12000}");
    const LedgerMark mark = {KEY, "main", LEDGER_STATE_NONE, "", "p", "br"};
    ledger_mark_build(&mark, 1, &batch);
    assert_locked(&batch, 8, "{\"br\"}");
    const LedgerDependents dependents = {"shop", "main", "p", "acc", "b"};
    ledger_dependents_build(&dependents, 1, &batch);
    assert_int_equal(batch.count, 1);
    assert_statement(&batch, 5, "{\"b\"}");
    const LedgerJudge judge = {"shop", "acc", "[]"};
    ledger_judge_build(&judge, 1, &batch);
    assert_int_equal(batch.count, 1);
    assert_statement(&batch, 3, "{\"[]\"}");
    const LedgerCondemn condemn = {KEY, "main", "p", "br"};
    ledger_condemn_build(&condemn, 1, &batch);
    assert_locked(&batch, 6, "{\"br\"}");
    const LedgerStop stop = {"shop",      ID,     "00000000-0000-4000-8000-000000000002",
                             "cancelled", "pr:7", "git.example/shop"};
    ledger_stop_build(&stop, 1, &batch);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.statements[0].param_count, 6);
    assert_string_equal(text_get(&batch.statements[0].params[3]), "{\"cancelled\"}");
    assert_string_equal(text_get(&batch.statements[0].params[5]), "{\"git.example/shop\"}");
    assert_statement(&batch, 2, "{\"" ID "\"}");
    const LedgerPublished published = {"shop", ID};
    ledger_published_build(&published, 1, &batch);
    assert_locked(&batch, 2, "{\"" ID "\"}");
    ledger_purge_build(86400000, &batch);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.statements[0].param_count, 1);
    assert_string_equal(text_get(&batch.statements[0].params[0]), "86400000");
    ledger_batch_clear(&batch);
}

static void a_conclusion_writes_one_subject_at_most(void **state)
{
    (void)state;
    const LedgerConclude concludes[] = {
        {.key = KEY, .environment = "main", .state = LEDGER_STATE_READY, .sequence = 1},
        {.key = KEY, .environment = "main", .state = LEDGER_STATE_GONE},
        {.key = KEY, .environment = "", .writes_account = true, .sequence = 1},
        {.key = KEY, .environment = "", .account_project_id = "p", .heeds_stop = true},
        {.key = KEY,
         .environment = "",
         .writes_application = true,
         .preview_base = "main",
         .sequence = 1},
    };
    LedgerBatch batch;
    ledger_conclude_build(concludes, 5, &batch);
    assert_int_equal(batch.statements[1].param_count, 22);
    assert_string_equal(text_get(&batch.statements[1].params[7]),
                        "{\"ready\",\"gone\",NULL,NULL,NULL}");
    assert_string_equal(text_get(&batch.statements[1].params[18]), "{NULL,NULL,NULL,\"p\",NULL}");
    assert_string_equal(text_get(&batch.statements[1].params[19]),
                        "{false,false,false,true,false}");
    assert_string_equal(text_get(&batch.statements[1].params[20]),
                        "{false,false,false,false,true}");
    assert_string_equal(text_get(&batch.statements[1].params[21]),
                        "{NULL,NULL,NULL,NULL,\"main\"}");
    ledger_batch_clear(&batch);
}

static void what_was_opened_has_a_number_and_what_was_not_may_have_a_stop(void **state)
{
    (void)state;
    static const char *const OPENED[] = {"2", "5", NULL, NULL};
    static const char *const STOPPED[] = {"1", NULL, "cancelled", ID};
    static const char *const INVALID[] = {"4", "1", NULL, NULL};
    PGresult *rows = rows_of(OPENED, 4);
    rows_append(rows, STOPPED, 4);
    LedgerOpened opened[3];
    Error err = ERROR_INIT;
    memset(opened, 1, sizeof(opened));
    assert_true(ledger_open_decode(rows, opened, 3, &err));
    assert_false(opened[0].written || opened[2].written);
    assert_true(opened[1].written);
    assert_int_equal(opened[1].number, 5);
    assert_string_equal(opened[0].stop, "cancelled");
    assert_string_equal(opened[0].stopped_by, ID);
    assert_string_equal(opened[2].stop, "");
    rows_append(rows, INVALID, 4);
    assert_false(ledger_open_decode(rows, opened, 3, &err));
    PQclear(rows);
}

static void a_stop_tells_what_became_of_its_target(void **state)
{
    (void)state;
    static const char *const RUNNING[] = {"3", "f", "cancelled", ID,  "CreateEnvironment",
                                          "f", "t", "{\"a\":1}", NULL};
    static const char *const FINISHED[] = {"1", "t", NULL, NULL,  "DeleteEnvironment",
                                           "f", "t", "{}", "6f6b"};
    static const char *const INVALID[] = {"2", "t", NULL, NULL, "x", "f", "t", "[", NULL};
    PGresult *rows = rows_of(RUNNING, 9);
    rows_append(rows, FINISHED, 9);
    LedgerStopped stopped[3];
    Error err = ERROR_INIT;
    memset(stopped, 1, sizeof(stopped));
    assert_true(ledger_stop_decode(rows, stopped, 3, &err));
    assert_true(stopped[0].found && stopped[0].finished && !stopped[1].found);
    assert_memory_equal(stopped[0].outcome.data, "ok", 2);
    assert_string_equal(stopped[0].stop, "");
    assert_true(stopped[2].found && stopped[2].had_intent && !stopped[2].undoing);
    assert_false(stopped[2].finished);
    assert_string_equal(stopped[2].stop, "cancelled");
    assert_string_equal(stopped[2].stopped_by, ID);
    assert_string_equal(stopped[2].action, "CreateEnvironment");
    assert_int_equal(json_integer_value(json_object_get(stopped[2].journal, "a")), 1);
    for (size_t i = 0; i < 3; i++) {
        ledger_stopped_clear(&stopped[i]);
    }
    rows_append(rows, INVALID, 9);
    assert_false(ledger_stop_decode(rows, stopped, 3, &err));
    assert_false(stopped[0].found || stopped[2].found); // nothing is left to clear
    PQclear(rows);
}

static void a_close_tells_apart_written_and_current(void **state)
{
    (void)state;
    static const char *const WRITTEN[] = {"1", "t", "f"};
    static const char *const CURRENT[] = {"2", "f", "t"};
    static const char *const INVALID[] = {"1", "t", "no"};
    PGresult *rows = rows_of(WRITTEN, 3);
    rows_append(rows, CURRENT, 3);
    LedgerClosed closed[3];
    Error err = ERROR_INIT;
    memset(closed, 1, sizeof(closed));
    assert_true(ledger_close_decode(rows, closed, 3, &err));
    assert_true(closed[0].written && !closed[0].current);
    assert_true(!closed[1].written && closed[1].current);
    assert_false(closed[2].written || closed[2].current);
    rows_append(rows, INVALID, 3);
    assert_false(ledger_close_decode(rows, closed, 3, &err));
    PQclear(rows);
}

static void a_look_sees_the_intent_and_the_stop(void **state)
{
    (void)state;
    static const char *const CLOSED[] = {"1", "t",   "closed",          "s",          "4", "3",
                                         "f", "-20", "{\"id\": \"p\"}", "superseded", ID};
    static const char *const INVALID[] = {"2", "t",  "open", "s",  "4", "3",
                                          "f", NULL, "[]",   NULL, NULL};
    PGresult *rows = rows_of(CLOSED, ROWS_COUNT(CLOSED));
    LedgerLook looks[2] = {{.current = true}, {.current = true}};
    Error err = ERROR_INIT;
    for (int i = 0; i < 2; i++) {
        assert_true(ledger_look_decode(rows, looks, 2, &err));
        assert_true(looks[0].current);
        assert_false(looks[1].current);
        assert_int_equal(looks[0].intent.status, LEDGER_INTENT_CLOSED);
        assert_int_equal(looks[0].intent.settled_in_ms, -20);
        assert_string_equal(json_string_value(json_object_get(looks[0].intent.result, "id")), "p");
        assert_string_equal(looks[0].stop, "superseded");
        assert_string_equal(looks[0].stopped_by, ID);
    }
    rows_append(rows, INVALID, ROWS_COUNT(INVALID));
    assert_false(ledger_look_decode(rows, looks, 2, &err));
    ledger_intent_clear(&looks[0].intent);
    ledger_intent_clear(&looks[1].intent);
    assert_null(looks[0].intent.result);
    PQclear(rows);
}

static void a_row_that_comes_back_was_written(void **state)
{
    (void)state;
    static const char *const SECOND[] = {"2"};
    static const char *const INVALID[] = {"4"};
    PGresult *rows = rows_of(SECOND, 1);
    bool written[3] = {true, true, true};
    Error err = ERROR_INIT;
    assert_true(ledger_written_decode(rows, written, 3, &err));
    assert_true(!written[0] && written[1] && !written[2]);
    rows_append(rows, INVALID, 1);
    assert_false(ledger_written_decode(rows, written, 3, &err));
    assert_string_equal(err.code, "LEDGER_ROW_INVALID");
    PQclear(rows);
}

static void dependents_are_listed_up_to_the_room_and_counted_whole(void **state)
{
    (void)state;
    static const char *const FIRST[] = {"2", "300", "shop", "main", "creating", "branched", NULL};
    static const char *const SECOND[] = {"2", "300", "blog", "main", "deleting", "created", "br-1"};
    static const char *const OTHER[] = {"1", "1", "x", "y", "ready", "created", NULL};
    PGresult *rows = rows_of(OTHER, 7);
    rows_append(rows, FIRST, 7);
    rows_append(rows, SECOND, 7);
    LedgerDependent list[2];
    assert_int_equal(ledger_dependents_decode(rows, 1, list, 2), 300);
    assert_string_equal(list[0].application_id, "shop");
    assert_string_equal(list[0].branch_id, "");
    assert_string_equal(list[1].branch_id, "br-1");
    assert_string_equal(list[1].origin, "created");
    assert_int_equal(list[1].state, LEDGER_STATE_DELETING);
    assert_int_equal(ledger_dependents_decode(rows, 1, list, 1), 300);
    assert_int_equal(ledger_dependents_decode(rows, 0, list, 2), 1);
    assert_string_equal(list[0].environment, "y");
    assert_int_equal(ledger_dependents_decode(rows, 2, list, 2), 0);
    PQclear(rows);
}

static void judgements_come_back_in_the_order_they_were_asked(void **state)
{
    (void)state;
    static const char *const SECOND[] = {"2", "{\"present\": \"x\"}"};
    static const char *const TWICE[] = {"2", "{}"};
    static const char *const INVALID[] = {"1", "[]"};
    PGresult *rows = rows_of(SECOND, 2);
    json_t *answers[3];
    Error err = ERROR_INIT;
    assert_true(ledger_judge_decode(rows, answers, 3, &err));
    assert_null(answers[0]);
    assert_string_equal(json_string_value(json_object_get(answers[1], "present")), "x");
    assert_null(answers[2]);
    json_decref(answers[1]);
    rows_append(rows, TWICE, 2);
    rows_append(rows, INVALID, 2);
    assert_false(ledger_judge_decode(rows, answers, 3, &err));
    assert_string_equal(err.code, "LEDGER_ROW_INVALID");
    assert_null(answers[1]);
    PQclear(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_has_the_parameters_that_its_text_names),
        cmocka_unit_test(a_conclusion_writes_one_subject_at_most),
        cmocka_unit_test(what_was_opened_has_a_number_and_what_was_not_may_have_a_stop),
        cmocka_unit_test(a_close_tells_apart_written_and_current),
        cmocka_unit_test(a_stop_tells_what_became_of_its_target),
        cmocka_unit_test(a_look_sees_the_intent_and_the_stop),
        cmocka_unit_test(a_row_that_comes_back_was_written),
        cmocka_unit_test(dependents_are_listed_up_to_the_room_and_counted_whole),
        cmocka_unit_test(judgements_come_back_in_the_order_they_were_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
