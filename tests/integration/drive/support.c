#include "support.h"

#include <stdlib.h>
#include <string.h>

typedef struct Await {
    Loop *loop;
    TestCondition *condition;
    void *context;
    bool late;
} Await;

static void on_turn(void *context)
{
    Await *await = context;
    if (await->condition(await->context)) {
        loop_stop(await->loop);
    }
}

static void on_late(void *context)
{
    Await *await = context;
    await->late = true;
    loop_stop(await->loop);
}

static bool run(Loop *loop, TestCondition *condition, void *context, uint32_t limit_ms)
{
    Await await = {loop, condition, context, false};
    LoopTimer *timer = loop_timer_new(loop, on_late, &await);
    loop_timer_start(timer, limit_ms);
    loop_run(loop, on_turn, &await);
    loop_timer_free(timer);
    return !await.late;
}

void test_await(Loop *loop, TestCondition *condition, void *context)
{
    if (!run(loop, condition, context, TEST_DEADLINE_MS)) {
        fail_msg("what the test waits for did not happen within %d ms", TEST_DEADLINE_MS);
    }
}

static bool flag_is_set(void *context)
{
    const bool *flag = context;
    return *flag;
}

void test_await_flag(Loop *loop, bool *flag)
{
    test_await(loop, flag_is_set, flag);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

void test_pass(Loop *loop, uint32_t time_ms)
{
    assert_false(run(loop, never, NULL, time_ms));
}

bool test_loop_was_quick(const Loop *loop)
{
    int64_t longest_ms = loop_longest_turn_ms(loop);
    if (longest_ms > TEST_LONGEST_TURN_MS) {
        print_error("the loop was blocked for %d ms\n", (int)longest_ms);
    }
    return longest_ms <= TEST_LONGEST_TURN_MS;
}

bool test_has_neighbour(const char *variable, int *ret_status)
{
    const char *value = getenv(variable);
    if (value != NULL && value[0] != '\0') {
        return true;
    }
    const char *ci = getenv("CI");
    bool is_ci = ci != NULL && strcmp(ci, "true") == 0;
    print_message("%s is not set: %s\n", variable, is_ci ? "failed" : "skipped");
    *ret_status = is_ci ? EXIT_FAILURE : TEST_SKIPPED;
    return false;
}
