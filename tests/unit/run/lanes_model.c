// Lanes against a model that compares every pair.
#include "run/lanes.h"

#include <stdio.h>
#include <string.h>

#include "lanes_kit.h"
#include "unit.h"

enum { COMMANDS = 40, SUBJECTS = 5, ROUNDS = 2000 };

// Numerical Recipes' generator: the same sequence on every machine.
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

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

// Who joins a subject goes with others that do, and with nobody else that names it.
static bool joins_apart(const Command *a, const Command *b)
{
    return a->joins.kind != SUBJECT_NONE && !subject_equal(&a->joins, &b->joins) &&
           (subject_equal(&a->joins, &b->writes) || reads(b, &a->joins) ||
            subject_equal(&a->joins, &b->excludes));
}

static bool conflict(const Command *a, const Command *b)
{
    return strcmp(a->application_id, b->application_id) == 0 &&
           (subject_equal(&a->writes, &b->writes) || reads(a, &b->writes) || reads(b, &a->writes) ||
            excludes(a, b) || excludes(b, a) || joins_apart(a, b) || joins_apart(b, a));
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
    } else if (kind == 1) {
        one.reads[one.read_count++] = ALL;
    } else if (kind == 2) {
        one.joins = ALL;
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
        cmocka_unit_test(the_same_start_as_in_a_model_that_compares_every_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
