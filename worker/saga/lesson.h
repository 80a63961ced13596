/*
 * What steps learn alike: from replies that every call can get, waits, failures.
 */
#ifndef SAGA_LESSON_H
#define SAGA_LESSON_H

#include "saga/saga.h"

// Nothing that was learnt for commands.max_wait was any progress. Counted from the first such
// lesson, so that a wait elsewhere (for the ledger, a lock, a settled intent) takes no patience.
bool lesson_is_out_of_patience(const Saga *saga);

// A growing, jittered delay (1 to 10 s), or a given one. The first two wait for Neon to show what
// should be there by now.
Lesson lesson_wait(Saga *saga);
Lesson lesson_wait_ms(Saga *saga, uint32_t wait_ms);
Lesson lesson_wait_for(Saga *saga, Waiting waiting, uint32_t wait_ms);
Lesson lesson_fail(Saga *saga, ErrorKind kind, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);
// `err` as it is.
Lesson lesson_fail_with(Saga *saga, const Error *err);
// A reply that the step has no special meaning for: busy → wait; unknown → the intent stays open
// (mutation) or wait (read); else failed. `what` says what was tried, for the error's text.
Lesson lesson_from_reply(Saga *saga, const NeonReply *reply, Protection protection,
                         const char *what);
// A reply that can't be decoded: waits, and fails in the end with UNEXPECTED_REPLY.
Lesson lesson_unreadable(Saga *saga, const Error *err, Protection protection);

#endif
