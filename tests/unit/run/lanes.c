#include "run/lanes.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

enum { COMMANDS = 40, SUBJECTS = 5, ROUNDS = 2000 };

// Numerical Recipes' generator: the same sequence on every machine.
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static Subject subject(unsigned number)
{
    Subject subject = {.kind = number % 2 == 0 ? SUBJECT_ENVIRONMENT : SUBJECT_ACCOUNT};
    (void)snprintf(subject.name, sizeof subject.name, "s%u", number);
    return subject;
}

static const Subject ALL = {.kind = SUBJECT_APPLICATION};

static Command command(const char *application, unsigned writes)
{
    Command command = {.writes = subject(writes)};
    (void)snprintf(command.application_id, sizeof command.application_id, "%s", application);
    return command;
}

// Another command each time, of the same subjects.
static void enter(Lanes *lanes, LaneEntry *entry, Command *command)
{
    static unsigned next;
    (void)snprintf(command->command_id, sizeof command->command_id, "id-%u", next++);
    lanes_enter(lanes, entry, command);
}

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

// ---- against a model that compares every pair

typedef struct Model {
    Command commands[COMMANDS];
    LaneEntry entries[COMMANDS];
    bool is_in[COMMANDS];
    uint64_t entered_at[COMMANDS];
    uint64_t clock;
} Model;

static bool reads(const Command *command, const Subject *wanted)
{
    for (size_t i = 0; i < command->read_count; i++) {
        if (subject_equal(&command->reads[i], wanted)) {
            return true;
        }
    }
    return false;
}

static bool excludes(const Command *a, const Command *b)
{
    return a->excludes.kind != SUBJECT_NONE &&
           (subject_equal(&a->excludes, &b->excludes) || reads(b, &a->excludes));
}

static bool conflict(const Command *a, const Command *b)
{
    return strcmp(a->application_id, b->application_id) == 0 &&
           (subject_equal(&a->writes, &b->writes) || reads(a, &b->writes) || reads(b, &a->writes) ||
            excludes(a, b) || excludes(b, a));
}

static bool may_run(const Model *model, size_t index)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (i != index && model->is_in[i] && model->entered_at[i] < model->entered_at[index] &&
            conflict(&model->commands[i], &model->commands[index])) {
            return false;
        }
    }
    return true;
}

static void check(const Model *model, const Lanes *lanes, uint32_t round)
{
    size_t waiting = 0;
    for (size_t i = 0; i < COMMANDS; i++) {
        if (model->is_in[i]) {
            bool expected = may_run(model, i);
            waiting += expected ? 0 : 1;
            if (model->entries[i].granted != expected) {
                fail_msg("round %u: entry %zu is %sgranted", round, i, expected ? "not " : "");
            }
        }
    }
    assert_int_equal(lanes_waiting(lanes), waiting);
}

static Command any_command(uint32_t *seed)
{
    Command one = command(next(seed) % 2 == 0 ? "a" : "b", next(seed) % SUBJECTS);
    for (uint32_t left = next(seed) % 4; left > 0; left--) {
        one.reads[one.read_count++] = subject(next(seed) % SUBJECTS);
    }
    uint32_t kind = next(seed) % 4;
    if (kind == 0) {
        one.excludes = ALL;
    } else if (kind == 1 && one.read_count < 3) {
        one.reads[one.read_count++] = ALL;
    }
    return one;
}

static void leave_model(Model *model, Lanes *lanes, size_t index)
{
    bool was_granted[COMMANDS];
    List ready;
    list_init(&ready);
    for (size_t i = 0; i < COMMANDS; i++) {
        was_granted[i] = model->is_in[i] && model->entries[i].granted;
    }
    lanes_leave(lanes, &model->entries[index], &ready);
    model->is_in[index] = false;
    LIST_EACH(&ready, link)
    {
        ptrdiff_t entry = LIST_ENTRY(link, LaneEntry, ready) - model->entries;
        assert_true(model->is_in[entry] && !was_granted[entry]);
        was_granted[entry] = true;
        list_remove(link);
    }
    for (size_t i = 0; i < COMMANDS; i++) { // whose turn came was told
        assert_true(!model->is_in[i] || model->entries[i].granted == was_granted[i]);
    }
}

static void the_same_start_as_in_a_model_that_compares_every_pair(void **state)
{
    (void)state;
    static Model model;
    uint32_t seed = 20261122;
    Lanes *lanes = lanes_new();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        size_t index = next(&seed) % COMMANDS;
        if (model.is_in[index]) {
            leave_model(&model, lanes, index);
        } else {
            model.commands[index] = any_command(&seed);
            model.is_in[index] = true;
            model.entered_at[index] = ++model.clock;
            enter(lanes, &model.entries[index], &model.commands[index]);
        }
        check(&model, lanes, round);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (model.is_in[i]) {
            leave_model(&model, lanes, i);
        }
    }
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
        cmocka_unit_test(a_command_that_leaves_without_its_turn_makes_way),
        cmocka_unit_test(one_that_leaves_right_after_its_turn_came_is_in_no_list),
        cmocka_unit_test(what_it_reads_and_writes_conflicts_with_itself_never),
        cmocka_unit_test(applications_share_nothing),
        cmocka_unit_test(who_excludes_waits_for_readers_and_they_for_it),
        cmocka_unit_test(the_same_start_as_in_a_model_that_compares_every_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
