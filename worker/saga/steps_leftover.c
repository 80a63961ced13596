#include <assert.h>
#include <string.h>

#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/steps.h"

#define NOTE_MISSING "leftover_missing"

// The row of a failed command lists what could not be removed, by id; only those are removed here,
// never what a listing shows: a restored ledger may not know that the environment has been well
// again since.
static const json_t *next_leftover(const Saga *saga)
{
    const json_t *left = json_object_get(saga->ledger->environment.details, FACT_LEFT);
    return json_array_get(left, (size_t)journal_number(&saga->journal, FACT_LEFTOVER_GONE));
}

static const char *leftover_id(const json_t *left, const char *key)
{
    const char *id = json_string_value(json_object_get(left, key));
    return id != NULL ? id : "";
}

Ask leftover_ask_remove(Saga *saga, Effect *effect)
{
    const json_t *left = next_leftover(saga);
    const char *project_id = leftover_id(left, FACT_PROJECT_ID);
    const char *branch_id = leftover_id(left, FACT_BRANCH_ID);
    if (project_id[0] == '\0') {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    if (branch_id[0] == '\0') {
        neon_request_delete_project(&effect->request, project_id);
        return ASK_EFFECT;
    }
    bool fits = text_copy(effect->project_id, sizeof effect->project_id, project_id);
    assert(fits);
    (void)fits;
    neon_request_delete_branch(&effect->request, project_id, branch_id);
    return ASK_EFFECT;
}

Lesson leftover_learn_remove(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Journal *journal = &saga->journal;
    if (reply->meaning != NEON_OK && reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_EXACT_ID,
                                 "delete what an earlier command left");
    }
    bool was_there = reply->meaning == NEON_OK && reply->status != 204;
    if (!was_there && journal_note(journal, NOTE_MISSING) == NULL) {
        // nobody knows how young it is: once more when a listing would show it
        journal_set_note_number(journal, NOTE_MISSING, 1);
        return lesson_wait_ms(saga, saga->rules->listing_lag_ms);
    }
    journal_forget_notes(journal);
    journal_set_number(journal, FACT_LEFTOVER_GONE,
                       journal_number(journal, FACT_LEFTOVER_GONE) + 1);
    return LESSON_LEARNT;
}
