/*
 * Sees outcomes as a consumer of the product does: a thread of its own reads the event topic,
 * committed records only, and notes when the outcome for each application became visible.
 */
#ifndef BENCH_OUTCOMES_H
#define BENCH_OUTCOMES_H

#include <stddef.h>
#include <stdint.h>

#include "support/world.h"

typedef struct Outcomes Outcomes;

// Called on the reader's thread whenever the count has grown.
typedef void OutcomesCallback(void *context, size_t count);

// Reads what is published from now on; returns when the start is fixed.
Outcomes *outcomes_open(const World *world);
void outcomes_close(Outcomes *outcomes);
// From now on counts anew. `callback` may be NULL.
void outcomes_expect(Outcomes *outcomes, OutcomesCallback *callback, void *context);
size_t outcomes_count(const Outcomes *outcomes);
size_t outcomes_failures(const Outcomes *outcomes); // of any other type than success
// Waits until `count` outcomes were seen since the last outcomes_expect.
void outcomes_await(Outcomes *outcomes, size_t count, int seconds);
// When the last outcome of an application "bench-NUMBER" became visible, CLOCK_MONOTONIC; 0: never.
int64_t outcomes_seen_us(const Outcomes *outcomes, size_t application);

#endif
