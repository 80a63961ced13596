/*
 * Points at which a test stops the process, to show that another worker ends what this one began.
 * They exist only in builds with PROVISION_CRASH_POINTS (the debug preset); in others each is
 * nothing.
 *
 * The environment chooses, so that no setting of the product does:
 *
 *     CRASH_POINT_AT     POINT[/ACTION[/STEP]][#N][=MODE], several separated by commas: at the Nth
 *                        (default: first) passing of a point that matches; what is left out matches
 *                        all; at conclude.before STEP is the code of what has failed. MODE: abort
 *                        (default), kill (SIGKILL), stop (SIGSTOP), or hold: the thread waits until
 *                        the file named by CRASH_POINT_HOLD, a FIFO, has been opened for writing,
 *                        then goes on.
 *     CRASH_POINT_TRACE  a file to which each point that is passed is appended, a line each.
 *
 * "crash point NAME" stands on standard error before anything stops.
 */
#ifndef SYS_CRASH_H
#define SYS_CRASH_H

#include <stdbool.h>

// POINT(symbol, name, whether it belongs to a mutating step)
#define CRASH_POINTS(POINT)                                                                        \
    POINT(CLAIM_BEFORE, "claim.before", false)                                                     \
    POINT(CLAIM_AFTER, "claim.after", false)                                                       \
    POINT(INTENT_BEFORE, "intent.before", true)                                                    \
    POINT(INTENT_AFTER, "intent.after", true)                                                      \
    POINT(CALL_BEFORE, "call.before", true)                                                        \
    POINT(CALL_AFTER, "call.after", true)                                                          \
    POINT(RESULT_BEFORE, "result.before", true)                                                    \
    POINT(RESULT_AFTER, "result.after", true)                                                      \
    POINT(CONCLUDE_BEFORE, "conclude.before", false)                                               \
    POINT(CONCLUDE_AFTER, "conclude.after", false)                                                 \
    POINT(BEGIN_BEFORE, "transaction.begin.before", false)                                         \
    POINT(BEGIN_AFTER, "transaction.begin.after", false)                                           \
    POINT(OFFSETS_BEFORE, "transaction.offsets.before", false)                                     \
    POINT(OFFSETS_AFTER, "transaction.offsets.after", false)                                       \
    POINT(END_BEFORE, "transaction.end.before", false)                                             \
    POINT(END_SENT, "transaction.end.sent", false)                                                 \
    POINT(END_AFTER, "transaction.end.after", false)                                               \
    POINT(PUBLISHED_BEFORE, "published.before", false)                                             \
    POINT(PUBLISHED_AFTER, "published.after", false)

typedef enum CrashPoint {
#define CRASH_POINT_SYMBOL(symbol, name, of_step) CRASH_##symbol,
    CRASH_POINTS(CRASH_POINT_SYMBOL)
#undef CRASH_POINT_SYMBOL
        CRASH_POINT_COUNT
} CrashPoint;

const char *crash_point_name(CrashPoint point);
bool crash_point_is_of_step(CrashPoint point);

// `action` and `step` may be NULL. Thread-safe.
#ifdef PROVISION_CRASH_POINTS
void crash_point(CrashPoint point, const char *action, const char *step);
#else
static inline void crash_point(CrashPoint point, const char *action, const char *step)
{
    (void)point;
    (void)action;
    (void)step;
}
#endif

#endif
