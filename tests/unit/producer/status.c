#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/checklist.h"
#include "ctl/exit_code.h"
#include "ctl/progress_map.h"
#include "ctl/status_print.h"
#include "unit.h"

typedef struct Paper {
    char *text;
    size_t size;
    FILE *file;
} Paper;

static void paper_open(Paper *paper)
{
    *paper = (Paper){.text = NULL};
    paper->file = open_memstream(&paper->text, &paper->size);
    assert_non_null(paper->file);
}

static void paper_read(Paper *paper)
{
    assert_int_equal(fclose(paper->file), 0);
    paper->file = NULL;
}

static void paper_clear(Paper *paper)
{
    free(paper->text);
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(json);
    return json;
}

static void assert_whole(const char *json, const char *expected)
{
    json_t *command CLEANUP(free_json) = parse(json);
    Paper paper CLEANUP(paper_clear) = {.text = NULL};
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    status_print_whole(&screen, command);
    paper_read(&paper);
    assert_string_equal(paper.text, expected);
}

static void spans_are_short(void **state)
{
    (void)state;
    static const struct {
        json_int_t seconds;
        const char *text;
    } CASES[] = {{-1, ""},          {0, "0s"},        {59, "59s"},
                 {60, "1m00s"},     {3599, "59m59s"}, {3600, "1h00m"},
                 {86399, "23h59m"}, {86400, "1d00h"}, {90000, "1d01h"}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Text text CLEANUP(text_clear) = TEXT_INIT(64);
        status_append_span(&text, CASES[i].seconds);
        assert_string_equal(text_get(&text), CASES[i].text);
    }
}

static void a_command_that_waits_shows_where_and_for_what(void **state)
{
    (void)state;
    assert_whole(
        "{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"action\":\"CreateEnvironment\","
        "\"source\":\"ledger\",\"state\":\"running\",\"idleSeconds\":130,\"progressAt\":"
        "\"T1\",\"subject\":\"applications/shop/environments/live\",\"step\":"
        "\"create_project\",\"waitingFor\":\"locked\",\"waitingText\":\"Neon\","
        "\"waitingSince\":\"T2\",\"waitingSeconds\":70,\"worker\":\"one-7\","
        "\"claimedAt\":\"T0\",\"attempts\":1,\"partition\":3,\"offset\":17}",
        "CreateEnvironment c1 of shop\n"
        "  subject    applications/shop/environments/live\n"
        "  state      running, no progress for 2m10s (since T1)\n"
        "  step       create_project\n"
        "  waits for  Neon, for 1m10s (since T2)\n"
        "  worker     one-7, since T0\n"
        "  record     partition 3, offset 17\n");
}

static void an_open_call_and_what_turned_it_are_shown(void **state)
{
    (void)state;
    assert_whole("{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"source\":\"ledger\",\"state\":"
                 "\"undoing\",\"idleSeconds\":5,\"progressAt\":\"T1\",\"intentOpen\":true,"
                 "\"intentStep\":\"create_branch\",\"settledAt\":\"T3\",\"settledInSeconds\":65,"
                 "\"step\":\"create_branch\",\"firstError\":{\"code\":\"CANCELLED\",\"text\":"
                 "\"stopped\",\"step\":\"await_branch\"},\"stop\":\"cancelled\",\"stoppedBy\":"
                 "\"c2\",\"worker\":\"two\",\"attempts\":3,\"abandoned\":2}",
                 "Command c1 of shop\n"
                 "  state      undoing, no progress for 5s (since T1)\n"
                 "  step       create_branch\n"
                 "  open call  create_branch; what it did is settled in 1m05s (at T3)\n"
                 "  turned by  CANCELLED: stopped (step await_branch)\n"
                 "  stop       cancelled by c2\n"
                 "  worker     two, claimed 3 times, 2 calls left open by workers that stopped\n");
}

static void calls_that_are_settled_or_need_not_be_say_so(void **state)
{
    (void)state;
    assert_whole("{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"intentOpen\":true,"
                 "\"intentStep\":\"s\",\"settledAt\":\"T3\",\"settledInSeconds\":-5}",
                 "Command c1 of shop\n"
                 "  open call  s; what it did is settled since T3\n");
    assert_whole("{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"intentOpen\":true,"
                 "\"intentStep\":\"s\",\"lastCall\":\"s\"}",
                 "Command c1 of shop\n"
                 "  step       behind s, its last call that changes something\n"
                 "  open call  s; a deletion by exact id\n");
}

