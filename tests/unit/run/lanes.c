#include "run/lanes.h"

#include <stdio.h>
#include <string.h>

#include "lanes_kit.h"
#include "unit.h"

static Command reading(const char *application, unsigned writes, unsigned reads)
{
    Command one = command(application, writes);
    one.reads[one.read_count++] = subject(reads);
    return one;
}

static size_t leave(Lanes *lanes, LaneEntry *entry, LaneEntry *const *expected, size_t count)
{
    List ready;
    size_t found = 0;
    list_init(&ready);
    lanes_leave(lanes, entry, &ready);
    LIST_EACH(&ready, link)
    {
        if (found == count) {
            fail(); // more than expected; the analyzer doesn't know that an assert ends the test
            break;
        }
        assert_ptr_equal(LIST_ENTRY(link, LaneEntry, ready), expected[found]);
        list_remove(link);
        found++;
    }
    assert_int_equal(found, count);
    return found;
}

static void what_writes_and_reads_nothing_waits_for_nobody(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    LaneEntry entries[3] = {{.count = 0}};
    Command writer = command("shop", 1);
    Command cancel = {.writes = {.kind = SUBJECT_NONE}};
    memcpy(cancel.application_id, writer.application_id, sizeof cancel.application_id);
    enter(lanes, &entries[0], &writer);
    enter(lanes, &entries[1], &cancel);
    enter(lanes, &entries[2], &cancel);
    assert_true(entries[0].granted && entries[1].granted && entries[2].granted);
    assert_int_equal(lanes_waiting(lanes), 0);
    for (size_t i = 0; i < 3; i++) {
        (void)leave(lanes, &entries[i], NULL, 0);
    }
    lanes_free(lanes);
}

static void the_same_id_again_waits_whatever_it_is_about(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    LaneEntry entries[3] = {{.count = 0}};
    Command cancel = {.writes = {.kind = SUBJECT_NONE}, .command_id = "twice"};
    Command other = {.writes = {.kind = SUBJECT_NONE}, .command_id = "once"};
    lanes_enter(lanes, &entries[0], &cancel);
    lanes_enter(lanes, &entries[1], &cancel);
    lanes_enter(lanes, &entries[2], &other);
    assert_true(entries[0].granted);
    assert_false(entries[1].granted);
    assert_true(entries[2].granted);
    assert_true(lanes_is_first_of_id(&entries[0]));
    assert_false(lanes_is_first_of_id(&entries[1]));
    LaneEntry *const next[] = {&entries[1]};
    (void)leave(lanes, &entries[0], next, 1);
    assert_true(lanes_is_first_of_id(&entries[1]));
    (void)leave(lanes, &entries[1], NULL, 0);
    (void)leave(lanes, &entries[2], NULL, 0);
    lanes_free(lanes);
}

static void writers_of_one_subject_go_one_after_another(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command one = command("a", 0);
    LaneEntry entries[3] = {{.entered = false}};
    for (int i = 0; i < 3; i++) {
        enter(lanes, &entries[i], &one);
        assert_int_equal(entries[i].granted, i == 0);
    }
    assert_int_equal(lanes_waiting(lanes), 2);
    leave(lanes, &entries[0], (LaneEntry *[]){&entries[1]}, 1);
    assert_true(entries[1].granted);
    leave(lanes, &entries[1], (LaneEntry *[]){&entries[2]}, 1);
    leave(lanes, &entries[2], NULL, 0);
    assert_int_equal(lanes_waiting(lanes), 0);
    lanes_free(lanes);
}

static void readers_go_at_once_and_wait_for_a_writer_between_them(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command first = reading("a", 0, 9);
    Command second = reading("a", 2, 9);
    Command writer = command("a", 9);
    Command third = reading("a", 4, 9);
    Command fourth = reading("a", 6, 9);
    LaneEntry entries[5] = {{.entered = false}};
    enter(lanes, &entries[0], &first);
    enter(lanes, &entries[1], &second);
    enter(lanes, &entries[2], &writer);
    enter(lanes, &entries[3], &third);
    enter(lanes, &entries[4], &fourth);
    assert_true(entries[0].granted && entries[1].granted);
    assert_false(entries[2].granted || entries[3].granted || entries[4].granted);
    leave(lanes, &entries[1], NULL, 0);
    leave(lanes, &entries[0], (LaneEntry *[]){&entries[2]}, 1);
    leave(lanes, &entries[2], (LaneEntry *[]){&entries[3], &entries[4]}, 2);
    leave(lanes, &entries[3], NULL, 0);
    leave(lanes, &entries[4], NULL, 0);
    lanes_free(lanes);
}

static void who_only_reads_its_subject_waits_for_writers_alone(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command reveal = command("a", 0);
    reveal.only_reads = true;
    Command writer = command("a", 0);
    LaneEntry entries[4] = {{.entered = false}};
    enter(lanes, &entries[0], &reveal);
    enter(lanes, &entries[1], &reveal);
    enter(lanes, &entries[2], &writer);
    enter(lanes, &entries[3], &reveal);
    assert_true(entries[0].granted && entries[1].granted);
    assert_false(entries[2].granted || entries[3].granted);
    leave(lanes, &entries[0], NULL, 0);
    leave(lanes, &entries[1], (LaneEntry *[]){&entries[2]}, 1);
    leave(lanes, &entries[2], (LaneEntry *[]){&entries[3]}, 1);
    leave(lanes, &entries[3], NULL, 0);
    lanes_free(lanes);
}

