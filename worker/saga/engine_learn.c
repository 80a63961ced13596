#include <assert.h>
#include <string.h>

#include "base/backoff.h"
#include "saga/engine.h"
#include "saga/lesson.h"

static const Backoff RESEND_BACKOFF = {.first_ms = 1000, .max_ms = 10000};

const Step *engine_find_step(const Step *steps, const char *name)
{
    for (const Step *step = steps; step->name != NULL; step++) {
        if (strcmp(step->name, name) == 0) {
            return step;
        }
        const Step *undo = step->undo != NULL ? engine_find_step(step->undo, name) : NULL;
        if (undo != NULL) {
            return undo;
        }
    }
    return NULL;
}

// The step's failure where nothing better is known than that it takes too long.
static Lesson fail_impatiently(Saga *saga, const Step *step, const char *why)
{
    return lesson_fail(
        saga, ERROR_UNAVAILABLE, "NEON_UNAVAILABLE",
        "%s: no progress within commands.max_wait (%s); send the command again later", step->name,
        why);
}

static void wait_for(Saga *saga, Waiting before, Waiting waiting)
{
    saga->waiting = waiting;
    if (waiting != before) {
        saga->waiting_boot_ms = saga->now.boot_ms;
    }
}

static void pause_for(Saga *saga, uint32_t wait_ms)
{
    saga->wait_ms = wait_ms;
    saga->not_before_boot_ms = saga->now.boot_ms + wait_ms;
    saga->attempt++;
}

static void learn_unknown(Saga *saga, const Step *step, const Answer *answer)
{
    pause_for(saga, backoff_delay_ms(RESEND_BACKOFF, saga->attempt, saga->now.random));
    if (lesson_is_out_of_patience(saga)) {
        SagaFailure before = saga->failure;
        fail_impatiently(saga, step, answer->reply->message);
        failure_of_step(saga, step, answer, &before);
    }
}

static void begin_to_learn(Saga *saga, SagaNow now)
{
    saga->now = now;
    if (!saga->is_stuck) {
        saga->is_stuck = true;
        saga->stuck_boot_ms = now.boot_ms;
    }
}

// Whatever a step waits for or reads again and again has an end, even where the step sees none.
static Lesson learn_with_patience(Saga *saga, const Step *step, const Answer *answer)
{
    const SagaRules *rules = saga->rules;
    uint32_t patience_ms = rules->max_wait_ms > rules->operation_timeout_ms
                               ? rules->max_wait_ms
                               : rules->operation_timeout_ms;
    journal_watch(&saga->journal);
    Lesson lesson = step->learn(saga, answer);
    if (lesson == LESSON_LEARNT && saga->journal.progressed) {
        saga->is_stuck = false;
        saga->attempt = 0;
        return lesson;
    }
    if ((lesson == LESSON_LEARNT || lesson == LESSON_WAIT) &&
        saga->now.boot_ms - saga->stuck_boot_ms > (int64_t)patience_ms) {
        return fail_impatiently(saga, step, "the same again and again");
    }
    return lesson;
}

Lesson saga_learn(Saga *saga, const Step *step, const Answer *answer, SagaNow now)
{
    SagaFailure before = saga->failure;
    Waiting waited_for = saga->waiting;
    begin_to_learn(saga, now);
    Lesson lesson = learn_with_patience(saga, step, answer);
    if (lesson == LESSON_UNKNOWN) {
        assert(step->protection != PROTECTED_READ);
        wait_for(saga, waited_for, WAITING_SETTLING);
        learn_unknown(saga, step, answer);
        return lesson;
    }
    assert(lesson != LESSON_LEARNT || saga->journal.changed); // or it would ask the same for ever
    wait_for(saga, waited_for, lesson == LESSON_WAIT ? saga->waiting : WAITING_NOTHING);
    if (lesson == LESSON_WAIT) {
        pause_for(saga, saga->wait_ms);
    }
    if (lesson == LESSON_FAILED) {
        failure_of_step(saga, step, answer, &before);
    }
    saga->intent.open = false;
    return lesson;
}

void saga_not_sent(Saga *saga, SagaNow now)
{
    begin_to_learn(saga, now);
    saga->intent.open = false;
    wait_for(saga, saga->waiting, WAITING_RETRY);
    pause_for(saga, backoff_delay_ms(RESEND_BACKOFF, saga->attempt, now.random));
    const Step *step = engine_find_step(saga->definition->steps, saga->intent.step);
    if (step != NULL && lesson_is_out_of_patience(saga)) {
        SagaFailure before = saga->failure;
        fail_impatiently(saga, step, "it could not be sent");
        failure_of_step(saga, step, &(Answer){.reply = NULL}, &before);
    }
}

void saga_intent_closed(Saga *saga, const json_t *result)
{
    saga->intent.open = false;
    if (result != NULL) {
        journal_merge(&saga->journal, result);
    }
}
