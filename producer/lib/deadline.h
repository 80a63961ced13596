/*
 * How long is left of a timeout, by a clock that nobody sets.
 */
#ifndef LIB_DEADLINE_H
#define LIB_DEADLINE_H

#include <stdint.h>

typedef struct Deadline {
    int64_t at_ms;
} Deadline;

// `timeout_ms` below 0 counts as 0.
Deadline deadline_in(int timeout_ms);
// 0 once it is over.
int deadline_left_ms(Deadline deadline);

#endif