static void an_outcome_says_whether_it_is_published(void **state)
{
    (void)state;
    assert_whole("{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"source\":\"ledger\",\"state\":"
                 "\"publishing\",\"outcome\":\"CommandFailed\",\"code\":\"X\",\"message\":\"why\","
                 "\"finishedAt\":\"T4\"}",
                 "Command c1 of shop\n"
                 "  state      publishing\n"
                 "  outcome    CommandFailed X: why, at T4, not published yet\n");
    assert_whole("{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"source\":\"ledger\",\"state\":"
                 "\"finished\",\"idleSeconds\":9,\"outcome\":\"EnvironmentCreated\",\"finishedAt\":"
                 "\"T4\",\"publishedAt\":\"T5\"}",
                 "Command c1 of shop\n"
                 "  state      finished\n"
                 "  outcome    EnvironmentCreated, at T4, published at T5\n");
}

static void the_topics_say_what_they_cannot_know(void **state)
{
    (void)state;
    assert_whole("{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"source\":\"topics\",\"state\":"
                 "\"unfinished\",\"aheadOfIt\":2,\"partition\":1,\"offset\":5,\"sentAt\":\"T0\","
                 "\"unknown\":\"who has it\"}",
                 "Command c1 of shop\n"
                 "  state      unfinished\n"
                 "  queue      unfinished commands of the application before it: 2\n"
                 "  record     partition 1, offset 5, sent at T0\n"
                 "  unknown    who has it\n");
}

static void foreign_text_steers_no_terminal(void **state)
{
    (void)state;
    assert_whole("{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"worker\":\"a\\u001b[2J\"}",
                 "Command c1 of shop\n"
                 "  worker     a?[2J\n");
}

static void many_commands_are_a_table(void **state)
{
    (void)state;
    json_t *commands CLEANUP(free_json) = parse(
        "[{\"commandId\":\"c1\",\"applicationId\":\"shop\",\"subject\":\"applications/shop/"
        "accounts/m\",\"action\":\"CreateEnvironment\","
        "\"state\":\"running\",\"step\":\"create_project\",\"waitingFor\":\"locked\",\"worker\":"
        "\"one\",\"idleSeconds\":130},{\"commandId\":\"c2\",\"applicationId\":\"a\",\"state\":"
        "\"unclaimed\",\"idleSeconds\":3}]");
    Paper paper CLEANUP(paper_clear) = {.text = NULL};
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    status_print_table(&screen, commands);
    paper_read(&paper);
    assert_string_equal(
        paper.text,
        "IDLE   SUBJECT          ACTION             STATE      STEP            WAITS FOR  WORKER  "
        "COMMAND\n"
        "2m10s  shop/accounts/m  CreateEnvironment  running    create_project  locked     one     "
        "c1\n"
        "3s     a                -                  unclaimed  -               -          -       "
        "c2\n");
}

static void no_command_is_said_so(void **state)
{
    (void)state;
    json_t *commands CLEANUP(free_json) = json_array();
    Paper paper CLEANUP(paper_clear) = {.text = NULL};
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    status_print_table(&screen, commands);
    paper_read(&paper);
    assert_string_equal(paper.text, "none\n");
}

// ---- the checklist

static void a_clock_is_judged_by_what_is_sure(void **state)
{
    (void)state;
    static const struct {
        int64_t skew_ms;
        int64_t uncertainty_ms;
        const char *expected;
    } CASES[] = {
        {0, 3, "ok       c                      agrees with ours to within 3 ms\n"},
        {-900, 0, "ok       c                      agrees with ours to within 900 ms\n"},
        {1500, 500, "ok       c                      agrees with ours to within 2000 ms\n"},
        {1501, 500, "warning  c                      1501 ms ahead of ours"},
        {-30500, 500, "warning  c                      30500 ms behind ours"},
        {30501, 500, "FAILED   c                      30501 ms ahead of ours"},
        {-86400000, 1, "FAILED   c                      86400000 ms behind ours"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Paper paper CLEANUP(paper_clear) = {.text = NULL};
        paper_open(&paper);
        Checklist list = {.screen = {.file = paper.file}};
        checklist_add_clock(&list, "c", CASES[i].skew_ms, CASES[i].uncertainty_ms);
        paper_read(&paper);
        assert_true(strncmp(paper.text, CASES[i].expected, strlen(CASES[i].expected)) == 0);
    }
}

static void only_a_failure_changes_the_exit_code(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear) = {.text = NULL};
    paper_open(&paper);
    Checklist list = {.screen = {.file = paper.file}};
    checklist_add(&list, CHECK_OK, "a", "fine");
    checklist_add(&list, CHECK_SKIPPED, "b", "not %s", "tried");
    checklist_add(&list, CHECK_WARNING, "c", "hm");
    assert_int_equal(checklist_conclude(&list), EXIT_CODE_OK);
    const ProvisionError error = {.code = "X", .text = "broken"};
    checklist_fail(&list, "d", &error);
    assert_int_equal(checklist_conclude(&list), EXIT_CODE_FINDINGS);
    paper_read(&paper);
    assert_string_equal(paper.text, "ok       a                      fine\n"
                                    "-        b                      not tried\n"
                                    "warning  c                      hm\n"
                                    "0 failed, 1 warnings\n"
                                    "FAILED   d                      broken (X)\n"
                                    "1 failed, 1 warnings\n");
}

