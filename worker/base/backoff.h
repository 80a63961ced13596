/*
 * How long to wait before the next try: exponential, jittered, bounded. The random number is the
 * caller's.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

typedef struct Backoff {
    uint32_t first_ms;
    uint32_t max_ms;
} Backoff;

// Between half of and the whole of min(first * 2^attempt, max); attempt counts from 0.
uint32_t backoff_delay_ms(Backoff backoff, uint32_t attempt, uint32_t random);

#endif
