#include "support/wait.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "support/cmocka.h"

enum { LOOK_AGAIN_NS = 10 * 1000 * 1000, TEXT_BYTES = 512 };

int64_t wait_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void wait_until(bool (*holds)(void *context), void *context, int seconds, const char *format, ...)
{
    int64_t deadline_ms = wait_now_ms() + seconds * 1000LL;
    while (!holds(context)) {
        if (wait_now_ms() > deadline_ms) {
            char what[TEXT_BYTES];
            va_list arguments;
            va_start(arguments, format);
            (void)vsnprintf(what, sizeof(what), format, arguments);
            va_end(arguments);
            fail_msg("not within %d s: %s", seconds, what);
        }
        (void)ppoll(NULL, 0, &(struct timespec){.tv_nsec = LOOK_AGAIN_NS}, NULL);
    }
}
