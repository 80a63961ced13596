#include "run/tally_wait.h"

#include <stddef.h>

static const double MS_PER_S = 1000;

void tally_wait_begin(TallyWait *wait, Metrics *metrics, const char *reason, int64_t now_boot_ms)
{
    if (wait->reason == NULL) {
        *wait = (TallyWait){reason, now_boot_ms};
        metrics_add(metrics, METRIC_NEON_WAITS, METRIC_LABELS(reason), 1);
    }
}

void tally_wait_look(TallyWait *wait, Metrics *metrics, int64_t now_boot_ms)
{
    if (wait->reason != NULL) {
        metrics_add(metrics, METRIC_NEON_WAIT_SECONDS, METRIC_LABELS(wait->reason),
                    (double)(now_boot_ms - wait->counted_boot_ms) / MS_PER_S);
        wait->counted_boot_ms = now_boot_ms;
    }
}

void tally_wait_end(TallyWait *wait, Metrics *metrics, int64_t now_boot_ms)
{
    tally_wait_look(wait, metrics, now_boot_ms);
    wait->reason = NULL;
}
