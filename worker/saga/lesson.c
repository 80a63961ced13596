#include "saga/lesson.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/backoff.h"

// Neon's own clients wait between 250 ms and 10 s; a 423 usually lasts a second or two.
static const Backoff WAIT_BACKOFF = {.first_ms = 1000, .max_ms = 10000};

static Lesson wait_growing(Saga *saga, Waiting waiting)
{
    saga->waiting = waiting;
    saga->wait_ms = backoff_delay_ms(WAIT_BACKOFF, saga->attempt, saga->now.random);
    return LESSON_WAIT;
}

Lesson lesson_wait(Saga *saga)
{
    return wait_growing(saga, WAITING_LISTING);
}

Lesson lesson_wait_ms(Saga *saga, uint32_t wait_ms)
{
    return lesson_wait_for(saga, WAITING_LISTING, wait_ms);
}

Lesson lesson_wait_for(Saga *saga, Waiting waiting, uint32_t wait_ms)
{
    saga->waiting = waiting;
    saga->wait_ms = wait_ms;
    return LESSON_WAIT;
}

Lesson lesson_fail_with(Saga *saga, const Error *err)
{
    saga->failure.error = *err;
    return LESSON_FAILED;
}

Lesson lesson_fail(Saga *saga, ErrorKind kind, const char *code, const char *format, ...)
{
    char text[sizeof(((Error *)NULL)->text) + 4]; // longer, so that error_set cuts whole characters
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error_set(&saga->failure.error, kind, code, "%s", text);
    return LESSON_FAILED;
}

bool lesson_is_out_of_patience(const Saga *saga)
{
    return saga->is_stuck &&
           saga->now.boot_ms - saga->stuck_boot_ms > (int64_t)saga->rules->max_wait_ms;
}

static Waiting waiting_of(const NeonReply *reply)
{
    if (reply->meaning == NEON_LOCKED) {
        return WAITING_LOCKED;
    }
    return reply->meaning == NEON_RATE_LIMITED ? WAITING_RATE_LIMIT : WAITING_AWAY;
}

static Lesson wait_for_neon(Saga *saga, const NeonReply *reply, const char *what)
{
    if (lesson_is_out_of_patience(saga)) {
        return lesson_fail(
            saga, ERROR_UNAVAILABLE, "NEON_UNAVAILABLE",
            "%s: Neon stayed busy or away (last status %d: %s); send the command again later", what,
            reply->status, reply->message);
    }
    if (reply->retry_after_ms > 0) {
        return lesson_wait_for(saga, waiting_of(reply), reply->retry_after_ms);
    }
    return wait_growing(saga, waiting_of(reply));
}

Lesson lesson_from_reply(Saga *saga, const NeonReply *reply, Protection protection,
                         const char *what)
{
    switch (reply->meaning) {
    case NEON_LOCKED:
    case NEON_RATE_LIMITED:
    case NEON_AWAY:
        return wait_for_neon(saga, reply, what);
    case NEON_UNKNOWN:
        if (protection == PROTECTED_READ) {
            return wait_for_neon(saga, reply, what);
        }
        return LESSON_UNKNOWN;
    case NEON_OK:
    case NEON_NOT_FOUND:
    case NEON_EXISTS:
    case NEON_PRECONDITION:
    case NEON_DENIED:
    case NEON_LIMIT:
    case NEON_REFUSED:
        break;
    }
    Error err = ERROR_INIT;
    neon_reply_error(reply, what, &err);
    return lesson_fail_with(saga, &err);
}

Lesson lesson_unreadable(Saga *saga, const Error *err, Protection protection)
{
    if (protection != PROTECTED_READ && protection != PROTECTED_LEDGER) {
        return LESSON_UNKNOWN;
    }
    if (lesson_is_out_of_patience(saga)) {
        return lesson_fail_with(saga, err);
    }
    return wait_growing(saga, WAITING_RETRY);
}
