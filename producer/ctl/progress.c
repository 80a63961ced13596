#include "ctl/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 78, PERIOD_MS = 100 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(Progress *progress, bool has_outcomes)
{
    *progress = (Progress){.is_shown = isatty(STDERR_FILENO) == 1,
                           .has_outcomes = has_outcomes,
                           .started_ms = now_ms()};
}

void progress_show(Progress *progress, bool now)
{
    int64_t at_ms = now_ms();
    if (!progress->is_shown || (!now && at_ms - progress->written_ms < PERIOD_MS)) {
        return;
    }
    const size_t *ended = progress->ended;
    char text[WIDTH + 1] = "";
    if (progress->has_outcomes) {
        (void)snprintf(text, sizeof text, "; %zu done, %zu rejected, %zu failed, %zu stopped",
                       ended[PROVISION_OUTCOME_SUCCEEDED], ended[PROVISION_OUTCOME_REJECTED],
                       ended[PROVISION_OUTCOME_FAILED],
                       ended[PROVISION_OUTCOME_CANCELLED] + ended[PROVISION_OUTCOME_SUPERSEDED]);
    }
    (void)fprintf(stderr, "\r%.1f s: %zu sent%s\033[K",
                  (double)(at_ms - progress->started_ms) / 1000, progress->sent, text);
    (void)fflush(stderr);
    progress->written_ms = at_ms;
}

void progress_wipe(Progress *progress)
{
    if (progress->is_shown && progress->written_ms != 0) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
        progress->written_ms = 0;
    }
}

void progress_end(Progress *progress)
{
    if (progress->is_shown) {
        progress_show(progress, true);
        (void)fputc('\n', stderr);
    }
}