// Changes of environments run at once, but not while something branches off one that it doesn't
// name.
static void who_joins_goes_with_others_and_not_with_readers(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command change = command("a", 0);
    Command other = command("a", 2);
    Command reader = reading("a", 4, 9);
    Command later = reading("a", 6, 9);
    Command last = command("a", 8);
    change.joins = other.joins = last.joins = subject(9);
    LaneEntry entries[5] = {{.entered = false}};
    enter(lanes, &entries[0], &change);
    enter(lanes, &entries[1], &other);
    enter(lanes, &entries[2], &reader);
    enter(lanes, &entries[3], &later);
    enter(lanes, &entries[4], &last);
    assert_true(entries[0].granted && entries[1].granted);
    assert_false(entries[2].granted || entries[3].granted || entries[4].granted);
    leave(lanes, &entries[0], NULL, 0);
    leave(lanes, &entries[1], (LaneEntry *[]){&entries[2], &entries[3]}, 2);
    leave(lanes, &entries[3], NULL, 0);
    leave(lanes, &entries[2], (LaneEntry *[]){&entries[4]}, 1);
    leave(lanes, &entries[4], NULL, 0);
    lanes_free(lanes);
}

static void a_command_that_leaves_without_its_turn_makes_way(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command reader = reading("a", 0, 9);
    Command writer = command("a", 9);
    Command later = reading("a", 2, 9);
    LaneEntry entries[3] = {{.entered = false}};
    enter(lanes, &entries[0], &reader);
    enter(lanes, &entries[1], &writer);
    enter(lanes, &entries[2], &later);
    leave(lanes, &entries[1], (LaneEntry *[]){&entries[2]}, 1);
    leave(lanes, &entries[1], NULL, 0); // it isn't in any more
    leave(lanes, &entries[0], NULL, 0);
    leave(lanes, &entries[2], NULL, 0);
    lanes_free(lanes);
}

static void one_that_leaves_right_after_its_turn_came_is_in_no_list(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command one = command("a", 0);
    LaneEntry first = {.entered = false};
    LaneEntry second = {.entered = false};
    List ready;
    list_init(&ready);
    enter(lanes, &first, &one);
    enter(lanes, &second, &one);
    lanes_leave(lanes, &first, &ready);
    assert_false(list_is_empty(&ready));
    leave(lanes, &second, NULL, 0);
    assert_true(list_is_empty(&ready));
    lanes_free(lanes);
}

static void what_it_reads_and_writes_conflicts_with_itself_never(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command one = reading("a", 3, 3);
    LaneEntry entry = {.entered = false};
    enter(lanes, &entry, &one);
    assert_true(entry.granted);
    leave(lanes, &entry, NULL, 0);
    lanes_free(lanes);
}

static void applications_share_nothing(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    Command one = command("a", 0);
    Command other = command("b", 0);
    LaneEntry entries[2] = {{.entered = false}};
    enter(lanes, &entries[0], &one);
    enter(lanes, &entries[1], &other);
    assert_true(entries[0].granted && entries[1].granted);
    leave(lanes, &entries[0], NULL, 0);
    leave(lanes, &entries[1], NULL, 0);
    lanes_free(lanes);
}

static void who_excludes_waits_for_readers_and_they_for_it(void **state)
{
    (void)state;
    Lanes *lanes = lanes_new();
    LaneEntry entries[5] = {{.entered = false}};
    Command branch = command("a", 0);
    branch.reads[branch.read_count++] = ALL;
    Command delete = command("a", 2);
    delete.excludes = ALL;
    Command next_delete = command("a", 4);
    next_delete.excludes = ALL;
    Command next_branch = command("a", 6);
    next_branch.reads[next_branch.read_count++] = ALL;
    Command beside = command("a", 8);
    enter(lanes, &entries[0], &branch);
    enter(lanes, &entries[1], &delete);
    enter(lanes, &entries[2], &next_delete);
    enter(lanes, &entries[3], &next_branch);
    enter(lanes, &entries[4], &beside);
    assert_true(entries[0].granted && entries[4].granted);
    assert_int_equal(lanes_waiting(lanes), 3);
    for (size_t i = 0; i < 3; i++) {
        leave(lanes, &entries[i], (LaneEntry *[]){&entries[i + 1]}, 1);
    }
    leave(lanes, &entries[3], NULL, 0);
    leave(lanes, &entries[4], NULL, 0);
    lanes_free(lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_writes_and_reads_nothing_waits_for_nobody),
        cmocka_unit_test(the_same_id_again_waits_whatever_it_is_about),
        cmocka_unit_test(writers_of_one_subject_go_one_after_another),
        cmocka_unit_test(readers_go_at_once_and_wait_for_a_writer_between_them),
        cmocka_unit_test(who_only_reads_its_subject_waits_for_writers_alone),
        cmocka_unit_test(who_joins_goes_with_others_and_not_with_readers),
        cmocka_unit_test(a_command_that_leaves_without_its_turn_makes_way),
        cmocka_unit_test(one_that_leaves_right_after_its_turn_came_is_in_no_list),
        cmocka_unit_test(what_it_reads_and_writes_conflicts_with_itself_never),
        cmocka_unit_test(applications_share_nothing),
        cmocka_unit_test(who_excludes_waits_for_readers_and_they_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