static void programs_get_an_object_for_each_check(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear) = {.text = NULL};
    paper_open(&paper);
    Checklist list = {.screen = {.file = paper.file}, .json = true};
    checklist_add(&list, CHECK_WARNING, "c", "hm \"%s\"", "x");
    checklist_add(&list, CHECK_FAILED, "d", "\xff");
    assert_int_equal(checklist_conclude(&list), EXIT_CODE_FINDINGS);
    paper_read(&paper);
    assert_string_equal(paper.text,
                        "{\"check\":\"c\",\"result\":\"warning\",\"text\":\"hm \\\"x\\\"\"}\n"
                        "{\"check\":\"d\",\"result\":\"failed\"}\n");
}

// ---- the completion map of others

static void read_map(int64_t committed, const char *metadata, ProgressMap *ret_map)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s", metadata);
    rd_kafka_topic_partition_t partition = {
        .offset = committed, .metadata = text, .metadata_size = strlen(text)};
    progress_map_read(&partition, ret_map);
}

static void what_is_finished_is_read_from_offset_and_map(void **state)
{
    (void)state;
    CompletionEntry entries[] = {{10, 5}, {12, 0}};
    const CompletionMap written = {.entries = entries, .count = 2, .end = 15};
    Text text CLEANUP(text_clear) = TEXT_INIT(4096);
    completion_text_append(&written, &text);
    ProgressMap map CLEANUP(progress_map_clear) = {.committed = -1};
    read_map(10, text_get(&text), &map);
    assert_null(map.void_reason);
    static const bool FINISHED[] = {true, false, true, false, true, true, false, false}; // 9 …
    for (int64_t offset = 9; offset <= 16; offset++) {
        assert_int_equal(progress_map_is_finished(&map, offset), FINISHED[offset - 9]);
    }
    assert_int_equal(progress_map_backlog(&map, 0, 20), 2 + 5);
    assert_int_equal(progress_map_backlog(&map, 0, 15), 2);
}

static void without_a_map_all_behind_the_offset_waits(void **state)
{
    (void)state;
    ProgressMap map;
    read_map(10, "", &map);
    assert_true(progress_map_is_finished(&map, 9));
    assert_false(progress_map_is_finished(&map, 10));
    assert_int_equal(progress_map_backlog(&map, 3, 14), 4);
    read_map(-1001, "", &map);
    assert_false(progress_map_is_finished(&map, 0));
    assert_int_equal(progress_map_backlog(&map, 3, 14), 11);
    read_map(10, "rubbish", &map);
    assert_non_null(map.void_reason);
    assert_int_equal(progress_map_backlog(&map, 3, 14), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_short),
        cmocka_unit_test(a_command_that_waits_shows_where_and_for_what),
        cmocka_unit_test(an_open_call_and_what_turned_it_are_shown),
        cmocka_unit_test(calls_that_are_settled_or_need_not_be_say_so),
        cmocka_unit_test(an_outcome_says_whether_it_is_published),
        cmocka_unit_test(the_topics_say_what_they_cannot_know),
        cmocka_unit_test(foreign_text_steers_no_terminal),
        cmocka_unit_test(many_commands_are_a_table),
        cmocka_unit_test(no_command_is_said_so),
        cmocka_unit_test(a_clock_is_judged_by_what_is_sure),
        cmocka_unit_test(only_a_failure_changes_the_exit_code),
        cmocka_unit_test(programs_get_an_object_for_each_check),
        cmocka_unit_test(what_is_finished_is_read_from_offset_and_map),
        cmocka_unit_test(without_a_map_all_behind_the_offset_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
