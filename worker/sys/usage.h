/*
 * What this process uses, by the kernel's account (proc(5)).
 */
#ifndef SYS_USAGE_H
#define SYS_USAGE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Usage {
    double cpu_seconds; // user and system, of all threads
    int64_t resident_bytes;
    int64_t started_ms; // since 1970; exact to a clock tick (10 ms)
} Usage;

// False where /proc can't be read.
bool usage_read(Usage *ret_usage);

#endif
