/*
 * Sweeps of accounts with more in them than is told at once.
 */
#include "neon.h"

#include <string.h>

#include "saga/sweep.h"

#define SWEEP "'sweepAccount':{'account':'main','deleteOrphans':true}"
#define SHOP PROJECT("p-1", "shop", "8")
#define NOW "'now_ms':1795400000000" // a day after all of them
#define ORPHAN                                                                                     \
    "{'known':true,'about':true,'finished':true,'settled':true,'action':'BranchEnvironment'}"

static void answer(Stage *stage, const char *step, const char *reply, Decision *decision)
{
    saga_next(&stage->saga, stage->now, decision);
    assert_int_equal(decision->kind, DECISION_EFFECT);
    assert_string_equal(decision->step->name, step);
    (void)talk_answer(stage, decision, reply);
    decision_clear(decision);
}

static void list_many(Stage *stage, size_t count)
{
    Decision decision;
    CLEANUP(text_clear) Text text = TEXT_INIT(2000000);
    answer(stage, "check_ledger", "confirmed {}", &decision);
    answer(stage, "list_projects", PROJECTS(SHOP), &decision);
    text_append(&text, "200 {'branches':[");
    for (size_t i = 0; i < count; i++) {
        text_printf(&text, "%s" BRANCH_AS("br-%zu", "br-0", "b", "9", ""), i > 0 ? "," : "", i);
    }
    text_append(&text, "],'annotations':{");
    for (size_t i = 0; i < count; i++) {
        text_printf(&text, "%s" EARLIER("br-%zu"), i > 0 ? "," : "", i, i);
    }
    text_append(&text, "}}");
    assert_true(text_ok(&text));
    answer(stage, "list_branches", text_get(&text), &decision);
}

// Judges all that is pending; `reply` is what the ledger says of each.
static void judge_many(Stage *stage, size_t count, const char *reply)
{
    Decision decision;
    for (size_t left = count; left > 0;) {
        size_t now = left < SWEEP_JUDGED_MAX ? left : SWEEP_JUDGED_MAX;
        CLEANUP(text_clear) Text text = TEXT_INIT(2000000);
        text_printf(&text, "confirmed {" NOW ",'marks':[");
        for (size_t i = 0; i < now; i++) {
            text_printf(&text, "%s%s", i > 0 ? "," : "", reply);
        }
        text_append(&text, "]}");
        answer(stage, "judge", text_get(&text), &decision);
        left -= now;
    }
    answer(stage, "judge", "confirmed {'expired':[]}", &decision);
    saga_next(&stage->saga, stage->now, &decision);
    assert_int_equal(decision.kind, DECISION_CONCLUDE);
    decision_clear(&decision);
}

static void expect_many(size_t count, const char *reply, size_t told, size_t max_record_bytes,
                        const char *has)
{
    static const Talk TALK = {.name = "many", .action = SWEEP};
    Stage stage;
    stage_open(&stage, &TALK);
    stage.max_record_bytes = max_record_bytes;
    stage_begin(&stage);
    list_many(&stage, count);
    judge_many(&stage, count, reply);
    const json_t *findings = journal_note(&stage.saga.journal, NOTE_SWEEP_FINDINGS);
    assert_int_equal(json_array_size(findings), told);
    CLEANUP(text_clear) Text ending = TEXT_INIT(4000000);
    stage_conclude(&stage, &ending);
    if (strstr(text_get(&ending), has) == NULL) {
        fail_msg("no %s", has);
    }
    bool is_told = strncmp(text_get(&ending), "AccountSwept", strlen("AccountSwept")) == 0;
    bool is_orphan = strcmp(reply, ORPHAN) == 0;
    assert_int_equal(strstr(text_get(&ending), "command{") != NULL, is_told && is_orphan);
    stage_close(&stage);
}

static void many_are_judged_in_pages_and_told_up_to_a_number(void **state)
{
    (void)state;
    expect_many(510, ORPHAN, 500, 1000000, "'omitted':10");
}

static void what_nothing_follows_from_leaves_room_for_the_others(void **state)
{
    (void)state;
    expect_many(260, "{}", 250, 1000000, "'omitted':10");
}

static void what_was_not_told_is_not_deleted(void **state)
{
    (void)state;
    expect_many(20, ORPHAN, 20, 2000, "'code':'OUTCOME_TOO_LARGE'");
}

static void more_projects_than_are_looked_at_are_a_doubt(void **state)
{
    (void)state;
    enum { PAGES = 51, ON_PAGE = 400 };
    static const Talk TALK = {.name = "long", .action = SWEEP};
    Stage stage;
    Decision decision;
    stage_open(&stage, &TALK);
    stage_begin(&stage);
    answer(&stage, "check_ledger", "confirmed {}", &decision);
    for (int page = 0; page < PAGES; page++) {
        CLEANUP(text_clear) Text text = TEXT_INIT(1000000);
        text_append(&text, "200 {'projects':[");
        for (int i = 0; i < ON_PAGE; i++) {
            text_printf(&text, "%s" PROJECT("p-%d", "x", "9"), i > 0 ? "," : "",
                        page * ON_PAGE + i);
        }
        text_printf(&text, "],'pagination':{'cursor':'c-%d'}}", page);
        answer(&stage, "list_projects", text_get(&text), &decision);
    }
    answer(&stage, "list_branches", NO_BRANCHES, &decision);
    const json_t *doubts = journal_note(&stage.saga.journal, NOTE_SWEEP_DOUBTS);
    assert_string_equal(json_string_value(json_array_get(doubts, 0)),
                        "there are more projects than are looked at");
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_judged_in_pages_and_told_up_to_a_number),
        cmocka_unit_test(what_nothing_follows_from_leaves_room_for_the_others),
        cmocka_unit_test(what_was_not_told_is_not_deleted),
        cmocka_unit_test(more_projects_than_are_looked_at_are_a_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
