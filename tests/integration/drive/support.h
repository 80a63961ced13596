/*
 * What the tests of drive share: a loop that runs until a condition holds or a deadline has passed.
 */
#ifndef DRIVE_TEST_SUPPORT_H
#define DRIVE_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drive/loop.h"
#include "drive/resolver.h"

// A blocking call shows as seconds; under sanitizers on a busy machine an honest turn has taken 450
// ms.
enum { TEST_DEADLINE_MS = 30000, TEST_SKIPPED = 77, TEST_LONGEST_TURN_MS = 1000 };

typedef bool TestCondition(void *context);

// Runs the loop until `condition` holds, which is looked at once a turn; fails after the deadline.
void test_await(Loop *loop, TestCondition *condition, void *context);
void test_await_flag(Loop *loop, bool *flag);
// Runs the loop for a time in which something must not happen.
void test_pass(Loop *loop, uint32_t time_ms);

// Whether no turn of the loop was long; prints how long it was. For tear-downs.
bool test_loop_was_quick(const Loop *loop);

// For main: whether the environment variable names a neighbour. If not, *ret_status is what main
// returns: skipped, or failed where CI=true.
bool test_has_neighbour(const char *variable, int *ret_status);

#endif
