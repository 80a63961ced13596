#include <string.h>

#include "contract/outcome.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/sagas.h"
#include "saga/steps.h"

enum { TYPE_BYTES = 48 };

bool cancel_check(Saga *saga, Error *err)
{
    (void)saga;
    (void)err;
    return true;
}

// Nothing takes a stop mark back.
bool cancel_is_final(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_STOP_SET);
}

Ask cancel_ask_stop(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_STOP_SET)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_STOP;
    return ASK_EFFECT;
}

// ce_type's last part: "EnvironmentCreated" of "provisioning.v1.EnvironmentCreated".
static void name_type(const Provisioning__Internal__V1__OutcomeRecord *record,
                      char ret_type[TYPE_BYTES])
{
    for (size_t i = 0; i < record->n_headers; i++) {
        const Provisioning__Internal__V1__OutcomeHeader *header = record->headers[i];
        if (strcmp(header->name, "ce_type") != 0) {
            continue;
        }
        const uint8_t *dot = memrchr(header->value.data, '.', header->value.len);
        size_t start = dot != NULL ? (size_t)(dot - header->value.data) + 1 : 0;
        size_t length = header->value.len - start;
        if (length < TYPE_BYTES) {
            memcpy(ret_type, header->value.data + start, length);
            ret_type[length] = '\0';
        }
    }
}

// The outcome event is the first record. Of an outcome that a newer version wrote: "an outcome".
static void name_outcome(Bytes outcome, char ret_type[TYPE_BYTES])
{
    memcpy(ret_type, "an outcome", sizeof "an outcome");
    OutcomeMessage *message = outcome_unpack(outcome);
    if (message != NULL && message->n_records > 0) {
        name_type(message->records[0], ret_type);
    }
    outcome_message_free(message);
}

static Lesson learn_from_finished(Saga *saga, const LedgerStopped *target)
{
    char type[TYPE_BYTES];
    name_outcome(buffer_view(&target->outcome), type);
    bool is_ours = strcmp(target->stopped_by, saga->command->command_id) == 0;
    if (is_ours && strcmp(type, "CommandCancelled") == 0) {
        return LESSON_LEARNT; // what an earlier run of this very step has done
    }
    return lesson_fail(saga, ERROR_CONFLICT, "ALREADY_FINISHED",
                       "the command has ended before, with %s: there is nothing left to stop",
                       type);
}

// As far as its row tells, the command can't turn any more.
static bool is_final(const LedgerStopped *target)
{
    size_t count = 0;
    const SagaDefinition *table = sagas_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, target->action) == 0 && table[i].is_final != NULL) {
            const Saga other = {.definition = &table[i],
                                .journal = {.facts = target->journal},
                                .had_intent = target->had_intent};
            return !target->undoing && saga_is_final(&other);
        }
    }
    return false;
}

Lesson cancel_learn_stop(Saga *saga, const Answer *answer)
{
    const LedgerStopped *target = answer->stopped;
    Lesson lesson = LESSON_LEARNT;
    if (target->finished) {
        lesson = learn_from_finished(saga, target);
    } else if (is_final(target)) {
        lesson =
            lesson_fail(saga, ERROR_CONFLICT, "TOO_LATE",
                        "%s has gone too far to turn back: it goes on to its end", target->action);
    }
    if (lesson == LESSON_LEARNT) {
        journal_set_text(&saga->journal, FACT_TARGET_ACTION, target->action);
        journal_set_flag(&saga->journal, FACT_STOP_SET);
    }
    return lesson;
}
