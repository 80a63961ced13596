#include "lib/deadline.h"

#include <limits.h>
#include <time.h>

static int64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Deadline deadline_in(int timeout_ms)
{
    return (Deadline){.at_ms = monotonic_ms() + (timeout_ms > 0 ? timeout_ms : 0)};
}

int deadline_left_ms(Deadline deadline)
{
    int64_t left_ms = deadline.at_ms - monotonic_ms();
    if (left_ms <= 0) {
        return 0;
    }
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}
