#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contract/completion.h"
#include "kit.h"

// A partition of a few hundred records, some offsets of which are transaction markers, and a model
// of it: what was finished. Whatever the order of deliveries, completions and restarts, no finished
// record runs again and no unfinished one is passed over.
enum { RECORDS = 400, ROUNDS = 200, RUNNING_MAX = 24 };

typedef struct Model {
    uint32_t seed;
    bool is_marker[RECORDS];
    bool is_finished[RECORDS];
    bool is_running[RECORDS];
    int64_t position; // next offset to deliver
    size_t running;
    size_t left; // records that aren't finished
    Completion *completion;
} Model;

static uint32_t next_random(Model *model, uint32_t below)
{
    model->seed = model->seed * 1664525 + 1013904223;
    return (model->seed >> 8) % below;
}

static void deliver(Model *model)
{
    while (model->position < RECORDS && model->is_marker[model->position]) {
        model->position++;
    }
    if (model->position == RECORDS || model->running == RUNNING_MAX) {
        return;
    }
    int64_t offset = model->position++;
    const char *reason = NULL;
    CompletionDelivery delivery =
        completion_deliver(model->completion, offset, 1000 + offset, &reason);
    assert_null(reason);
    assert_int_equal(delivery, model->is_finished[offset] ? COMPLETION_FINISHED : COMPLETION_RUN);
    if (delivery == COMPLETION_RUN) {
        model->is_running[offset] = true;
        model->running++;
    }
}

static void finish(Model *model)
{
    if (model->running == 0) {
        return;
    }
    uint32_t skip = next_random(model, (uint32_t)model->running);
    for (int64_t offset = 0; offset < RECORDS; offset++) {
        if (model->is_running[offset] && skip-- == 0) {
            completion_finish(model->completion, offset);
            model->is_running[offset] = false;
            model->is_finished[offset] = true;
            model->running--;
            model->left--;
            return;
        }
    }
}

static void check_offset(const Model *model)
{
    int64_t committed = completion_offset(model->completion);
    for (int64_t offset = 0; offset < committed && offset < RECORDS; offset++) {
        assert_true(model->is_marker[offset] || model->is_finished[offset]);
    }
    if (committed >= 0 && committed < RECORDS && !model->is_marker[committed]) {
        assert_true(!model->is_finished[committed] || committed >= model->position);
    }
}

// Another worker takes over from what is committed.
static void restart(Model *model)
{
    Text metadata CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    int64_t offset = completion_offset(model->completion);
    completion_metadata(model->completion, &metadata);
    completion_free(model->completion);
    const char *reason = "";
    model->completion = completion_new(offset, text_get(&metadata), &reason);
    assert_null(reason);
    model->position = offset < 0 ? 0 : offset;
    model->running = 0;
    memset(model->is_running, 0, sizeof model->is_running);
}

static void play(Model *model)
{
    model->is_marker[RECORDS - 1] = false;
    for (size_t i = 0; i < RECORDS; i++) {
        model->left += model->is_marker[i] ? 0 : 1;
    }
    const char *reason = NULL;
    model->completion = completion_new(-1, NULL, &reason);
    while (model->left > 0) {
        uint32_t choice = next_random(model, 100);
        if (choice < 50) {
            deliver(model);
        } else if (choice < 98) {
            finish(model);
        } else {
            restart(model);
        }
        check_offset(model);
    }
    assert_int_equal(completion_offset(model->completion), RECORDS);
    completion_free(model->completion);
}

static void nothing_runs_twice_and_nothing_is_passed_over(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        Model *model = alloc_zeroed(1, sizeof *model);
        model->seed = 20261122 + round;
        for (size_t i = 0; i < RECORDS; i++) {
            model->is_marker[i] = next_random(model, 4) == 0;
        }
        play(model);
        free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_runs_twice_and_nothing_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
