/*
 * Calls of a sandbox over one connection that stays open, as a client's pool does, with what each
 * took: the time on the clock and the sandbox's CPU time, which bears other load on the machine.
 */
#ifndef BENCH_CALLER_H
#define BENCH_CALLER_H

#include <jansson.h>
#include <stddef.h>

#include "box.h"

enum { CALLER_SAMPLES_MAX = 1000 };

typedef struct Caller Caller;

// What a number of calls took, in ms.
typedef struct CallerFigures {
    double p50_ms;
    double p99_ms;
    double max_ms;
    double cpu_ms; // of the sandbox, the average
    size_t bytes;  // of the last body
} CallerFigures;

// The box must outlive it.
Caller *caller_open(const Box *box);
void caller_close(Caller *caller);
// Sends a request; a status other than `wanted` ends the program unless it is 423, after which
// it is sent again. The body, the caller's to release, or NULL for an empty one.
json_t *caller_send(Caller *caller, const char *method, const char *path, const char *body,
                    long wanted);
// Repeats a GET `count` times, after one that isn't measured.
CallerFigures caller_measure(Caller *caller, const char *path, size_t count);

#endif
