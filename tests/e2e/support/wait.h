/*
 * Waiting for a condition, never for the clock: the condition is looked at again until it holds or
 * the deadline fails the test.
 */
#ifndef E2E_WAIT_H
#define E2E_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

int64_t wait_now_ms(void); // CLOCK_MONOTONIC

// Calls `holds(context)` until it is true. After `seconds` the test fails with the text.
void wait_until(bool (*holds)(void *context), void *context, int seconds, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
