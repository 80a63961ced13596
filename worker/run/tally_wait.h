/*
 * Measures how long a command waits for Neon: from the moment it was made to wait to the moment it
 * went on. A wait has one cause, its first: a call that was answered 429 and then waits for its
 * account's rate, waits for one reason. Seconds are counted when somebody looks, too, so that a
 * long wait shows before it ends.
 *
 * Times are CLOCK_BOOTTIME in ms.
 */
#ifndef RUN_TALLY_WAIT_H
#define RUN_TALLY_WAIT_H

#include <stdint.h>

#include "base/metrics.h"

// Zeroed: it doesn't wait.
typedef struct TallyWait {
    const char *reason;      // as the metric names it, static; NULL: none
    int64_t counted_boot_ms; // its seconds are counted up to here
} TallyWait;

// Nothing where it waits already.
void tally_wait_begin(TallyWait *wait, Metrics *metrics, const char *reason, int64_t now_boot_ms);
// Counts the seconds up to now; fine where it doesn't wait.
void tally_wait_look(TallyWait *wait, Metrics *metrics, int64_t now_boot_ms);
void tally_wait_end(TallyWait *wait, Metrics *metrics, int64_t now_boot_ms);

#endif
