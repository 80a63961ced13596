#include <assert.h>
#include <string.h>

#include "saga/facts.h"
#include "saga/guard.h"
#include "saga/leftover.h"
#include "saga/lesson.h"
#include "saga/steps.h"

#define NOTE_MISSING "leftover_missing"

Leftover leftover_own(const Saga *saga)
{
    return (Leftover){guard_own_project(saga), guard_owns_project(saga) ? "" : "a branch of it",
                      reach_of_details(saga->ledger->environment.details)};
}

// What a Delete removes in any case, and has removed; who didn't find it may have looked with a key
// that doesn't see it.
static bool is_gone(const Saga *saga, const json_t *left)
{
    const char *branch_id = journal_text_in(left, FACT_BRANCH_ID);
    return journal_has(&saga->journal, FACT_GONE) && !journal_has(&saga->journal, FACT_MISSING) &&
           strcmp(journal_text_in(left, FACT_PROJECT_ID), guard_own_project(saga)) == 0 &&
           (branch_id[0] == '\0' || strcmp(branch_id, saga->ledger->environment.branch_id) == 0);
}

// The row of a failed command lists what could not be removed, by id; only those are removed here,
// never what a listing shows: a restored ledger may not know that the environment has been well
// again since.
static size_t next_index(const Saga *saga)
{
    const json_t *left = json_object_get(saga->ledger->environment.details, FACT_LEFT);
    size_t i = (size_t)journal_number(&saga->journal, FACT_LEFTOVER_GONE);
    while (i < json_array_size(left) && is_gone(saga, json_array_get(left, i))) {
        i++;
    }
    return i;
}

Leftover leftover_next(const Saga *saga)
{
    const json_t *details = saga->ledger->environment.details;
    const json_t *left = json_array_get(json_object_get(details, FACT_LEFT), next_index(saga));
    Leftover next = {journal_text_in(left, FACT_PROJECT_ID), journal_text_in(left, FACT_BRANCH_ID),
                     reach_of_details(left)};
    if (next.maker.neon_account_id[0] == '\0') {
        next.maker = reach_of_details(details); // left by an older version
    }
    return next;
}

json_t *leftover_remaining(const Saga *saga)
{
    const json_t *left = json_object_get(saga->ledger->environment.details, FACT_LEFT);
    json_t *remaining = json_array();
    for (size_t i = next_index(saga); i < json_array_size(left); i++) {
        if (!is_gone(saga, json_array_get(left, i))) {
            json_array_append(remaining, json_array_get(left, i));
        }
    }
    return remaining;
}

bool leftover_is_blind(const Saga *saga, const Leftover *thing)
{
    const LedgerAccount *account = &saga->ledger->account;
    bool is_scoped = strcmp(account->key_kind, "project") == 0;
    bool sees_project =
        thing->branch_id[0] != '\0' && strcmp(account->project_id, thing->project_id) == 0;
    Reach own = reach_of_account(account);
    bool is_elsewhere =
        thing->maker.neon_account_id[0] != '\0' && !reach_is_same(&thing->maker, &own);
    return is_elsewhere || (is_scoped && !sees_project);
}

Lesson leftover_fail_blind(Saga *saga, const char *what)
{
    return lesson_fail(
        saga, ERROR_DENIED, "NOT_VISIBLE",
        "%s: the account's key is of another organization or Neon account than "
        "the one that made it, or kept to one project, and sees nothing there; connect the "
        "account with a key that does",
        what);
}

Lesson leftover_learn_deletion(Saga *saga, const Leftover *thing, const NeonReply *reply,
                               Protection protection, const char *what)
{
    if (reply->meaning == NEON_NOT_FOUND && leftover_is_blind(saga, thing)) {
        return leftover_fail_blind(saga, what);
    }
    return reply->meaning == NEON_OK || reply->meaning == NEON_NOT_FOUND
               ? LESSON_LEARNT
               : lesson_from_reply(saga, reply, protection, what);
}

Ask leftover_ask_remove(Saga *saga, Effect *effect)
{
    Leftover next = leftover_next(saga);
    if (next.project_id[0] == '\0') {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    if (next.branch_id[0] == '\0') {
        guard_use_up(saga, next.project_id);
        neon_request_delete_project(&effect->request, next.project_id);
        return ASK_EFFECT;
    }
    bool fits = text_copy(effect->project_id, sizeof effect->project_id, next.project_id);
    assert(fits);
    (void)fits;
    neon_request_delete_branch(&effect->request, next.project_id, next.branch_id);
    return ASK_EFFECT;
}

Lesson leftover_learn_remove(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Journal *journal = &saga->journal;
    Leftover next = leftover_next(saga);
    Lesson lesson = leftover_learn_deletion(saga, &next, reply, PROTECTED_EXACT_ID,
                                            "delete what an earlier command left");
    if (lesson != LESSON_LEARNT) {
        return lesson;
    }
    bool was_there = reply->meaning == NEON_OK && reply->status != 204;
    if (!was_there && journal_note(journal, NOTE_MISSING) == NULL) {
        // nobody knows how young it is: once more when a listing would show it
        journal_set_note_number(journal, NOTE_MISSING, 1);
        return lesson_wait_ms(saga, saga->rules->listing_lag_ms);
    }
    journal_forget_notes(journal);
    journal_set_number(journal, FACT_LEFTOVER_GONE, (int64_t)next_index(saga) + 1);
    return LESSON_LEARNT;
}
